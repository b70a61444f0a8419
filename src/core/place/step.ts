/**
 * The next step of a visitor without a pass: to be rejected, to get a place, to wait or to claim. These functions make
 * every such decision. The edge and the simulator only carry the steps out: they sign, count, draw and call.
 *
 * `nextStep` is called again after each step that brings something new: a ticket was issued, or a network was charged.
 * Each of these steps comes at most once before the next claim, and a request makes at most two claims.
 */
import type { Quota } from '../gcra.ts'
import { MAIN_LANE, type Ticket } from '../ticket.ts'
import { challenged, isUnsolved, neverMoves, solved } from './challenge.ts'
import { beforeLapse } from './estimate.ts'
import { beforeFirstUse, standsStill } from './first-use.ts'
import { nextPollMs } from './next-poll.ts'
import {
  hasLane,
  isUninvited,
  mayClaim,
  type Outsider,
  type RoomNow,
  type StepRules,
  type WhyIssued,
} from './outsider.ts'
import { isUndrawn, type Place, placeOf, seen } from './place.ts'
import { NO_PLACE_YET, type Placed, type RejectStep, type Step, type WaitStep, type WhyWaiting } from './steps.ts'
import { isTransferred } from './transfer.ts'
import { excused } from './turn.ts'

/** The time until the next poll, if nothing is known from which to compute a better one. */
export const SHORT_RETRY_MS = 5_000
/** While the room cannot be reached, one isolate admits this share of the room's rate. */
const LOCAL_SHARE = 0.1
/** While no door has answered, the time until the next poll varies by this share in both directions. */
const SHORT_RETRY_JITTER = 0.2

/**
 * Decides the next step of a visitor without a pass. Without a ticket the visitor gets one, or is rejected. A visitor
 * who missed the call gets a new place, or stands at the front again after missing it by a little.
 */
export function nextStep(ticket: Ticket | null, visitor: Outsider, room: RoomNow, nowMs: number): Step {
  const { snapshot, rules } = room
  if (!ticket && isUninvited(visitor, rules)) return rejectUninvited(visitor)
  if (admitsLocally(visitor, room)) return { kind: 'admit-locally', quota: localQuota(rules) }
  if (!snapshot) return withoutSnapshot(ticket, visitor, rules)
  if (ticket && isTransferred(ticket, snapshot)) return { kind: 'reject', why: 'transferred' }
  if (snapshot.soldOut && rules.whenSoldOut === 'reject') return { kind: 'reject', why: 'sold-out' }
  if (!ticket) return issue('newcomer', visitor, rules)
  if (neverMoves(ticket, rules.challenge)) return standsStill(ticket, snapshot)
  const place = placeOf(ticket, snapshot, rules.claimWindowMs, nowMs)
  const again = place.state === 'missed' && visitor.issued === null ? excused(ticket, rules, nowMs) : null
  if (again) return nextStep(again, visitor, room, nowMs)
  const replacement = visitor.issued === null ? replacementOf(ticket, place, visitor, rules) : null
  if (replacement) return replacement
  if (!room.isDoorEmpty || !snapshot.open) return withPlace({ ticket, place, snapshot, visitor }, room, nowMs)
  // If the door has no permits, the room counts as closed until the next snapshot brings a frontier.
  const closed = { ...snapshot, open: false, lanes: {} }
  const placed = { ticket, place: placeOf(ticket, closed, rules.claimWindowMs, nowMs), snapshot: closed, visitor }
  return keepingTurn(withPlace(placed, room, nowMs), ticket)
}

/** A called visitor keeps the claim window while the frontier is not known. */
function keepingTurn(step: Step, { byMs }: Ticket): Step {
  return step.kind !== 'wait' || step.ticket.byMs === byMs ? step : { ...step, ticket: { ...step.ticket, byMs } }
}

/** Returns the milliseconds until a waiting visitor should ask again. `random` is uniform in [0, 1). */
export function pollAfter(step: WaitStep, rules: StepRules, nowMs: number, random: number): number {
  const { ticket, place, snapshot, delayMs } = step
  if (!snapshot) return SHORT_RETRY_MS * (1 - SHORT_RETRY_JITTER + 2 * SHORT_RETRY_JITTER * random)
  const next = nextPollMs(ticket, place, snapshot, { nowMs, random })
  return Math.max(delayMs, beforeLapse(next, rules.claimWindowMs, rules.missedGraceMs, random))
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
    const unknown = { place, snapshot: null, issued, confirms: false, delayMs: 0, isUnsolved: false } as const
    return { kind: 'wait', why: 'no-snapshot', ticket, ...unknown }
  }
  return rules.newcomers === 'are rejected' ? { kind: 'reject', why: 'no-snapshot' } : issue('newcomer', visitor, rules)
}

/** An invitation to a lane that was removed gives a place in the main lane. */
function issue(why: WhyIssued, visitor: Outsider, rules: StepRules): Step {
  const { invitedTo, behindMs } = visitor
  const lane = invitedTo !== null && hasLane(rules, invitedTo) ? invitedTo : MAIN_LANE
  return { kind: 'issue', why, lane, behindMs }
}

/** Returns the step that replaces a ticket by another one, or null if the ticket stays. */
function replacementOf(ticket: Ticket, { state }: Place, visitor: Outsider, rules: StepRules): Step | null {
  const { invitedTo } = visitor
  if (state === 'missed')
    return isUninvited(visitor, rules) ? rejectUninvited(visitor) : issue('missed', visitor, rules)
  // A visitor keeps the lane if called, if the room rejects newcomers, or if the cookie must stay as it is.
  const isKept = state === 'called' || rules.newcomers === 'are rejected' || visitor.keepsCookie
  const isOther = invitedTo !== null && invitedTo !== ticket.lane && hasLane(rules, invitedTo)
  return isOther && !isKept ? issue('changed-lane', visitor, rules) : null
}

function withPlace(found: Placed, room: RoomNow, nowMs: number): Step {
  // The quota of the visitor's network allowed this ticket to count without a solution.
  const placed = found.visitor.unsolvedDelayMs === 0 ? { ...found, ticket: solved(found.ticket) } : found
  const { ticket, place, snapshot, visitor } = placed
  const { rules } = room
  const { issued } = visitor
  const isNewcomer = issued !== null
  const isCalled = place.state === 'called'
  const leaves = isNewcomer && rules.newcomers === 'are rejected'
  const isFirstUse = isNewcomer ? isCalled : !ticket.confirmed
  const before = isFirstUse ? beforeFirstUse(placed, rules, nowMs) : null
  if (before) return before
  if (isCalled && mayClaim(visitor)) return { kind: 'claim', ticket, place, snapshot, issued, leaves }
  if (leaves) return { kind: 'reject', why: 'rejects-newcomers' }
  const why = whyWaiting(placed, room)
  const waits = { kind: 'wait', why, place, snapshot, issued, delayMs: 0 } as const
  if (isNewcomer && isUnsolved(placed, rules.challenge))
    return { ...waits, ticket: challenged(ticket, nowMs), confirms: false, isUnsolved: true }
  const next = isNewcomer ? ticket : seen(ticket, place, rules.claimWindowMs, nowMs)
  const confirms = next.confirmed && !ticket.confirmed
  return { ...waits, ticket: next, confirms, isUnsolved: false }
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
