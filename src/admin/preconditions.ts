/** `If-Match` (RFC 9110, section 13.1.1): the versions of a room to which a change may be applied. */
import { fail } from './refusals.ts'

/** ETags in quotes with commas between them. Recipients must accept empty elements, too. */
const LIST = /^(?:[\s,]*(?:W\/)?"[^"]*"\s*(?=,|$))+[\s,]*$/

/** Returns the versions that the header names, null for any version, or the refusal of a malformed header. */
export function versionsIn(header: string | undefined): readonly string[] | null | Response {
  if (header === undefined || header === '*') return null
  if (!LIST.test(header)) {
    const given = header === '' ? 'it is empty' : `got ${header.slice(0, 100)}`
    return fail(400, 'If-Match is malformed', `It must be * or ETags in quotes, as GET has answered them; ${given}.`)
  }
  // Weak ETags are accepted, because compression on the way makes an ETag weak.
  return [...header.matchAll(/"([^"]*)"/g)].map(([, version = '']) => version)
}
