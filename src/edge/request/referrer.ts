/**
 * The page of another site from which a newcomer comes. After the wait the browser names the waiting page as the
 * referrer, so the original one is kept in the ticket.
 */
import type { Visit } from './visit.ts'

/** A longer address is shortened to its origin, so that a cookie stays small. */
const REFERRER_MAX = 200

/** Returns the origin and the path of the Referer, without the query. Returns null for a page of the same host. */
export function referrerOf({ request, url, isSafe, kind }: Visit): string | null {
  if (!isSafe || kind !== 'navigation') return null
  const referer = request.headers.get('Referer')
  // Most newcomers have none. To parse an empty address would cost a tenth of a first visit.
  if (!referer) return null
  const from = URL.parse(referer)
  if (!from || !/^https?:$/.test(from.protocol) || from.host === url.host) return null
  const address = from.origin + from.pathname
  const shown = address.length > REFERRER_MAX ? `${from.origin}/` : address
  return shown.length > REFERRER_MAX ? null : shown
}
