/**
 * The poll of a waiting visitor, and leaving. A poll makes no call of its own, but it waits for a new view when the
 * last one is old. With `claim=1` it claims when the visitor is called.
 */
import { passesThrough } from '../../core/place/outsider.ts'
import { limitedResponse } from '../answer/limited.ts'
import { outsideHeaders } from '../answer/outside.ts'
import { addTokens, waitingHeaders } from '../answer/respond.ts'
import { invitedBy } from '../gate/invitation.ts'
import { carriedBy, ofThisGeneration } from '../gate/presented-tokens.ts'
import { leaveLine } from '../gate/tickets.ts'
import { withoutPass } from '../gate/without-pass.ts'
import { insideJson, placeJson, rejectedJson } from '../pages/place-json.ts'
import { OWN_HEADERS, problemResponse, tryAgainShortly } from '../problem.ts'
import { clearCookie } from '../request/cookies.ts'
import { isCrossSite, mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageFor } from '../texts/choose.ts'
import { languageHeaders } from '../texts/language.ts'

/** A poll may come after this share of its time, because the clocks and timers of browsers are not exact. */
const EARLY_SHARE = 0.5
/** The quota for leaving, for each session or place and isolate. More calls would change nothing. */
const LEAVES = { intervalMs: 60_000, burst: 3 }

export async function status(visit: Visit, room: RoomClient): Promise<Response> {
  const { nowMs } = visit
  await room.sync.current(visit)
  const carried = await carriedBy(visit, room)
  room.count('polls')
  const { suspended, mode } = room.settings.config
  // A suspended or observing room keeps no visitor on its page.
  if (suspended || mode === 'observe') return json(insideJson(room, nowMs))
  if (carried.pass && carried.pass.value.expiresMs > nowMs) return json(insideJson(room, nowMs))
  const invited = await invitedBy(visit, room)
  const { ticket: held } = ofThisGeneration(carried, room.view)
  if (passesThrough(held, { invitation: invited.kind }, room.settings.at(nowMs).step))
    return json(insideJson(room, nowMs))
  // This isolate may be unable to read the token yet. So its cookie stays, and so does the page.
  if (!held && carried.keepCookie) return tryAgainShortly()
  if (!held) return withoutPlace(room, nowMs)
  const earlyMs = room.places.pollsInMs(held, nowMs)
  if (earlyMs > 0) {
    const language = languageFor(visit, room.settings.config)
    return problemResponse({
      status: 429,
      type: 'quota-exceeded',
      title: language.texts.problems.tooFast,
      headers: languageHeaders(language),
      retryAfterMs: earlyMs,
    })
  }
  const purpose = visit.url.searchParams.get('claim') === '1' ? 'claim' : 'poll'
  const shown = { ticket: held, inCookie: held, keepCookie: carried.keepCookie, invited }
  const outcome = await withoutPass(visit, room, shown, { purpose })
  if (outcome.kind === 'admitted') {
    const response = json(insideJson(room, nowMs))
    addTokens(visit, response.headers, [outcome])
    return response
  }
  if (outcome.kind === 'limited') return limitedResponse(visit, outcome)
  const inLanguage = languageHeaders(languageFor(visit, room.settings.config))
  if (outcome.kind === 'rejected')
    return json(rejectedJson(visit, outcome), { ...outsideHeaders(outcome.retryAfterMs), ...inLanguage })
  room.places.notePoll(outcome.ticket, nowMs + outcome.pollAfterMs * EARLY_SHARE)
  const headers = { ...waitingHeaders(visit, outcome), ...inLanguage, 'Content-Type': 'application/json' }
  return new Response(JSON.stringify(placeJson(visit, outcome)), { headers })
}

/** Gives up a place or a session. The place of a session is free once no edge can hold a lease on it. */
export async function leave(visit: Visit, room: RoomClient): Promise<Response> {
  if (isOfAnotherSite(visit, room)) {
    const language = languageFor(visit, room.settings.config)
    const title = language.texts.problems.otherSite
    return problemResponse({ status: 403, type: 'about:blank', title, headers: languageHeaders(language) })
  }
  const carried = await carriedBy(visit, room)
  const mayAsk = (sid: string) => room.spend(`leave/${sid}`, LEAVES, visit.nowMs) === 0
  const sid = carried.pass?.value.sid
  if (sid !== undefined && mayAsk(sid)) await room.sessions.end(visit, sid, 'left')
  const { ticket } = ofThisGeneration(carried, room.view)
  if (ticket && mayAsk(ticket.sid)) await leaveLine(visit, room, ticket)
  const headers = new Headers({ 'Cache-Control': 'no-store' })
  if (mayGiveCookie(visit, room.settings.config))
    headers.append('Set-Cookie', clearCookie(room.settings.config, visit.url))
  return new Response(null, { status: 204, headers })
}

/**
 * Whether a request comes from a page of another site, which may send cookies that are `SameSite=None`. The sites of
 * `cors_origins` are allowed.
 */
function isOfAnotherSite(visit: Visit, room: RoomClient): boolean {
  return isCrossSite(visit) && !room.settings.config.cors_origins.includes(visit.request.headers.get('Origin') ?? '')
}

/** Answers a poll without a ticket: cookies are off, or the ticket was of another generation of the room. */
function withoutPlace(room: RoomClient, nowMs: number): Response {
  return json({ ...insideJson(room, nowMs), state: 'none' })
}

function json(body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'X-Robots-Tag': 'noindex',
      ...OWN_HEADERS,
      ...headers,
    },
  })
}
