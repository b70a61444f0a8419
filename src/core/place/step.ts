/**
 * The next step of a visitor without a pass: to be rejected, to get a place, to wait or to claim. These functions make
 * every such decision. The edge and the simulator only carry the steps out: they sign, count, draw and call.
 *
 * `nextStep` is called again after each step that brings something new: a ticket was issued, or a network was charged.
 * Each of these steps comes at most once before the next claim, and a request makes at most two claims.
 */
import type { Quota } from '../gcra.ts'
import type { Snapshot } from '../protocol/messages.ts'
import { MAIN_LANE, type Ticket } from '../ticket.ts'
import { POLL_WINDOW_SHARE } from './estimate.ts'
import {
  hasLane,
  isUninvited,
  mayClaim,
  type Outsider,
  type RoomNow,
  type StepRules,
  type WhyIssued,
} from './outsider.ts'
import { drawnMsOf, isUndrawn, nextPollMs, type Place, placeOf, refused, seen } from './place.ts'
import { excused } from './turn.ts'

export type WhyRejected =
  /** The room is for invited visitors only. */
  | 'uninvited'
  | 'invalid-invitation'
  /** The budget of the room is spent. */
  | 'sold-out'
  /** The room is not open, and keeps no line for newcomers. */
  | 'rejects-newcomers'
  /** The room keeps no line for newcomers, and no door has answered yet. */
  | 'no-snapshot'
  /** The room keeps no line for newcomers, and the door had no permit. */
  | 'no-permit'
  /** The room keeps no line for newcomers, and the door did not answer. */
  | 'no-answer'
  /** The room keeps no line for newcomers, and the network of the visitor has claimed too much. */
  | 'network-quota'

export type WhyWaiting =
  /** No door has answered this isolate yet. */
  | 'no-snapshot'
  /** The visitor was called, and did not come within the claim window. The ticket is a new one. */
  | 'missed'
  /** An invitation gave the visitor a new place in another lane. */
  | 'changed-lane'
  /** An event has not started. */
  | 'before-start'
  /** The place is not drawn or not counted yet. */
  | 'undrawn'
  | 'sold-out'
  /** The operator has stopped all admissions. */
  | 'held'
  /** The room is open, but a policy has ended an earlier session whose debt is not paid off yet. */
  | 'in-debt'
  | 'not-called'
  /** Called, but this request does not claim. */
  | 'called'
  /** Called, but the visitor is shown first why the session was ended. */
  | 'requeued'
  /** The door had no permit. */
  | 'no-permit'
  | 'no-answer'
  /** The network of the visitor has confirmed or claimed too much. */
  | 'network-quota'

export interface RejectStep {
  readonly kind: 'reject'
  readonly why: WhyRejected
}

export interface WaitStep {
  readonly kind: 'wait'
  readonly why: WhyWaiting
  readonly ticket: Ticket
  readonly place: Place
  /** The snapshot that decided. Null while no door has ever answered. */
  readonly snapshot: Snapshot | null
  readonly issued: WhyIssued | null
  /** True if the ticket becomes a part of the line with this step. The caller must count it. */
  readonly confirms: boolean
  /** The visitor must not poll before this time has passed. */
  readonly delayMs: number
}

export interface ClaimStep {
  readonly kind: 'claim'
  readonly ticket: Ticket
  readonly place: Place
  readonly snapshot: Snapshot
  readonly issued: WhyIssued | null
  /** True if the visitor leaves when the claim is refused. */
  readonly leaves: boolean
}

export type Step =
  | RejectStep
  | WaitStep
  | ClaimStep
  /** Issue a ticket, which replaces the present one. */
  | { readonly kind: 'issue'; readonly why: WhyIssued; readonly lane: string; readonly behindMs: number }
  /** Charge the network of the visitor for this ticket, to learn `delayMs`. */
  | { readonly kind: 'charge-network' }
  /** Admit the visitor without the room, within a quota of this isolate. Such a visitor is exempt from I1 and I2. */
  | { readonly kind: 'admit-locally'; readonly quota: Quota }

