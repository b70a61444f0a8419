/** `If-Match` (RFC 9110, section 13.1.1): which versions of a room a change is meant for. */
import { fail } from './refusals.ts'

/** ETags in quotes with commas between them; recipients must take empty elements, too. */
const LIST = /^(?:[\s,]*(?:W\/)?"[^"]*"\s*(?=,|$))+[\s,]*$/

/** The versions named, null for any, or the refusal of a header that names none. */
export function versionsIn(header: string | undefined): readonly string[] | null | Response {
  if (header === undefined || header === '*') return null
  if (!LIST.test(header)) {
    const given = header === '' ? 'it is empty' : `got ${header.slice(0, 100)}`
    return fail(400, 'If-Match is malformed', `It must be * or ETags in quotes, as GET has answered them; ${given}.`)
  }
  // A weak one is taken, too: whatever compresses an answer on its way makes its ETag one.
  return [...header.matchAll(/"([^"]*)"/g)].map(([, version = '']) => version)
}
