/**
 * Keeps answers with one visitor's cookie or token out of caches. Caches may store a response with Set-Cookie (RFC 9111
 * section 7.3), and another visitor would get it. So such an answer is marked private, and loses every field that
 * allows a shared cache to store it.
 *
 * `X-Accel-Buffering` stays: nginx needs it for event streams, and it has nothing to do with storing.
 */

/**
 * Directives for one kind of cache, which take precedence over Cache-Control (RFC 9213): CDN-, Cloudflare-CDN-,
 * Akamai-, Netlify-CDN-, Vercel-CDN-, X-LiteSpeed- and more.
 */
const TARGETED = /.-cache-control$/i

const SHARED = [
  // These fields are older than Cache-Control. Some caches still read them first, and no cache should compute an age.
  'Expires',
  'Pragma',
  'Age',
  // A field for surrogates, which Fastly, Varnish, Akamai and Squid prefer to Cache-Control.
  'Surrogate-Control',
  // nginx stores an answer for this time, whatever Cache-Control contains.
  'X-Accel-Expires',
  // Akamai used this field before RFC 9213.
  'Edge-Control',
  // By convention, Varnish configurations store an answer for this time, before they read Cache-Control.
  'X-Reverse-Proxy-TTL',
  'X-VC-TTL',
  'X-Cache-TTL',
  // The names by which stored answers are purged, for Fastly, Varnish, Cloudflare, Akamai, Netlify, Bunny, LiteSpeed
  // and FOSHttpCache. An answer that is not stored needs none.
  'Surrogate-Key',
  'xkey',
  'Cache-Tag',
  'Cache-Tags',
  'Edge-Cache-Tag',
  'Netlify-Cache-Tag',
  'CDN-Tag',
  'X-LiteSpeed-Tag',
  'X-Cache-Tags',
  // These fields decide which requests share a stored answer, at Netlify and LiteSpeed.
  'Netlify-Vary',
  'X-LiteSpeed-Vary',
]

export function makePrivate(headers: Headers): void {
  for (const name of [...headers.keys()]) if (TARGETED.test(name)) headers.delete(name)
  for (const name of SHARED) headers.delete(name)
  headers.set('Cache-Control', 'private, no-store')
}