/** The time until the next try, where nothing is known that would give a better one. */
export const SHORT_RETRY_MS = 5_000
/** While the room cannot be reached, one isolate admits this share of the room's rate. */
const LOCAL_SHARE = 0.1
/** The time until the next poll varies by this share in both directions while no door has answered. */
const SHORT_RETRY_JITTER = 0.2
/** The place of a visitor whose real place is not known here. */
const NO_PLACE_YET = { state: 'waiting', ahead: 0, position: null, wait: null } as const

/**
 * Decides the next step of a visitor without a pass. Without a ticket the visitor gets one, or is rejected. A visitor
 * who missed the call gets a new place, or stands at the front again after missing it by a little.
 */
export function nextStep(ticket: Ticket | null, visitor: Outsider, room: RoomNow, nowMs: number): Step {
  const { snapshot, rules } = room
  if (!ticket && isUninvited(visitor, rules)) return rejectUninvited(visitor)
  if (admitsLocally(visitor, room)) return { kind: 'admit-locally', quota: localQuota(rules) }
  if (!snapshot) return withoutSnapshot(ticket, visitor, rules)
  if (snapshot.soldOut && rules.whenSoldOut === 'reject') return { kind: 'reject', why: 'sold-out' }
  if (!ticket) return issue('newcomer', visitor, rules)
  const place = placeOf(ticket, snapshot, rules.claimWindowMs, nowMs)
  const again = place.state === 'missed' && visitor.issued === null ? excused(ticket, rules, nowMs) : null
  if (again) return nextStep(again, visitor, room, nowMs)
  const replacement = visitor.issued === null ? replacementOf(ticket, place, visitor, rules) : null
  if (replacement) return replacement
  if (!room.isDoorEmpty || !snapshot.open) return withPlace({ ticket, place, snapshot, visitor }, room, nowMs)
  // A door without permits counts as closed until the next snapshot brings a frontier.
  const closed = { ...snapshot, open: false, lanes: {} }
  const placed = { ticket, place: placeOf(ticket, closed, rules.claimWindowMs, nowMs), snapshot: closed, visitor }
  return withPlace(placed, room, nowMs)
}

/** Returns the milliseconds until a waiting visitor should ask again. `random` is uniform in [0, 1). */
export function pollAfter(step: WaitStep, rules: StepRules, nowMs: number, random: number): number {
  const { ticket, place, snapshot, delayMs } = step
  if (!snapshot) return SHORT_RETRY_MS * (1 - SHORT_RETRY_JITTER + 2 * SHORT_RETRY_JITTER * random)
  const next = nextPollMs(ticket, place, snapshot, { nowMs, random })
  return Math.max(delayMs, Math.min(next, rules.claimWindowMs * POLL_WINDOW_SHARE))
}

