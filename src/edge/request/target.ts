/**
 * Checks the URL of a request. The runtime builds it from the Host and the target exactly as they came. So `Host: a/b`
 * changes the path, and `GET *` has no path. Rooms are found by host and path, so both forms are refused.
 */

/** A host name or an address, with or without a port (RFC 9112 section 3.2). */
const AUTHORITY = String.raw`([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?`
const HOST = new RegExp(`^${AUTHORITY}$`, 'i')
/** The pattern of a URL whose host ends exactly where the path begins. */
const TARGET = new RegExp(`^https?://${AUTHORITY}/`, 'i')

/** Returns the URL of a request, or null when its Host or its target is malformed. */
export function targetOf({ url, headers }: Request): URL | null {
  const host = headers.get('Host')
  return TARGET.test(url) && (host === null || HOST.test(host)) ? URL.parse(url) : null
}
