/**
 * The gate decides which requests pass to the origin, and what the other visitors get. This is the decision table of
 * a room.
 *
 * | the visitor has            | and                              | then                                              |
 * |----------------------------|----------------------------------|---------------------------------------------------|
 * | anything                   | suspended or bypassed            | proxy                                             |
 * | anything                   | a preflight                      | proxy within a limit, or the room answers it      |
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
 * first waits for a view that is at most a second old. A request with a valid pass waits for it at most 150 ms.
 * If no door answers, the last view counts.
 */
import { passesThrough } from '../../core/place/outsider.ts'
import { SHORT_RETRY_MS } from '../../core/place/step.ts'
import type { Pass } from '../../core/ticket.ts'
import type { Refusal } from '../limits/limits.ts'
import { mayGiveCookie } from '../request/set-cookie.ts'
import { bypassFacts, isPrefetch, isPreflight, type Visit } from '../request/visit.ts'
import type { Lease } from '../room-client/memory.ts'
import { type RoomClient, Unreachable } from '../room-client/room-client.ts'
import { belongsOnHttps, noteHttps } from './https-redirect.ts'
import { invitedBy } from './invitation.ts'
import { type NetworkCheck, networkCheck } from './network-policies.ts'
import { networkOf } from './network-quota.ts'
import { type Carried, carriedBy, ofThisGeneration } from './presented-tokens.ts'
import { placeAfter } from './tickets.ts'
import type { Admitted, Limited, Rejected, Verdict, Waiting } from './verdict.ts'
import { admitted, isKept, leaseOn, limitedBy, renewLease, soon, touch } from './with-pass.ts'
import { withoutPass } from './without-pass.ts'

/**
 * Preflights carry no cookies and go to the origin. One network may send 1,000 at once (an office), then 100 per
 * second, at each isolate.
 */
const PREFLIGHTS = { intervalMs: 10, burst: 1_000 }
/** A requeued visitor stands at most 10 minutes behind a newcomer, even when the policy counts a whole day. */
const REQUEUED_MAX_MS = 10 * 60_000

export async function decide(visit: Visit, room: RoomClient): Promise<Verdict> {
  const network = room.limits.countsNetworks ? networkCheck(visit, room) : null
  if (!network) return decideWith(visit, room, null)
  const verdict = await decideWith(visit, room, network)
  network.settle(verdict.kind === 'admitted' || (verdict.kind === 'limited' && network.refusal === null))
  return verdict
}

async function decideWith(visit: Visit, room: RoomClient, network: NetworkCheck | null): Promise<Verdict> {
  const carried = await carriedBy(visit, room)
  const lease = carried.pass && leaseOn(visit, room, carried.pass.value.sid)
  // With a lease the view is renewed in the background. Without one the request waits for a current view.
  if (lease) room.sync.renew(visit)
  else await currentFor(visit, room, carried.pass?.value ?? null)
  const open = openWay(visit, room)
  if (open) return open
  const isProtected = room.settings.isProtected(visit.readings)
  const refusal = carried.pass && network?.ask()
  if (refusal) return limitedBy(room, carried.pass?.value.sid ?? null, refusal)
  if (lease && carried.pass && (!isProtected || isKept(room, lease, visit.nowMs))) {
    const decided = byLease(visit, room, carried.pass, lease)
    if (decided) return decided
  }
  const own = ofThisGeneration(carried, room.view)
  if (own.pass) {
    const inside = await withPass(visit, room, own.pass, isProtected)
    if (inside.kind !== 'gone') return inside
  }
  const invited = await invitedBy(visit, room)
  if (passesThrough(own.ticket, { invitation: invited.kind }, room.settings.at(visit.nowMs).step)) {
    room.count('passed_through')
    return { kind: 'proxy', why: 'passthrough' }
  }
  if (isPrefetch(visit.request.headers)) return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  const after = own.pass?.value.sid
  const ticket = (after === undefined ? null : placeAfter(visit, room, after)) ?? own.ticket
  noteHttps(visit, room)
  if (!ticket && !own.keepCookie && belongsOnHttps(visit, room)) return { kind: 'https', room }
  const requeuedBy = after === undefined ? null : room.ended.find(after, visit.nowMs)?.requeuedBy
  const keepCookie = own.keepCookie || !mayGiveCookie(visit, room.settings.config)
  // A visitor who was sent back to the line sees the reason first, and may claim with a later request.
  const purpose = requeuedBy && visit.kind !== 'subresource' ? 'requeued' : 'enter'
  const shown = { ticket, inCookie: own.ticket, keepCookie, invited }
  const stood = await withoutPass(visit, room, shown, { purpose, after })
  if (stood.kind === 'admitted' && stood.wasIn) return goOn(visit, room, stood.pass, isProtected)
  const outcome = stood.kind === 'waiting' && requeuedBy ? { ...stood, requeuedBy } : stood
  return visit.kind === 'subresource' ? asPart(outcome) : outcome
}

/** A part of a page cannot explain that its visitor waits. */
function asPart(outcome: Admitted | Waiting | Rejected | Limited): Verdict {
  switch (outcome.kind) {
    case 'admitted':
    case 'limited':
      return outcome
    case 'waiting':
      return { kind: 'turned-away', retryAfterMs: outcome.pollAfterMs }
    case 'rejected':
      return { kind: 'turned-away', retryAfterMs: outcome.retryAfterMs }
  }
}

