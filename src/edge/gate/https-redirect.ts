/**
 * Sends newcomers who come over http to https before they wait. Cookies of the two schemes have different names. On a
 * site that sends its visitors to https by itself, they would otherwise wait twice and waste a permit.
 *
 * A wrong redirect would lock visitors out. So the gate redirects only where https is known to work: this isolate has
 * seen a visitor outside over https on the same host within the last hour. A site without https, a proxy that never
 * reports https and a developer's own machine never give that proof. So nothing is redirected there, and no redirect
 * loop can begin.
 */
import type { RoomConfig } from '../../settings/schema.ts'
import { OWN_HEADERS } from '../problem.ts'
import { invitationCookie } from '../request/cookies.ts'
import { acceptsHtml } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

const PROOF_HOLDS_MS = 60 * 60_000
/**
 * A visitor who comes back over http within 60 s was sent to https in vain. Then a proxy on the way does not report
 * https.
 */
const TRIED_SECONDS = 60

/**
 * Notes that a visitor came over https. Only visitors outside are noted, so that requests of admitted visitors cost no
 * more.
 */
export function noteHttps({ url, nowMs }: Visit, room: RoomClient): void {
  if (url.protocol === 'https:') room.noteHttps(url.host, nowMs)
}

/** True if a visitor without a place must be sent to https, and not get a place here. */
export function belongsOnHttps(visit: Visit, room: RoomClient): boolean {
  const { config } = room.settings
  const { url, cookies, nowMs } = visit
  if (url.protocol === 'https:' || config.https !== 'redirect' || config.mode === 'observe') return false
  // If both schemes have one cookie, no place is lost.
  if (config.cookie_attributes.secure === 'never') return false
  if (!visit.isSafe || visit.kind !== 'navigation' || !acceptsHtml(visit.request.headers)) return false
  if (nowMs - room.lastHttpsMs(url.host) > PROOF_HOLDS_MS) return false
  // The redirect would leave behind an invitation's cookie that was set over http.
  return !cookies.has(invitationCookie(config, url)) && !cookies.has(triedCookie(config))
}

/** Returns the redirect. It is temporary and not stored, so that no browser keeps it once it is turned off. */
export function toHttps({ url }: Visit, { settings: { config } }: RoomClient): Response {
  const cookie = `${triedCookie(config)}=1; Path=/; Max-Age=${TRIED_SECONDS}; HttpOnly; SameSite=Lax`
  const headers = { Location: url.href.replace(/^http:/, 'https:'), 'Cache-Control': 'no-store', ...OWN_HEADERS }
  return new Response(null, { status: 307, headers: { ...headers, 'Set-Cookie': cookie } })
}

/** Returns a name that no room's cookie can have, because no room's name has a dot. */
function triedCookie({ name }: RoomConfig): string {
  return `antesala-${name}.https`
}
