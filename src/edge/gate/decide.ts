/**
 * The gate decides which requests pass to the origin, and what the other visitors get. This is the decision table of
 * a room.
 *
 * | the visitor has            | and                              | then                                              |
 * |----------------------------|----------------------------------|---------------------------------------------------|
 * | anything                   | suspended or bypassed            | proxy                                             |
 * | anything                   | a preflight                      | proxy within a limit, or the room answers it      |
 * | no cookie of ours          | a form of another site           | a page of ours that sends it once more            |
 * | a pass, expired or not     | a lease with requests left       | proxy, without a call to the door                 |
 * | a pass, expired or not     | no lease, or none left           | the door is asked: proxy, or go on without a pass |
 * | a pass                     | beyond a rate limit              | 429; or the session ends, with a new place        |
 * | no pass                    | `passthrough`                    | proxy                                             |
 * | no pass                    | a prefetch                       | short 503, and no place is taken for it           |
 * | nothing                    | http, and the host has https     | a redirect to https, which has another cookie     |
 * | a ticket                   | its session has begun before     | as with its pass                                  |
 * | no pass                    | the room is open, or called      | a claim: proxy with a pass, or go on              |
 * | a place, or none yet       | a page or an API call            | the waiting page or JSON, with a ticket           |
 * | a place, or none yet       | a part of a page                 | short 503, no ticket                              |
 * | a place, or none yet       | the start of an event to come    | the same page or JSON, and no call before it      |
 * | no place, no invitation    | `invite_only`                    | a page or JSON that explains it, without a ticket |
 * | no place                   | `reject`, not open, or no permit | a page or JSON that explains it, without a ticket |
 *
 * No request reaches the origin in any other way (I3). A request with a lease waits for no answer. Every other request
 * first waits for a snapshot that is at most a second old. A request with a valid pass waits for it at most 150 ms.
 * If no door answers, the last snapshot counts.
 */