/** Decides by the lease alone. Returns null when the door of the session must be asked. */
function byLease(visit: Visit, room: RoomClient, pass: Carried<Pass>, lease: Lease): Verdict | Promise<Verdict> | null {
  const taken = room.limits.take(visit, lease.limits, visit.nowMs)
  if (taken === 'ask') return null
  if (taken !== 'taken') return refuse(visit, room, pass, taken)
  if (lease.renewMs <= visit.nowMs) renewLease(visit, room, pass.value)
  return admitted(visit, room, pass, lease.expiresMs)
}

/** Asks the door about a session, and carries out the refusal of a policy. */
async function withPass(
  visit: Visit,
  room: RoomClient,
  pass: Carried<Pass>,
  isProtected: boolean,
): Promise<Verdict | { readonly kind: 'gone' }> {
  const inside = await touch(visit, room, pass, isProtected)
  return inside.kind === 'limited' && inside.by ? refuse(visit, room, pass, inside.by.refusal) : inside
}

/**
 * The ticket of a session that has begun is worth exactly as much as its pass: showing it again gives no second budget.
 */
async function goOn(visit: Visit, room: RoomClient, text: string, isProtected: boolean): Promise<Verdict> {
  const token = await room.tokens.read(text, visit.nowMs)
  if (token.kind !== 'pass') return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  const pass = { value: token.pass, text }
  const lease = leaseOn(visit, room, pass.value.sid)
  const isEnough = lease && (!isProtected || isKept(room, lease, visit.nowMs))
  const known = isEnough ? await byLease(visit, room, pass, lease) : null
  const inside = known ?? (await withPass(visit, room, pass, isProtected))
  if (inside.kind === 'admitted') return { ...inside, isNew: true }
  return inside.kind === 'gone' ? { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS } : inside
}

/**
 * Waits for a view. A request with a valid pass waits only for a short time, because its door decides, not the view.
 */
async function currentFor(visit: Visit, room: RoomClient, pass: Pass | null): Promise<void> {
  const current = room.sync.current(visit)
  if (!pass || pass.expiresMs <= visit.nowMs) return current
  if ((await soon(current)) === 'late') visit.waitUntil(current)
}

/**
 * Decides whether the room does not apply to this request. This comes before anything that is known of a session, so
 * that a visitor inside is no worse off than a stranger.
 */
function openWay(visit: Visit, room: RoomClient): Verdict | null {
  const { config, bypass } = room.settings
  if (config.suspended) return { kind: 'proxy', why: 'suspended' }
  if (bypass.length > 0 && isBypassed(visit, room)) return { kind: 'proxy', why: 'bypass' }
  return isPreflight(visit.request) ? preflight(visit, room) : null
}

function isBypassed(visit: Visit, room: RoomClient): boolean {
  const rules = room.settings.bypass.filter(rule => rule.matchesPath(visit.readings))
  if (rules.length === 0) return false
  const facts = bypassFacts(visit)
  return rules.some(rule => rule.matchesFacts(facts))
}

/** Limits preflights by network. A visitor whose network is unknown shares no limit with others. */
function preflight(visit: Visit, room: RoomClient): Verdict {
  const { preflights, mode } = room.settings.config
  if (preflights === 'answer' && mode !== 'observe') return { kind: 'preflight', room }
  const network = room.settings.anonymous && networkOf(visit.address)
  const retryAfterMs = network ? room.spend(`preflight/${network}`, PREFLIGHTS, visit.nowMs) : 0
  return retryAfterMs > 0 ? { kind: 'limited', retryAfterMs, by: null } : { kind: 'proxy', why: 'preflight' }
}

/**
 * A policy refuses the request. The request is limited; or, for a policy that requeues, the session ends and its
 * visitor goes to the back of the line.
 */
async function refuse(visit: Visit, room: RoomClient, carried: Carried<Pass>, refusal: Refusal): Promise<Verdict> {
  const { sid, expiresMs } = carried.value
  room.sync.report(visit)
  if (!refusal.policy?.requeues) return limitedBy(room, sid, refusal)
  try {
    await room.sessions.end(visit, sid, 'revoked')
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return limitedBy(room, sid, refusal)
  }
  // A new session has a new budget, so it must not begin before the old budget would be full again.
  const { intervalMs, burst } = refusal.policy.quota
  const behindMs = Math.min(REQUEUED_MAX_MS, Math.max(refusal.retryAfterMs, intervalMs * burst))
  room.ended.note(
    sid,
    { again: null, requeuedBy: refusal.name, forMs: Math.max(behindMs, expiresMs - visit.nowMs) },
    visit.nowMs,
  )
  room.limits.countRefusal(refusal)
  room.count('requeued')
  await room.sync.current(visit)
  const invited = await invitedBy(visit, room)
  const shown = { ticket: null, inCookie: null, keepCookie: false, invited }
  const outcome = await withoutPass(visit, room, shown, { purpose: 'requeued', behindMs, after: sid })
  if (isPrefetch(visit.request.headers) || visit.kind === 'subresource')
    return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  return outcome.kind === 'waiting' ? { ...outcome, requeuedBy: refusal.name } : outcome
}
