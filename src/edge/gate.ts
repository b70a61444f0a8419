/**
 * The gate: who may pass to the origin, and what everybody else is told. This is the decision table of a room.
 *
 * | the visitor has            | and                              | then                                              |
 * |----------------------------|----------------------------------|---------------------------------------------------|
 * | a valid pass               | a lease with requests left       | proxy, nobody is asked                            |
 * | any                        | suspended, bypassed, a preflight | proxy                                             |
 * | a pass, expired or not     | no lease, or none left           | one touch: proxy, or go on as if there was none   |
 * | a pass                     | a rate limit says no             | 429; or the session ends, and there is a new place |
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
import type { Again, View } from '../core/messages.ts'
import { drawnMsOf, nextPollMs, placeOf, refused, seen } from '../core/place.ts'
import { doorOf, type Pass, type Ticket } from '../core/ticket.ts'
import type { KeyRing } from '../tokens/keyring.ts'
import { passFor } from '../tokens/tokens.ts'
import { mayConfirm } from './anonymous.ts'
import { type Carried, carriedBy } from './carried.ts'
import { admitted, leaseOf, limitedBy, renewLease, signedPass, soon, touch } from './inside.ts'
import { invitedBy } from './invited.ts'
import { type Invited, type RoomAtEdge, Unreachable } from './isolate.ts'
import type { Refusal } from './limits.ts'
import { changesLane, confirm, giveUp, mint, newSid, signedTicket, ticketAgain } from './places.ts'
import { withPlace } from './prequeue.ts'
import type { Admitted, Rejected, Verdict, Waiting } from './verdict.ts'
import { bypassFacts, isPrefetch, isPreflight, type Visit } from './visit.ts'

/** Visitors without cookies may not flood what is not limited by a session: a hundred at once, then ten a second. */
const PREFLIGHTS = { intervalMs: 100, burst: 100 }
/** A pass for the time in which the room cannot be reached. */
const FALLBACK_PASS_MS = 60_000
const SHORT_RETRY_MS = 5_000
/** A policy of a day sends nobody away for a day. */
const REQUEUED_MAX_MS = 10 * 60_000
/** Who was rejected may come back at any time. This is for programs, which should not come at once. */
const REJECTED_RETRY_MS = 30_000
/** Refused a moment ago, or asked while no door answers: the place is held, and nothing is known of it. */
const NO_PLACE_YET = { state: 'waiting', ahead: 0, position: null, wait: null } as const

export async function decide(visit: Visit, room: RoomAtEdge, ring: KeyRing): Promise<Verdict> {
  const carried = await carriedBy(visit, room, ring)
  const isProtected = room.settings.isProtected(visit.readings.paths)
  const lease = carried.pass && leaseOf(visit, room, carried.pass.value)
  if (lease && carried.pass && !isProtected) {
    const taken = room.limits.take(visit, lease.limits, visit.nowMs)
    if (taken !== 'ask') room.renew(visit)
    if (taken === 'taken') {
      if (lease.renewMs <= visit.nowMs) renewLease(visit, room, carried.pass.value)
      return admitted(visit, room, ring, carried.pass, lease.expiresMs)
    }
    if (taken !== 'ask') return openWay(visit, room) ?? refuse(visit, room, ring, carried.pass, taken)
  }
  if (!lease) await currentFor(visit, room, carried.pass?.value ?? null)
  const open = openWay(visit, room)
  if (open) return open
  const own = ofThisGeneration(carried, room.view)
  let again: Again | null = null
  if (own.pass) {
    const inside = await touch(visit, room, ring, own.pass, isProtected)
    if (inside.kind === 'admitted') return inside
    if (inside.kind === 'limited') return inside.by ? refuse(visit, room, ring, own.pass, inside.by.refusal) : inside
    again = inside.again
  }
  const invited = await invitedBy(visit, room, ring)
  if (passesThrough(room, own.ticket, invited, visit.nowMs)) {
    room.count('passed_through')
    return { kind: 'proxy', why: 'passthrough' }
  }
  if (isPrefetch(visit.request.headers)) return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  const ticket = again ? ticketAgain(visit, room, again) : own.ticket
  const requeuedBy = own.pass ? room.memory.requeued.get(own.pass.value.sid) : undefined
  // Who was sent back to the line is told so before being let in again.
  const claims = requeuedBy === undefined || visit.kind === 'subresource' ? 2 : 0
  const stood = await stand(visit, room, ring, ticket, { claims, keepCookie: own.keepCookie, invited, charges: true })
  const outcome = stood.kind === 'waiting' && requeuedBy !== undefined ? { ...stood, requeuedBy } : stood
  if (outcome.kind === 'admitted' || visit.kind !== 'subresource') return outcome
  return { kind: 'turned-away', retryAfterMs: outcome.kind === 'waiting' ? outcome.pollAfterMs : outcome.retryAfterMs }
}