/** Returns the place shown to a visitor who was refused a moment ago. The ticket keeps its real place. */
export function unknownPlace(ticket: Ticket, nowMs: number): Place {
  return { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
}

function rejectUninvited({ invitation }: Outsider): RejectStep {
  return { kind: 'reject', why: invitation === 'invalid' ? 'invalid-invitation' : 'uninvited' }
}

function admitsLocally(visitor: Outsider, { rules, snapshot, hasFailed }: RoomNow): boolean {
  if (!hasFailed || rules.onRoomFailure !== 'admit' || rules.ratePerMinute === 0 || snapshot?.soldOut) return false
  return mayClaim(visitor) && !visitor.isLocalSpent
}

function localQuota({ ratePerMinute }: StepRules): Quota {
  return { intervalMs: 60_000 / Math.max(1, ratePerMinute * LOCAL_SHARE), burst: 1 }
}

/** Decides while no door has answered this isolate yet. A ticket keeps its place. */
function withoutSnapshot(ticket: Ticket | null, visitor: Outsider, rules: StepRules): Step {
  if (ticket) {
    const { issued } = visitor
    const place = { ...NO_PLACE_YET, position: ticket.low }
    return { kind: 'wait', why: 'no-snapshot', ticket, place, snapshot: null, issued, confirms: false, delayMs: 0 }
  }
  return rules.newcomers === 'are rejected' ? { kind: 'reject', why: 'no-snapshot' } : issue('newcomer', visitor, rules)
}

/** An invitation to a lane that does not exist any more gives a place in the main lane. */
function issue(why: WhyIssued, visitor: Outsider, rules: StepRules): Step {
  const { invitedTo, behindMs } = visitor
  const lane = invitedTo !== null && hasLane(rules, invitedTo) ? invitedTo : MAIN_LANE
  return { kind: 'issue', why, lane, behindMs }
}

/** Returns the step for a ticket that another one must replace, or null. */
function replacementOf(ticket: Ticket, { state }: Place, visitor: Outsider, rules: StepRules): Step | null {
  const { invitedTo } = visitor
  if (state === 'missed')
    return isUninvited(visitor, rules) ? rejectUninvited(visitor) : issue('missed', visitor, rules)
  // A visitor keeps the lane when called, in a room that rejects newcomers, and when the cookie must stay as it is.
  const isKept = state === 'called' || rules.newcomers === 'are rejected' || visitor.keepsCookie
  const isOther = invitedTo !== null && invitedTo !== ticket.lane && hasLane(rules, invitedTo)
  return isOther && !isKept ? issue('changed-lane', visitor, rules) : null
}

/** A visitor with a ticket and its place. */
interface Placed {
  readonly ticket: Ticket
  readonly place: Place
  /** The snapshot of the ticket's door. */
  readonly snapshot: Snapshot
  readonly visitor: Outsider
}

function withPlace(placed: Placed, room: RoomNow, nowMs: number): Step {
  const { ticket, place, snapshot, visitor } = placed
  const { rules } = room
  const { issued } = visitor
  const isNewcomer = issued !== null
  const isCalled = place.state === 'called'
  const leaves = isNewcomer && rules.newcomers === 'are rejected'
  // The first use of a ticket counts against the quota of its network: when it is confirmed, or claims at once.
  const isFirstUse = isNewcomer ? isCalled : !ticket.confirmed
  if (isFirstUse && visitor.delayMs === null) return { kind: 'charge-network' }
  if (isFirstUse && visitor.delayMs) return delayed(placed, visitor.delayMs, rules, nowMs)
  if (isCalled && mayClaim(visitor)) return { kind: 'claim', ticket, place, snapshot, issued, leaves }
  if (leaves) return { kind: 'reject', why: 'rejects-newcomers' }
  const next = isNewcomer ? ticket : seen(ticket, place, rules.claimWindowMs, nowMs)
  const confirms = next.confirmed && !ticket.confirmed
  return { kind: 'wait', why: whyWaiting(placed, room), ticket: next, place, snapshot, issued, confirms, delayMs: 0 }
}

/** Beyond the quota of its network a ticket is counted, or claims, later. A visitor who is called keeps the turn. */
function delayed({ ticket, place, snapshot, visitor }: Placed, delayMs: number, rules: StepRules, nowMs: number): Step {
  const why = 'network-quota'
  const { issued } = visitor
  if (issued !== null && rules.newcomers === 'are rejected') return { kind: 'reject', why }
  const keepsTurn = issued === null && place.state === 'called'
  const kept = keepsTurn ? refused(ticket, snapshot, rules.claimWindowMs, nowMs) : ticket
  return {
    kind: 'wait',
    why,
    ticket: kept,
    place: unknownPlace(kept, nowMs),
    snapshot,
    issued,
    confirms: false,
    delayMs,
  }
}

function whyWaiting({ place, visitor }: Placed, { snapshot, isDoorEmpty }: RoomNow): WhyWaiting {
  if (place.state === 'called') return visitor.purpose === 'requeued' ? 'requeued' : 'called'
  if (place.state === 'missed' || visitor.issued === 'missed') return 'missed'
  if (visitor.issued === 'changed-lane') return 'changed-lane'
  if (typeof place.startsMs === 'number') return 'before-start'
  if (isUndrawn(place)) return 'undrawn'
  if (snapshot?.soldOut) return 'sold-out'
  if (snapshot?.held) return 'held'
  if (snapshot?.open) return isDoorEmpty ? 'no-permit' : 'in-debt'
  return 'not-called'
}
