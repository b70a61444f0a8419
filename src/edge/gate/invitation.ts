/**
 * The invitation a visitor comes with: in a header for programs, in a link for people. A link is taken off the address at once
 * and kept in a cookie, so that neither the origin, the next site, nor a bookmark gets it.
 */
import type { KeyRing } from '../../tokens/keyring.ts'
import { OWN_HEADERS } from '../problem.ts'
import { cookieName, cookieNamed, invitationCookie } from '../request/cookies.ts'
import { mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { Invited, RoomAtEdge } from '../room-client/room-client.ts'
import { belongsOnHttps, toHttps } from './https-redirect.ts'

const INVITE_HEADER = 'Waiting-Room-Invite'
const PARAMETER = 'invite='
/** A link that is no invitation is remembered for so long, so that its visitor can be told. */
const INVALID_FOR_SECONDS = 300
const INVALID = 'invalid'
/** Of several cookies the first valid one counts: each may cost as many checks of a signature as its room has keys. */
const TRIED_MAX = 10
const NOT_INVITED: Invited = { kind: 'none' }

export async function invitedBy(visit: Visit, room: RoomAtEdge, ring: KeyRing): Promise<Invited> {
  if (!room.settings.readsInvitations) return NOT_INVITED
  const name = invitationCookie(room.settings.config, visit.url)
  const header = visit.request.headers.get(INVITE_HEADER)
  const texts = header === null ? (visit.cookies.get(name) ?? []) : [header]
  let invited = NOT_INVITED
  for (const text of texts.slice(0, TRIED_MAX)) {
    invited = await room.invitation(ring, text, visit.nowMs)
    if (invited.kind === 'valid') return invited
  }
  return invited
}

/** Sends who followed an invitation's link on to the same address without it; null for everybody else. */
export async function takeOffAddress(visit: Visit, room: RoomAtEdge, ring: KeyRing): Promise<Response | null> {
  const { pathname, search } = visit.url
  if (!room.settings.readsInvitations || !search.includes(PARAMETER)) return null
  const parts = search.slice(1).split('&')
  const texts = parts.filter(part => part.startsWith(PARAMETER)).map(part => part.slice(PARAMETER.length))
  // A preflight has no cookies to keep anything in.
  if (texts.length === 0 || visit.request.method === 'OPTIONS') return null
  // With the invitation, for its cookie would be left behind, too.
  const hasPlace = visit.cookies.has(cookieName(room.settings.config, visit.url))
  if (!hasPlace && belongsOnHttps(visit, room)) return toHttps(visit, room)
  const rest = parts.filter(part => !part.startsWith(PARAMETER)).join('&')
  const headers = new Headers({
    // The dot keeps a path like `//elsewhere` from being read as a host.
    Location: `${pathname.startsWith('//') ? '/.' : ''}${pathname}${rest === '' ? '' : `?${rest}`}`,
    'Cache-Control': 'no-store',
    ...OWN_HEADERS,
    // Not even the host, for a browser may take the address with the invitation for where it comes from.
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  })
  const cookie = await cookieFor(visit, room, ring, texts[0] ?? '')
  if (cookie !== null) headers.append('Set-Cookie', cookie)
  // What a form sends is sent on as it is.
  const status = visit.isSafe ? 303 : 307
  return new Response(null, { status, headers })
}

/** A link that is not valid takes nothing from somebody who came with a valid one before. */
async function cookieFor(visit: Visit, room: RoomAtEdge, ring: KeyRing, text: string): Promise<string | null> {
  const { config } = room.settings
  const name = invitationCookie(config, visit.url)
  // A form of another site must not change the lane of its visitor.
  if (!visit.isSafe && !mayGiveCookie(visit, config)) return null
  const given = await room.invitation(ring, text, visit.nowMs)
  if (given.kind === 'valid') {
    const seconds = Math.ceil((given.invitation.expiresMs - visit.nowMs) / 1_000)
    return cookieNamed(name, config, visit.url, text, seconds)
  }
  if (!mayGiveCookie(visit, config)) return null
  const before = await invitedBy(visit, room, ring)
  return before.kind === 'valid' ? null : cookieNamed(name, config, visit.url, INVALID, INVALID_FOR_SECONDS)
}
