/**
 * Decides when a visitor may get a cookie of ours.
 *
 * A page of another site can send a visitor here with a form or a link. Browsers leave a SameSite cookie out of such a
 * request, so it looks like one from a newcomer. A cookie in the answer would replace the pass or the place that the
 * visitor has. So an answer sets our cookie only if the request would have carried it.
 */
import type { RoomConfig } from '../../settings/schema.ts'
import { cookieName, setCookie } from './cookies.ts'
import type { Visit } from './visit.ts'

/** Adds the cookie with a token, unless it could replace one that the request was not allowed to carry. */
export function giveCookie(visit: Visit, config: RoomConfig, headers: Headers, token: string): void {
  if (mayGiveCookie(visit, config)) headers.append('Set-Cookie', setCookie(config, visit.url, token))
}

/** True if the request carried a cookie of the room, or would have carried it if the visitor had one. */
export function mayGiveCookie(visit: Visit, config: RoomConfig): boolean {
  return visit.cookies.has(cookieName(config, visit.url)) || wouldCarry(visit, config.cookie_attributes.samesite)
}

/**
 * True if the request comes from a page of another site. A program sends neither header, so it never counts as another
 * site.
 */
export function isCrossSite({ url, request: { headers } }: Pick<Visit, 'url' | 'request'>): boolean {
  const site = headers.get('Sec-Fetch-Site')
  if (site !== null) return site === 'cross-site'
  // Browsers send Fetch Metadata over https only, and older browsers never send it.
  const origin = headers.get('Origin')
  if (origin === null) return false
  const from = URL.parse(origin)
  // The page's http may have been https in front of a proxy that does not report it.
  return from === null || from.host !== url.host || (url.protocol === 'https:' && from.protocol !== 'https:')
}

/**
 * True if a browser would send the cookie with this request (RFC 6265bis section 5.8.3). From another site, `Lax`
 * allows it only for a link that is followed, and `Strict` never.
 */
function wouldCarry(visit: Visit, samesite: RoomConfig['cookie_attributes']['samesite']): boolean {
  if (samesite === 'none' || !isCrossSite(visit)) return true
  const { headers } = visit.request
  return samesite !== 'strict' && visit.isSafe && headers.get('Sec-Fetch-Dest') === 'document'
}
