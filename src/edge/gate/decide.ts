/**
 * The gate: who may pass to the origin, and what everybody else is told. This is the decision table of a room.
 *
 * | the visitor has            | and                              | then                                              |
 * |----------------------------|----------------------------------|---------------------------------------------------|
 * | a pass, expired or not     | a lease with requests left       | proxy, nobody is asked                            |
 * | any                        | suspended, bypassed, a preflight | proxy                                             |
 * | a pass, expired or not     | no lease, or none left           | one touch: proxy, or go on as if there was none   |
 * | a ticket                   | its session has begun before     | as with its pass                                  |
 * | a pass                     | a rate limit says no             | 429; or the session ends, and there is a new place |
 * | nothing                    | http, and the host has https     | redirected there, for its cookie is another       |
 * | no pass                    | a prefetch                       | short 503, no place is taken for it               |
 * | no pass                    | the room is open, or called      | one claim: proxy with a pass, or go on            |
 * | a place, or none yet       | a page or an API call            | the waiting page or JSON, with a ticket           |
 * | a place, or none yet       | a part of a page                 | short 503, no ticket                              |
 * | a place, or none yet       | the start of an event to come    | the same page or JSON; nobody is called before it |
 * | no pass                    | `passthrough`                    | proxy                                             |
 * | no place, no invitation    | `invite_only`                    | the page that says so or JSON, without a ticket   |
 * | no place                   | `reject`, not open, or no permit | the page that says so or JSON, without a ticket   |
 *
 * Nothing of a request reaches the origin by any other way (I3). A request with a lease waits for nothing; every other
 * decision needs a view at most a second old.
 */
import type { Pass } from '../../core/ticket.ts'
import type { KeyRing } from '../../tokens/keyring.ts'
import type { Refusal } from '../limits/limits.ts'
import { mayGiveCookie } from '../request/set-cookie.ts'
import { bypassFacts, isPrefetch, isPreflight, type Visit } from '../request/visit.ts'
import type { Lease } from '../room-client/memory.ts'
import { type RoomAtEdge, Unreachable } from '../room-client/room-client.ts'
import { goneOf, noteGone, placeAfter } from './ended-session.ts'
import { belongsOnHttps, noteHttps } from './https-redirect.ts'
import { invitedBy } from './invitation.ts'
import { type NetworkCheck, networkCheck } from './network-policies.ts'
import { networkOf } from './network-quota.ts'
import { type Carried, carriedBy, ofThisGeneration } from './presented-tokens.ts'
import type { Verdict } from './verdict.ts'
import { admitted, isKept, leaseOn, limitedBy, renewLease, soon, touch } from './with-pass.ts'
import { passesThrough, SHORT_RETRY_MS, stand } from './without-pass.ts'

/** Preflights carry no cookies, and go to the origin: an office at once, then a hundred a second, of one network and isolate. */
const PREFLIGHTS = { intervalMs: 10, burst: 1_000 }
/** A policy of a day sends nobody away for a day. */
const REQUEUED_MAX_MS = 10 * 60_000

export async function decide(visit: Visit, room: RoomAtEdge, ring: KeyRing): Promise<Verdict> {
  const network = room.limits.countsNetworks ? networkCheck(visit, room) : null
  if (!network) return decideWith(visit, room, ring, null)
  const verdict = await decideWith(visit, room, ring, network)
  network.settle(verdict.kind === 'admitted' || (verdict.kind === 'limited' && network.refusal === null))
  return verdict
}

async function decideWith(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  network: NetworkCheck | null,
): Promise<Verdict> {
  const carried = await carriedBy(visit, room, ring)
  const lease = carried.pass && leaseOn(visit, room, carried.pass.value.sid)
  // A lease has the settings renewed in passing; without one they are as old as the view.
  if (lease) room.renew(visit)
  else await currentFor(visit, room, carried.pass?.value ?? null)
  const open = openWay(visit, room)
  if (open) return open
  const isProtected = room.settings.isProtected(visit.readings)
  const refusal = carried.pass && network?.ask()
  if (refusal) return limitedBy(room, carried.pass?.value.sid ?? null, refusal)
  if (lease && carried.pass && (!isProtected || isKept(room, lease, visit.nowMs))) {
    const decided = byLease(visit, room, ring, carried.pass, lease)
    if (decided) return decided
  }
  const own = ofThisGeneration(carried, room.view)
  if (own.pass) {
    const inside = await withPass(visit, room, ring, own.pass, isProtected)
    if (inside.kind !== 'gone') return inside
  }
  const invited = await invitedBy(visit, room, ring)
  if (passesThrough(room, own.ticket, invited, visit.nowMs)) {
    room.count('passed_through')
    return { kind: 'proxy', why: 'passthrough' }
  }
  if (isPrefetch(visit.request.headers)) return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  const after = own.pass?.value.sid
  const ticket = (after === undefined ? null : placeAfter(visit, room, after)) ?? own.ticket
  noteHttps(visit, room)
  if (!ticket && !own.keepCookie && belongsOnHttps(visit, room)) return { kind: 'https', room }
  const requeuedBy = after === undefined ? null : goneOf(room, after, visit.nowMs)?.requeuedBy
  // Who was sent back to the line is told so before being let in again.
  const claims = !requeuedBy || visit.kind === 'subresource' ? 2 : 0
  const isReplaced = ticket !== own.ticket
  const keepCookie = own.keepCookie || !mayGiveCookie(visit, room.settings.config)
  const mayClaim = network ? () => network.ask() === null : undefined
  const more = { keepCookie, invited, charges: true, after, isReplaced, mayClaim }
  const stood = await stand(visit, room, ring, ticket, { claims, ...more })
  if (stood.kind !== 'admitted' && network?.refusal) return limitedBy(room, null, network.refusal)
  if (stood.kind === 'admitted' && stood.wasIn) return goOn(visit, room, ring, stood.pass, isProtected)
  const outcome = stood.kind === 'waiting' && requeuedBy ? { ...stood, requeuedBy } : stood
  if (outcome.kind === 'admitted' || visit.kind !== 'subresource') return outcome
  return { kind: 'turned-away', retryAfterMs: outcome.kind === 'waiting' ? outcome.pollAfterMs : outcome.retryAfterMs }
}

