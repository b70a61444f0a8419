/**
 * The poll of a waiting visitor, and how a visitor leaves. A poll makes no call of its own, but waits for a new
 * snapshot if the last one is old. With `claim=1` it claims once the visitor is called.
 */
import { passesThrough } from '../../core/place/outsider.ts'
import { PASS_ENDS_EARLY_MS, type Pass } from '../../core/ticket.ts'
import { limitedResponse } from '../answer/limited.ts'
import { stateOf, statusOf } from '../answer/mark.ts'
import { addTokens, tokenHeaders } from '../answer/respond.ts'
import { solvesInMs, withSolution } from '../first-use/challenge.ts'
import { invitedBy } from '../gate/invitation.ts'
import { carriedBy, ofThisGeneration, validPass } from '../gate/presented-tokens.ts'
import { leaveLine } from '../gate/tickets.ts'
import { noteVerdict, type PollVerdict } from '../gate/verdict.ts'
import { withoutPass } from '../gate/without-pass.ts'
import type { State } from '../mark.ts'
import { onwardUrl } from '../pages/addresses.ts'
import { leftPage } from '../pages/place/left.ts'
import { insideJson, placeJson, rejectedJson } from '../pages/place-json.ts'
import { OWN_HEADERS, problemResponse, seconds, tryAgainShortly } from '../problem.ts'
import { clearCookie } from '../request/cookies.ts'
import { isCrossSite, mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageFor } from '../texts/choose.ts'
import { languageHeaders } from '../texts/language.ts'

/**
 * A poll may come after this share of the time that it was given, because clocks and timers of browsers are not exact.
 */
const EARLY_SHARE = 0.5
/** How often one session or place may be left at one isolate. More calls would change nothing. */
const LEAVES = { intervalMs: 60_000, burst: 3 }

/** An answer of a room, and the state for its mark. */
export type Answer = readonly [state: State, response: Response]

/** A solution of a challenge, as the visitor sent it. */
interface Given {
  readonly solution: unknown
}

/** Answers a poll. If it brings a right solution, the place counts from now on. */
export async function status(visit: Visit, room: RoomClient, given: Given | null = null): Promise<Answer> {
  await room.sync.current(visit)
  room.count('polls')
  const verdict = await decidePoll(visit, room, given)
  noteVerdict(visit, room, verdict)
  return [stateOf(verdict), await answer(visit, room, verdict)]
}

async function decidePoll(visit: Visit, room: RoomClient, given: Given | null): Promise<PollVerdict> {
  const { nowMs } = visit
  const carried = await carriedBy(visit, room)
  const { suspended, mode } = room.settings.config
  // A suspended or observing room keeps no visitor on its page.
  if (suspended) return { kind: 'inside', why: 'suspended' }
  if (mode === 'observe') return { kind: 'inside', why: 'observe' }
  const pass = validPass(carried, nowMs)
  if (pass) return { kind: 'inside', why: 'pass', endsMs: endOf(room, pass) }
  const invited = await invitedBy(visit, room)
  const { ticket } = ofThisGeneration(carried, room.snapshot)
  if (passesThrough(ticket, { invitation: invited.kind }, room.settings.at(nowMs).step))
    return { kind: 'inside', why: 'passthrough' }
  // This isolate may be unable to read the token yet, so the cookie and the page stay as they are.
  if (!ticket && carried.keepCookie) return { kind: 'unreadable', why: 'unknown-token' }
  if (!ticket) return { kind: 'no-place', why: 'no-ticket' }
  const earlyMs = given ? solvesInMs(visit, room, ticket) : room.places.pollsInMs(ticket, nowMs)
  if (earlyMs > 0) return { kind: 'too-early', why: 'pace', retryAfterMs: earlyMs }
  const purpose = visit.url.searchParams.get('claim') === '1' ? 'claim' : 'poll'
  const tested = given ? await withSolution(visit, room, ticket, given.solution) : ticket
  const shown = { ticket: tested, inCookie: ticket, keepCookie: carried.keepCookie, invited }
  const outcome = await withoutPass(visit, room, shown, { purpose })
  if (outcome.kind === 'waiting') room.places.notePoll(outcome.ticket, nowMs + outcome.pollAfterMs * EARLY_SHARE)
  return outcome
}

/**
 * Returns when a session ends, as far as this isolate knows. It may end later than the visitor's pass, which may be
 * older than the last renewal.
 */
