/**
 * An answer that carries one visitor's cookie or token must never be stored for others: caches may store a response with
 * Set-Cookie (RFC 9111 section 7.3), so it leaves private, with every field removed by which a shared cache is told else.
 */
const SHARED = [
  'CDN-Cache-Control',
  'Cloudflare-CDN-Cache-Control',
  'Surrogate-Control',
  'Surrogate-Key',
  'Expires',
  'Age',
  'Pragma',
]

export function makePrivate(headers: Headers): void {
  headers.set('Cache-Control', 'private, no-store')
  for (const name of SHARED) headers.delete(name)
}