import { passesThrough } from '../../core/place/outsider.ts'
import { SHORT_RETRY_MS } from '../../core/place/step.ts'
import type { Pass } from '../../core/ticket.ts'
import { isPrefetch } from '../request/kind.ts'
import { isCarriable } from '../request/sent-form.ts'
import { isCrossSite, mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { letBy } from './bypass.ts'
import { asksBeforeClaim } from './confirm.ts'
import { belongsOnHttps, noteHttps } from './https-redirect.ts'
import { invitedBy } from './invitation.ts'
import { type NetworkCheck, networkCheck } from './network-policies.ts'
import { carriedBy, ofThisGeneration, readsHeader } from './presented-tokens.ts'
import { awaitBriefly, leaseOn } from './session.ts'
import { placeAfter } from './tickets.ts'
import {
  type Admitted,
  type Limited,
  limitedBy,
  noteVerdict,
  type Rejected,
  type Verdict,
  type Waiting,
} from './verdict.ts'
import { asWithPass, byDoor, byLease } from './with-pass.ts'
import { withoutPass } from './without-pass.ts'

export async function decide(visit: Visit, room: RoomClient): Promise<Verdict> {
  const network = room.limits.countsNetworks ? networkCheck(visit, room) : null
  const verdict = await decideIn(visit, room, network)
  noteVerdict(visit, room, verdict)
  network?.settle(verdict.kind === 'admitted' || (verdict.kind === 'limited' && network.refusal === null))
  return verdict
}

async function decideIn(visit: Visit, room: RoomClient, network: NetworkCheck | null): Promise<Verdict> {
  const carried = await carriedBy(visit, room)
  await awaitSnapshot(visit, room, carried.pass?.value ?? null)
  const byRule = letBy(visit, room)
  if (byRule) return byRule
  if (isForeignForm(visit, room)) return { kind: 'resubmit', why: 'foreign-form', room }
  const refusal = carried.pass && network?.ask()
  if (refusal) return limitedBy(room, carried.pass?.value.sid ?? null, refusal)
  const leased = carried.pass && (await byLease(visit, room, carried.pass))
  if (leased) return leased
  const own = ofThisGeneration(carried, room.snapshot)
  const inside = own.pass && (await byDoor(visit, room, own.pass))
  return inside ?? outside(visit, room, own)
}

/**
 * True for a form from which a browser may have left out our cookie, because a page of another site has sent it: a
 * payment that returns, or a sign-in. When a page of ours sends it once more, it brings the cookie if there is one.
 */
function isForeignForm(visit: Visit, room: RoomClient): boolean {
  if (visit.form !== null || visit.isSafe || !isCarriable(visit) || !isCrossSite(visit)) return false
  const { config } = room.settings
  const isOpenToAll = config.mode === 'observe' || room.settings.at(visit.nowMs).step.newcomers === 'pass through'
  return !isOpenToAll && !mayGiveCookie(visit, config)
}

/** Waits for a snapshot that is new enough for this visitor. */
async function awaitSnapshot(visit: Visit, room: RoomClient, pass: Pass | null): Promise<void> {
  // A request with a lease does not wait: the snapshot is renewed in the background.
  if (pass && leaseOn(visit, room, pass.sid)) return room.sync.refreshInBackground(visit)
  const current = room.sync.current(visit)
  // A request with a valid pass waits only briefly, because its door decides, not the snapshot.
  if (!pass || pass.expiresMs <= visit.nowMs) return current
  if ((await awaitBriefly(current)) === 'late') visit.waitUntil(current)
}

/** Decides about a visitor who is not inside, or no longer inside. */
async function outside(visit: Visit, room: RoomClient, own: OwnTokens): Promise<Verdict> {
  const invited = await invitedBy(visit, room)
  if (passesThrough(own.ticket, { invitation: invited.kind }, room.settings.at(visit.nowMs).step)) {
    room.count('passed_through')
    return { kind: 'proxy', why: 'passthrough' }
  }
  if (isPrefetch(visit.request.headers))
    return { kind: 'turned-away', why: 'prefetch', retryAfterMs: SHORT_RETRY_MS, page: null }
  const after = own.pass?.value.sid
  const ticket = (after === undefined ? null : placeAfter(visit, room, after)) ?? own.ticket
  noteHttps(visit, room)
  if (!ticket && !own.keepCookie && belongsOnHttps(visit, room)) return { kind: 'https', why: 'newcomer', room }
  const over = after === undefined ? undefined : room.ended.find(after, visit.nowMs)
  const requeuedBy = over?.requeuedBy ?? null
  const isReached = mayGiveCookie(visit, room.settings.config) || readsHeader(visit, room)
  const keepCookie = own.keepCookie || !isReached
  // A visitor whom a policy sent back to the line must see the reason first. A later request may claim.
  const enters = asksBeforeClaim(visit, room.settings.at(visit.nowMs).config, ticket) ? 'poll' : 'enter'
  const purpose = requeuedBy && visit.kind !== 'subresource' ? 'requeued' : enters
  const shown = { ticket, inCookie: own.ticket, keepCookie, invited }
  const outcome = await withoutPass(visit, room, shown, { purpose, after })
  if (outcome.kind === 'admitted' && outcome.why === 'claimed-before') return asWithPass(visit, room, outcome.pass)
  if (visit.kind === 'subresource') return asPart(outcome)
  if (outcome.kind !== 'waiting' || !over) return outcome
  const endedByInactivity = over.byInactivity ? { isAtFront: over.again !== null } : null
  return { ...outcome, requeuedBy, endedByInactivity }
}

type OwnTokens = ReturnType<typeof ofThisGeneration>

/** Returns the verdict for a part of a page, which cannot explain to its visitor that there is a wait. */
function asPart(outcome: Admitted | Waiting | Rejected | Limited): Verdict {
  switch (outcome.kind) {
    case 'admitted':
    case 'limited':
      return outcome
    case 'waiting':
      return { kind: 'turned-away', why: outcome.why, retryAfterMs: outcome.pollAfterMs, page: outcome }
    case 'rejected':
      return { kind: 'turned-away', why: outcome.why, retryAfterMs: outcome.retryAfterMs, page: outcome }
  }
}