function endOf(room: RoomClient, { sid, expiresMs }: Pass): number {
  return Math.max(expiresMs, (room.sessions.peek(sid)?.expiresMs ?? 0) - PASS_ENDS_EARLY_MS)
}

function answer(visit: Visit, room: RoomClient, verdict: PollVerdict): Response | Promise<Response> {
  const language = languageFor(visit, room.settings.config)
  const inLanguage = languageHeaders(language)
  switch (verdict.kind) {
    case 'inside':
      return json(insideJson(visit, room, verdict.why === 'pass' ? verdict.endsMs : null))
    case 'admitted': {
      const response = json(insideJson(visit, room))
      addTokens(visit, response.headers, [verdict])
      return response
    }
    case 'waiting':
      return json(placeJson(visit, verdict), {
        ...inLanguage,
        ...comeAgain(verdict.pollAfterMs),
        ...tokenHeaders(visit, verdict),
      })
    case 'rejected':
      return json(rejectedJson(visit, verdict), { ...inLanguage, ...comeAgain(verdict.retryAfterMs) })
    case 'limited':
      return limitedResponse(visit, verdict)
    case 'no-place':
      return json({ ...insideJson(visit, room), state: 'none', text: language.texts.none })
    case 'unreadable':
      return tryAgainShortly()
    case 'too-early': {
      const { retryAfterMs } = verdict
      const { tooFast: title, again: detail } = language.texts.problems
      const more = { ...statusOf(visit, room, 'limited'), cfWaitingRoom: { inWaitingRoom: true } }
      const problem = { status: 429, type: 'quota-exceeded', title, detail, retryAfterMs, more } as const
      return problemResponse({ ...problem, headers: inLanguage })
    }
  }
}

/** Gives up a place or a session. The place of a session is free once no edge can hold a lease on it. */
export async function leave(visit: Visit, room: RoomClient): Promise<Answer> {
  if (isOfAnotherOrigin(visit, room)) return ofAnotherOrigin(visit, room)
  const carried = await carriedBy(visit, room)
  const mayAsk = (sid: string) => room.spendOrWaitMs(`leave/${sid}`, LEAVES, visit.nowMs) === 0
  const sid = carried.pass?.value.sid
  if (sid !== undefined && mayAsk(sid)) await room.sessions.end(visit, sid, 'left')
  const { ticket } = ofThisGeneration(carried, room.snapshot)
  if (ticket && mayAsk(ticket.sid)) await leaveLine(visit, room, ticket)
  const headers = new Headers({ 'Cache-Control': 'no-store' })
  if (mayGiveCookie(visit, room.settings.config))
    headers.append('Set-Cookie', clearCookie(room.settings.config, visit.url))
  if (!visit.isForm) return ['none', new Response(null, { status: 204, headers })]
  if (visit.url.searchParams.get('again') === '1') {
    headers.set('Location', onwardUrl(visit, room))
    return ['redirect', new Response(null, { status: 303, headers })]
  }
  const page = await leftPage(visit, room.settings.config, onwardUrl(visit, room))
  for (const [name, value] of Object.entries({ ...OWN_HEADERS, ...page.headers })) headers.set(name, value)
  return ['none', new Response(page.html, { headers })]
}

/** Returns the answer that refuses a change requested by a page of another origin. */
export function ofAnotherOrigin(visit: Visit, room: RoomClient): Answer {
  const language = languageFor(visit, room.settings.config)
  const title = language.texts.problems.otherSite
  return ['control', problemResponse({ status: 403, type: 'about:blank', title, headers: languageHeaders(language) })]
}

/**
 * True if a request comes from a page of another origin that `cors_origins` does not name. Even a page of the same site
 * may belong to another owner, and its requests carry the cookie.
 */
export function isOfAnotherOrigin(visit: Visit, room: RoomClient): boolean {
  const { headers } = visit.request
  const site = headers.get('Sec-Fetch-Site')
  const isOwn = site === null ? !isCrossSite(visit) : site === 'same-origin' || site === 'none'
  return !isOwn && !room.settings.config.cors_origins.includes(headers.get('Origin') ?? '')
}

/** The headers of every poll's answer. They are copied faster than a record of texts. */
const HEADERS = new Headers({
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Robots-Tag': 'noindex',
  ...OWN_HEADERS,
})

function json(body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  const response = new Response(JSON.stringify(body), { headers: HEADERS })
  for (const name in headers) response.headers.set(name, headers[name] ?? '')
  return response
}

function comeAgain(ms: number): { readonly 'Retry-After': string } {
  return { 'Retry-After': String(seconds(ms)) }
}