/** By what this isolate knows of a session; null when its door must be asked. */
function byLease(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  pass: Carried<Pass>,
  lease: Lease,
): Verdict | Promise<Verdict> | null {
  const taken = room.limits.take(visit, lease.limits, visit.nowMs)
  if (taken === 'ask') return null
  if (taken !== 'taken') return refuse(visit, room, ring, pass, taken)
  if (lease.renewMs <= visit.nowMs) renewLease(visit, room, pass.value)
  return admitted(visit, room, ring, pass, lease.expiresMs)
}

/** Asks the door about a session; what a policy of the room says holds. */
async function withPass(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  pass: Carried<Pass>,
  isProtected: boolean,
): Promise<Verdict | { readonly kind: 'gone' }> {
  const inside = await touch(visit, room, ring, pass, isProtected)
  return inside.kind === 'limited' && inside.by ? refuse(visit, room, ring, pass, inside.by.refusal) : inside
}

/** The ticket of a session that has begun is as good as its pass, and no better: whoever shows it again and again has one budget. */
async function goOn(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  text: string,
  isProtected: boolean,
): Promise<Verdict> {
  const token = await room.read(ring, text, visit.nowMs)
  if (token.kind !== 'pass') return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  const pass = { value: token.pass, text }
  const lease = leaseOn(visit, room, pass.value.sid)
  const isEnough = lease && (!isProtected || isKept(room, lease, visit.nowMs))
  const known = isEnough ? await byLease(visit, room, ring, pass, lease) : null
  const inside = known ?? (await withPass(visit, room, ring, pass, isProtected))
  if (inside.kind === 'admitted') return { ...inside, isNew: true }
  return inside.kind === 'gone' ? { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS } : inside
}

/** Waits for a view; but a session that may be inside not for long, for its door says what counts. */
async function currentFor(visit: Visit, room: RoomAtEdge, pass: Pass | null): Promise<void> {
  const current = room.current(visit)
  if (!pass || pass.expiresMs <= visit.nowMs) return current
  if ((await soon(current)) === 'late') visit.waitUntil(current)
}

/**
 * Proxied without a place: the room is not in force for this request. It is decided before anything that is known of a session, so that
 * a visitor inside is no worse off than a stranger.
 */
function openWay(visit: Visit, room: RoomAtEdge): Verdict | null {
  const { config, bypass } = room.settings
  if (config.suspended) return { kind: 'proxy', why: 'suspended' }
  if (bypass.length > 0 && isBypassed(visit, room)) return { kind: 'proxy', why: 'bypass' }
  return isPreflight(visit.request) ? preflight(visit, room) : null
}

function isBypassed(visit: Visit, room: RoomAtEdge): boolean {
  const rules = room.settings.bypass.filter(rule => rule.matchesPath(visit.readings))
  if (rules.length === 0) return false
  const facts = bypassFacts(visit)
  return rules.some(rule => rule.matchesFacts(facts))
}

/** A visitor whose address says nothing shares no limit with others. */
function preflight(visit: Visit, room: RoomAtEdge): Verdict {
  const { preflights, mode } = room.settings.config
  if (preflights === 'answer' && mode !== 'observe') return { kind: 'preflight', room }
  const network = room.settings.anonymous && networkOf(visit.address)
  const retryAfterMs = network ? room.spend(`preflight/${network}`, PREFLIGHTS, visit.nowMs) : 0
  return retryAfterMs > 0 ? { kind: 'limited', retryAfterMs, by: null } : { kind: 'proxy', why: 'preflight' }
}

/** A policy says no: the request is limited, or, where the policy says so, the session ends and the visitor stands at the back. */
async function refuse(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  carried: Carried<Pass>,
  refusal: Refusal,
): Promise<Verdict> {
  const { sid, expiresMs } = carried.value
  room.report(visit)
  if (!refusal.policy?.requeues) return limitedBy(room, sid, refusal)
  try {
    await room.end(visit, sid, 'revoked')
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return limitedBy(room, sid, refusal)
  }
  // A new session has a new budget: it must not come before the old one would have been whole again.
  const { intervalMs, burst } = refusal.policy.quota
  const behindMs = Math.min(REQUEUED_MAX_MS, Math.max(refusal.retryAfterMs, intervalMs * burst))
  noteGone(
    room,
    sid,
    { again: null, requeuedBy: refusal.name, forMs: Math.max(behindMs, expiresMs - visit.nowMs) },
    visit.nowMs,
  )
  room.limits.countRefusal(refusal)
  room.count('requeued')
  await room.current(visit)
  // Not by this request: in an open room it would be let in again at once.
  const invited = await invitedBy(visit, room, ring)
  const outcome = await stand(visit, room, ring, null, { claims: 0, keepCookie: false, invited, behindMs, after: sid })
  if (isPrefetch(visit.request.headers) || visit.kind === 'subresource')
    return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  return outcome.kind === 'waiting' ? { ...outcome, requeuedBy: refusal.name } : outcome
}
