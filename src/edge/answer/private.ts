/**
 * An answer that carries one visitor's cookie or token must never be stored for others. Caches may store a response with
 * Set-Cookie (RFC 9111 section 7.3), so it leaves private, without any field that tells a shared cache otherwise.
 *
 * `X-Accel-Buffering` stays: nginx needs it for event streams, and it stores nothing.
 */

/**
 * Directives for one kind of cache, which go before Cache-Control (RFC 9213): CDN-, Cloudflare-CDN-, Akamai-,
 * Netlify-CDN-, Vercel-CDN-, X-LiteSpeed- and more.
 */
const TARGETED = /.-cache-control$/i

const SHARED = [
  // Older than Cache-Control; some caches still look here first, and none should compute an age.
  'Expires',
  'Pragma',
  'Age',
  // The edge architecture's field, which Fastly, Varnish, Akamai and Squid prefer to Cache-Control.
  'Surrogate-Control',
  // nginx stores for so long, whatever Cache-Control says.
  'X-Accel-Expires',
  // Akamai, before RFC 9213.
  'Edge-Control',
  // How long Varnish configurations by convention store an answer, before they look at Cache-Control.
  'X-Reverse-Proxy-TTL',
  'X-VC-TTL',
  'X-Cache-TTL',
  // Names by which stored answers are purged, for Fastly, Varnish, Cloudflare, Akamai, Netlify, Bunny, LiteSpeed and
  // FOSHttpCache. An answer that is not stored needs none.
  'Surrogate-Key',
  'xkey',
  'Cache-Tag',
  'Cache-Tags',
  'Edge-Cache-Tag',
  'Netlify-Cache-Tag',
  'CDN-Tag',
  'X-LiteSpeed-Tag',
  'X-Cache-Tags',
  // Which requests share a stored answer: Netlify, LiteSpeed.
  'Netlify-Vary',
  'X-LiteSpeed-Vary',
]

export function makePrivate(headers: Headers): void {
  for (const name of [...headers.keys()]) if (TARGETED.test(name)) headers.delete(name)
  for (const name of SHARED) headers.delete(name)
  headers.set('Cache-Control', 'private, no-store')
}
