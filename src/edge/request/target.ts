/**
 * Checks the URL of a request. The runtime builds it from the Host and the target exactly as they came. So `Host: a/b`
 * changes the path, and `GET *` has no path. Rooms are found by host and path, so both forms are refused.
 */
import { LRUCache } from 'lru-cache'

/** A host name or an address, with or without a port (RFC 9112 section 3.2). */
const AUTHORITY = String.raw`([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?`
const HOST = new RegExp(`^${AUTHORITY}$`, 'i')
/** The pattern of a URL whose host ends exactly where the path begins. */
const TARGET = new RegExp(`^https?://${AUTHORITY}/`, 'i')
/** A longer URL is seldom asked for twice, and a crowd of them would fill the memory. */
const TEXT_MAX = 300
/** A crowd polls a few URLs and loads the same pages, so most URLs have been parsed before. */
const KNOWN = new LRUCache<string, Readonly<URL>>({ max: 1_000 })

/**
 * Returns the URL of a request, or null when its Host or its target is malformed. Requests for one URL share the object,
 * so it must never be changed.
 */
export function targetOf({ url, headers }: Request): Readonly<URL> | null {
  const host = headers.get('Host')
  if (host !== null && !HOST.test(host)) return null
  const known = KNOWN.get(url)
  if (known) return known
  const target = TARGET.test(url) ? URL.parse(url) : null
  if (target && url.length <= TEXT_MAX) KNOWN.set(url, target)
  return target
}
