/**
 * `POST /transfer?room=NAME&to=PATH`: returns a code by which another browser can take the place of this visitor. Until
 * that happens, the place stays here, and its page goes on polling.
 */
import type { Quota } from '../../core/gcra.ts'
import { CODE_CHARACTERS, CODE_FOR_MS, newCode } from '../../core/place/transfer.ts'
import { doorOf, lastingIdOf, type Ticket } from '../../core/ticket.ts'
import { stateOf } from '../answer/mark.ts'
import { isForProgram } from '../answer/outside.ts'
import { waitingHeaders } from '../answer/respond.ts'
import { networkDelayMs } from '../first-use/network-quota.ts'
import { invitedBy } from '../gate/invitation.ts'
import { carriedBy, ofThisGeneration, validPass } from '../gate/presented-tokens.ts'
import type { Waiting } from '../gate/verdict.ts'
import { withoutPass } from '../gate/without-pass.ts'
import { onwardUrl } from '../pages/addresses.ts'
import { codePage, codePart, linkOf } from '../pages/place/transfer.ts'
import { OWN_HEADERS, problemResponse, tooMany, tryAgainShortly } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { type Answer, isOfAnotherOrigin, ofAnotherOrigin } from './poll.ts'

/**
 * Quotas of codes for one place, and for one network, at one isolate. Each code costs a call to the door, and a row.
 */
const CODES_OF_PLACE: Quota = { intervalMs: 10_000, burst: 5 }
const CODES_OF_NETWORK: Quota = { intervalMs: 1_000, burst: 60 }
/** A longer path is not stored. Then the other browser begins at the first page of the room. */
const PATH_MAX = 1_000

export async function offerTransfer(visit: Visit, room: RoomClient): Promise<Answer> {
  if (isOfAnotherOrigin(visit, room)) return ofAnotherOrigin(visit, room)
  await room.sync.current(visit)
  const waiting = await waitingNow(visit, room)
  if (!waiting) return withoutPlace(visit, room)
  const retryAfterMs = delayMs(visit, room, waiting.ticket)
  if (retryAfterMs > 0) return ['limited', tooMany('Too many codes', retryAfterMs)]
  const { sid, takenMs, transfers } = waiting.ticket
  const offer = {
    code: newCode(doorOf(sid), crypto.getRandomValues(new Uint8Array(CODE_CHARACTERS))),
    sid,
    ...(takenMs === undefined ? {} : { takenMs }),
    ...(transfers === undefined ? {} : { transfers }),
    token: await room.tokens.signTicket(waiting.ticket),
    to: destination(visit, room),
  }
  const { verdict } = await room.sessions.offerTransfer(visit, offer)
  switch (verdict) {
    case 'offered':
      return [stateOf(waiting), await shown(visit, waiting, offer)]
    case 'over':
      return withoutPlace(visit, room)
    case 'full':
      return ['unavailable', tryAgainShortly()]
  }
}

/** Returns the place of a visitor in line, as a poll would. Returns null if the visitor is not in line. */
async function waitingNow(visit: Visit, room: RoomClient): Promise<Waiting | null> {
  const carried = await carriedBy(visit, room)
  const { ticket } = ofThisGeneration(carried, room.snapshot)
  if (validPass(carried, visit.nowMs) || !ticket) return null
  const invited = await invitedBy(visit, room)
  const tokens = { ticket, inCookie: ticket, keepCookie: carried.keepCookie, invited }
  const outcome = await withoutPass(visit, room, tokens, { purpose: 'poll' })
  return outcome.kind === 'waiting' ? outcome : null
}

function delayMs(visit: Visit, room: RoomClient, ticket: Ticket): number {
  const ofPlaceMs = room.spendOrWaitMs(`codes/${lastingIdOf(ticket)}`, CODES_OF_PLACE, visit.nowMs)
  return ofPlaceMs > 0 ? ofPlaceMs : networkDelayMs(visit, room, 'codes-of-network', CODES_OF_NETWORK)
}

function destination(visit: Visit, room: RoomClient): string {
  const to = onwardUrl(visit, room)
  return to.length <= PATH_MAX ? to : room.settings.config.path
}

/** Shows a code: to the page's script as a part of the waiting page, to a program as JSON, otherwise as a page. */
async function shown(
  visit: Visit,
  waiting: Waiting,
  { code, to }: { readonly code: string; readonly to: string },
): Promise<Response> {
  const { room } = waiting
  const headers = waitingHeaders(visit, waiting)
  if (visit.url.searchParams.get('part') === '1') {
    const part = codePart(visit, room, code)
    return new Response(part, { headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' } })
  }
  if (isForProgram(visit)) {
    const body = { room: room.name, code, url: linkOf(visit, room, code), expiresInSeconds: CODE_FOR_MS / 1_000 }
    return Response.json(body, { headers })
  }
  const page = await codePage(visit, room, { code, state: stateOf(waiting), to })
  return new Response(page.html, { headers: { ...headers, ...page.headers } })
}

/** Sends a browser to its page, which explains where the place is. */
function withoutPlace(visit: Visit, room: RoomClient): Answer {
  if (visit.isForm) {
    const headers = { Location: onwardUrl(visit, room), 'Cache-Control': 'no-store', ...OWN_HEADERS }
    return ['redirect', new Response(null, { status: 303, headers })]
  }
  const title = 'There is no place in line here that another browser could take'
  return ['none', problemResponse({ status: 409, type: 'about:blank', title })]
}
