/** `If-Match` (RFC 9110, section 13.1.1): a change is applied only if the room has one of these versions. */
import { fail } from './refusals.ts'

/** Matches ETags in quotes with commas between them. Recipients must accept empty list elements, too. */
const LIST = /^(?:[\s,]*(?:W\/)?"[^"]*"\s*(?=,|$))+[\s,]*$/

/** Returns the versions that the header names, null if any version will do, or the refusal of a malformed header. */
export function versionsIn(header: string | undefined): readonly string[] | null | Response {
  if (header === undefined || header === '*') return null
  if (!LIST.test(header)) {
    const given = header === '' ? 'it is empty' : `got ${header.slice(0, 100)}`
    return fail(400, 'If-Match is malformed', `It must be * or ETags in quotes, as in the answer to a GET; ${given}.`)
  }
  // Weak ETags are accepted, because compression on the way makes an ETag weak.
  return [...header.matchAll(/"([^"]*)"/g)].map(([, version = '']) => version)
}
