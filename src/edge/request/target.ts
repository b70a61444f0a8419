/**
 * What a request asks for. The runtime puts the URL of a request together from its Host and its target as they came, so `Host: a/b`
 * moves the path and `GET *` has none. Rooms are found by host and path, so both must be what they seem.
 */

/** A host name or an address, with or without a port (RFC 9112 section 3.2). */
const AUTHORITY = String.raw`([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?`
const HOST = new RegExp(`^${AUTHORITY}$`, 'i')
/** The host ends where the path begins. */
const TARGET = new RegExp(`^https?://${AUTHORITY}/`, 'i')

/** The URL of a request; null when its Host or its target is malformed. */
export function targetOf({ url, headers }: Request): URL | null {
  const host = headers.get('Host')
  return TARGET.test(url) && (host === null || HOST.test(host)) ? URL.parse(url) : null
}
