/**
 * The invitation of a visitor: in a header for programs, in a link for people. The invitation of a link is removed from
 * the address at once and kept in a cookie. So neither the origin nor the next site gets it, and bookmarks do not
 * contain it.
 */
import { OWN_HEADERS } from '../problem.ts'
import { cookieName, cookieNamed, invitationCookie } from '../request/cookies.ts'
import { mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'
import { belongsOnHttps, toHttps } from './https-redirect.ts'

const INVITE_HEADER = 'Waiting-Room-Invite'
/** The parameter that contains the invitation in a link. */
export const INVITE = 'invite'
const PARAMETER = `${INVITE}=`
/** An invalid link is remembered for 300 s, so that the page can explain the problem to its visitor. */
const INVALID_FOR_SECONDS = 300
const INVALID = 'invalid'
/**
 * Reads at most this many cookies, and takes the first valid one. Each may cost a signature check for each key of the
 * room.
 */
const TRIED_MAX = 10
const NOT_INVITED: Invited = { kind: 'none' }

export async function invitedBy(visit: Visit, room: RoomClient): Promise<Invited> {
  if (!room.settings.readsInvitations) return NOT_INVITED
  const name = invitationCookie(room.settings.config, visit.url)
  const header = visit.request.headers.get(INVITE_HEADER)
  const texts = header === null ? (visit.cookies.get(name) ?? []) : [header]
  let invited = NOT_INVITED
  for (const text of texts.slice(0, TRIED_MAX)) {
    invited = await room.tokens.readInvitation(text, visit.nowMs)
    if (invited.kind === 'valid') return invited
  }
  return invited
}

/**
 * Redirects a visitor who followed an invitation's link to the same address without it. Returns null for every other
 * request.
 */
export async function takeOffAddress(visit: Visit, room: RoomClient): Promise<Response | null> {
  const { pathname, search } = visit.url
  if (!room.settings.readsInvitations || !search.includes(PARAMETER)) return null
  const parts = search.slice(1).split('&')
  const texts = parts.filter(part => part.startsWith(PARAMETER)).map(part => part.slice(PARAMETER.length))
  // A preflight has no cookie in which an invitation could be kept.
  if (texts.length === 0 || visit.request.method === 'OPTIONS') return null
  // This redirect keeps the invitation in the address, because a cookie set over http would be left behind.
  const hasPlace = visit.cookies.has(cookieName(room.settings.config, visit.url))
  if (!hasPlace && belongsOnHttps(visit, room)) return toHttps(visit, room)
  const rest = parts.filter(part => !part.startsWith(PARAMETER)).join('&')
  const headers = new Headers({
    // The dot keeps a path like `//elsewhere` from being read as a host.
    Location: `${pathname.startsWith('//') ? '/.' : ''}${pathname}${rest === '' ? '' : `?${rest}`}`,
    'Cache-Control': 'no-store',
    ...OWN_HEADERS,
    // A browser may send the address with the invitation as the referrer, so not even the host is allowed.
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  })
  const cookie = await cookieFor(visit, room, invitationIn(texts[0] ?? ''))
  if (cookie !== null) headers.append('Set-Cookie', cookie)
  // 307 keeps the method and the body of a form.
  const status = visit.isSafe ? 303 : 307
  return new Response(null, { status, headers })
}

/**
 * Returns the invitation in a parameter. People may type it into the field on our page, or paste their whole link
 * there.
 */
function invitationIn(parameter: string): string {
  const typed = new URLSearchParams(`${PARAMETER}${parameter}`).get(INVITE)?.trim() ?? ''
  const [, pasted] = /[?&]invite=([^&#\s]*)/.exec(typed) ?? []
  return pasted ?? typed
}

/**
 * Returns the cookie for an invitation from a link, or null. An invalid link does not replace an earlier valid
 * invitation.
 */
async function cookieFor(visit: Visit, room: RoomClient, text: string): Promise<string | null> {
  const { config } = room.settings
  const name = invitationCookie(config, visit.url)
  // A form of another site must not change the lane of a visitor.
  if (!visit.isSafe && !mayGiveCookie(visit, config)) return null
  const given = await room.tokens.readInvitation(text, visit.nowMs)
  if (given.kind === 'valid') {
    const maxAgeSeconds = Math.ceil((given.invitation.expiresMs - visit.nowMs) / 1_000)
    return cookieNamed({ name, value: text, maxAgeSeconds }, config, visit.url)
  }
  if (!mayGiveCookie(visit, config)) return null
  const before = await invitedBy(visit, room)
  if (before.kind === 'valid') return null
  return cookieNamed({ name, value: INVALID, maxAgeSeconds: INVALID_FOR_SECONDS }, config, visit.url)
}