/**
 * One step of somebody who is not inside: their place as it is now, and a claim when they are called and may claim. Without
 * a ticket a place is taken now, or the visitor is rejected where newcomers do not wait. A visitor who missed the call gets a new
 * place and is told so. `claims` bounds the calls: a ticket whose
 * session has ended leads to a second one; `charges` when the request goes on with it.
 */
export async function stand(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  carried: Ticket | null,
  options: { claims: number; keepCookie: boolean; invited: Invited; charges?: boolean; behindMs?: number },
): Promise<Admitted | Waiting | Rejected> {
  const { nowMs } = visit
  const { claimWindowMs } = room.settings
  const { invited } = options
  if (!carried && isUninvited(room, invited)) return rejected(visit, room, invited)
  const mayAdmit = room.settings.config.on_room_failure === 'admit' && !room.view?.soldOut
  if (mayAdmit && options.claims > 0 && room.hasFailed(nowMs)) {
    const admitted = await admitLocally(visit, room, ring)
    if (admitted) return admitted
  }
  const rejects = room.settings.at(nowMs).newcomers === 'are rejected'
  if (!room.view) return carried || !rejects ? withoutView(visit, room, ring, carried, options) : rejected(visit, room)
  if (room.view.soldOut && room.settings.config.when_sold_out === 'reject') return rejected(visit, room)
  // Most rooms have no events: their polls wait for nothing.
  const held = carried && room.view.events ? await withPlace(carried, room.view, nowMs) : carried
  const standing = held && placeOf(held, room.view, claimWindowMs, nowMs).state
  const missed = standing === 'missed'
  if (missed && isUninvited(room, invited)) return rejected(visit, room, invited)
  // Who is called already has nothing to gain from another line; and a place is not given up for one that is not to be had, or that no cookie would keep.
  const isOffered = !rejects && !options.keepCookie
  const changes = held !== null && standing === 'waiting' && isOffered && changesLane(room, held, invited)
  if (changes) giveUp(room, held)
  let ticket = held && !missed && !changes ? held : await mint(visit, room, ring, room.view, invited, options.behindMs)
  const view = room.viewAt(doorOf(ticket.sid)) ?? room.view
  let place = placeOf(ticket, view, claimWindowMs, nowMs)
  const isNewcomer = ticket !== held
  // The first time that a ticket is of any use: what a network has too many of waits.
  const isFirst = isNewcomer || !ticket.confirmed
  const delayMs = isFirst && (!isNewcomer || place.state === 'called') ? mayConfirm(visit, room) : 0
  if (delayMs > 0) {
    room.count('delayed')
    if (rejects && isNewcomer) return rejected(visit, room)
    // Whose turn it is meanwhile does not lose it.
    if (place.state === 'called' && !isNewcomer) ticket = refused(ticket, view, claimWindowMs, nowMs)
    place = { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
  } else if (place.state === 'called' && options.claims > 0) {
    const claimed = await claim(visit, room, ring, ticket, { leaves: rejects && isNewcomer, charges: options.charges })
    if (claimed.kind === 'admitted') return claimed
    if (claimed.kind === 'ended') {
      const next = claimed.again ? ticketAgain(visit, room, claimed.again) : null
      return stand(visit, room, ring, next, { ...options, claims: options.claims - 1 })
    }
    if (rejects && isNewcomer) return rejected(visit, room)
    ticket = refused(ticket, view, claimWindowMs, nowMs)
    if (ticket.byMs === null) place = { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
  } else if (rejects && isNewcomer) return rejected(visit, room)
  else if (!isNewcomer) {
    ticket = seen(ticket, place, claimWindowMs, nowMs)
    if (ticket.confirmed && !held.confirmed) confirm(visit, room, ticket)
  }
  if (isNewcomer) room.count('minted')
  const changed = ticket !== carried && !options.keepCookie
  return {
    kind: 'waiting',
    room,
    ticket,
    token: changed ? await signedTicket(room, ring, ticket) : null,
    place,
    pollAfterMs: Math.max(delayMs, nextPollMs(ticket, place, view, nowMs, Math.random())),
    missed,
    invitation: invited.kind,
    requeuedBy: null,
    view,
  }
}

/** Nobody needs a place here; but where an invitation is needed, only who has one or has a place already goes without. */
export function passesThrough(room: RoomAtEdge, ticket: object | null, invited: Invited, nowMs: number): boolean {
  return room.settings.at(nowMs).newcomers === 'pass through' && (ticket !== null || !isUninvited(room, invited))
}

/** The room is for those invited, and this visitor is not, or not any more. Who has a place keeps it. */
function isUninvited(room: RoomAtEdge, invited: Invited): boolean {
  return room.settings.config.invite_only && invited.kind !== 'valid'
}

/** Waits for a view; but a session that may be inside not for long, for its door says what counts. */
async function currentFor(visit: Visit, room: RoomAtEdge, pass: Pass | null): Promise<void> {
  const current = room.current(visit)
  if (!pass || pass.expiresMs <= visit.nowMs) return current
  if ((await soon(current)) === 'late') visit.waitUntil(current)
}

/** Proxied without a place: the room is not in force for this request. */
function openWay(visit: Visit, room: RoomAtEdge): Verdict | null {
  const { config, bypass } = room.settings
  if (config.suspended) return { kind: 'proxy', why: 'suspended' }
  const { readings } = visit
  const [path] = readings.paths
  if (bypass.length > 0 && readings.single && path !== undefined) {
    const facts = bypassFacts(visit)
    if (bypass.some(rule => rule.matchesPath(path) && rule.matchesFacts(facts))) return { kind: 'proxy', why: 'bypass' }
  }
  if (isPreflight(visit.request)) {
    const retryAfterMs = room.spend(`preflight/${visit.address ?? ''}`, PREFLIGHTS, visit.nowMs)
    return retryAfterMs > 0 ? { kind: 'limited', retryAfterMs, by: null } : { kind: 'proxy', why: 'preflight' }
  }
  return null
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
  room.memory.gone.set(sid, expiresMs)
  room.memory.requeued.set(sid, refusal.name)
  room.count('requeued')
  await room.current(visit)
  if (isPrefetch(visit.request.headers) || visit.kind === 'subresource')
    return { kind: 'turned-away', retryAfterMs: SHORT_RETRY_MS }
  // Not by this request: in an open room it would be let in again at once.
  const invited = await invitedBy(visit, room, ring)
  // A new session has a new budget: it must not come before the old one would have been whole again.
  const { intervalMs, burst } = refusal.policy.quota
  const behindMs = Math.min(REQUEUED_MAX_MS, Math.max(refusal.retryAfterMs, intervalMs * burst))
  const outcome = await stand(visit, room, ring, null, { claims: 0, keepCookie: false, invited, behindMs })
  return outcome.kind === 'waiting' ? { ...outcome, requeuedBy: refusal.name } : outcome
}

type Claimed = Admitted | { kind: 'refused' } | { kind: 'ended'; again: Again | null }

function rejected(visit: Visit, room: RoomAtEdge, invited?: Invited): Rejected {
  if (visit.kind !== 'subresource') room.count('rejected')
  return {
    kind: 'rejected',
    room,
    retryAfterMs: REJECTED_RETRY_MS,
    view: room.view,
    soldOut: room.view?.soldOut ?? false,
    uninvited: invited && invited.kind !== 'valid' ? invited.kind : null,
  }
}

async function claim(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  ticket: Ticket,
  { leaves, charges }: { leaves: boolean; charges?: boolean | undefined },
): Promise<Claimed> {
  const { sid, key, lane, takenMs, generation } = ticket
  // The request that comes in with a claim is the session's first.
  const asks = charges ? room.limits.claimAsks(visit, room.sessionOf(sid).limits, visit.nowMs) : []
  try {
    const more = {
      ...(leaves ? { leaves } : {}),
      ...(takenMs === undefined ? {} : { takenMs }),
      ...(asks.length > 0 ? { asks } : {}),
    }
    const answer = await room.claim(visit, { sid, key, lane, generation, ...more })
    if (answer.verdict !== 'admitted') room.memory.leases.delete(sid)
    else if (charges) room.limits.countClaimed(visit)
    if (answer.verdict === 'none') return { kind: 'refused' }
    if (answer.verdict === 'ended') return { kind: 'ended', again: answer.again }
    const inside = answer.sid ?? sid
    const pass = passFor(room.name, inside, generation, answer.issuedMs, answer.expiresMs)
    const text = await signedPass(room, ring, pass)
    return { kind: 'admitted', room, sid: inside, pass: text, isNew: true, justIn: true, fallback: false }
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return { kind: 'refused' }
  }
}

/** `on_room_failure = "admit"`: a bounded rate per isolate, with passes of a minute, exempt from I1 and I2 by name. */
async function admitLocally(visit: Visit, room: RoomAtEdge, ring: KeyRing): Promise<Admitted | null> {
  const { config, event } = room.settings.at(visit.nowMs)
  const rate = event?.isPrequeue ? 0 : config.new_users_per_minute
  const quota = { intervalMs: 60_000 / Math.max(1, rate / 10), burst: 1 }
  if (rate === 0 || config.queue_all || room.spend('admit', quota, visit.nowMs) > 0) return null
  room.count('fallback')
  const sid = newSid(room, visit)
  const generation = room.view?.generation ?? 0
  const pass = { room: room.name, sid, generation, issuedMs: visit.nowMs, expiresMs: visit.nowMs + FALLBACK_PASS_MS }
  return { kind: 'admitted', room, sid, pass: await signedPass(room, ring, pass), isNew: true, fallback: true }
}

/** No door has answered this isolate yet: the place is held all the same. */
async function withoutView(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
  held: Ticket | null,
  options: { keepCookie: boolean; invited: Invited },
): Promise<Waiting> {
  const ticket = held ?? (await mint(visit, room, ring, null, options.invited))
  return {
    kind: 'waiting',
    room,
    ticket,
    token: held || options.keepCookie ? null : await signedTicket(room, ring, ticket),
    place: { ...NO_PLACE_YET, position: ticket.low },
    pollAfterMs: SHORT_RETRY_MS * (0.8 + 0.4 * Math.random()),
    missed: false,
    invitation: options.invited.kind,
    requeuedBy: null,
    view: null,
  }
}

/** A token of an older generation is void. One of a newer may be news to this isolate only: its cookie stays. */
function ofThisGeneration(carried: Awaited<ReturnType<typeof carriedBy>>, view: View | null) {
  const { pass, ticket, keepCookie } = carried
  if (!view) return { pass, ticket: ticket?.value ?? null, keepCookie }
  const isNewer = [pass, ticket].some(token => token && token.value.generation > view.generation)
  return {
    pass: pass?.value.generation === view.generation ? pass : null,
    ticket: ticket?.value.generation === view.generation ? ticket.value : null,
    keepCookie: keepCookie || isNewer,
  }
}
