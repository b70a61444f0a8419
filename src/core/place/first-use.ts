/**
 * The steps before a ticket is used for the first time, when it counts in the line or claims at once: its challenge is
 * solved, and its network is charged.
 */
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'
import { challenged, FAILED_POLL_MS, isUnsolved, mayCountUnsolved, UNSOLVED_POLL_MS } from './challenge.ts'
import type { StepRules } from './outsider.ts'
import { refused } from './place.ts'
import { NO_PLACE_YET, type Placed, type Step, unknownPlace, type WaitStep } from './steps.ts'

/** Returns the step before the first use of a ticket. Returns null when the ticket may be used. */
export function beforeFirstUse(placed: Placed, rules: StepRules, nowMs: number): Step | null {
  const { ticket, visitor } = placed
  if (isUnsolved(placed, rules.challenge)) {
    if (!mayCountUnsolved(ticket, nowMs)) return unsolved(placed, UNSOLVED_POLL_MS, rules, nowMs)
    if (visitor.unsolvedDelayMs === null) return { kind: 'charge-unsolved' }
    return unsolved(placed, Math.max(UNSOLVED_POLL_MS, visitor.unsolvedDelayMs), rules, nowMs)
  }
  if (visitor.delayMs === null) return { kind: 'charge-network' }
  return visitor.delayMs === 0 ? null : delayed(placed, visitor.delayMs, rules, nowMs)
}

/** Returns the step of a ticket whose place never moves. It keeps polling, and is counted in no line. */
export function standsStill(ticket: Ticket, snapshot: Snapshot): WaitStep {
  const still = { place: NO_PLACE_YET, snapshot, issued: null, confirms: false, isUnsolved: false } as const
  return { kind: 'wait', why: 'failed-challenge', ticket, ...still, delayMs: FAILED_POLL_MS }
}

/**
 * A ticket without a solution keeps its place, or its turn. A visitor who comes back without one must wait for the
 * quota.
 */
function unsolved(placed: Placed, delayMs: number, rules: StepRules, nowMs: number): WaitStep {
  const kept = keptTurn({ ...placed, ticket: challenged(placed.ticket, nowMs) }, rules, nowMs)
  return { ...kept, why: 'unsolved', delayMs: placed.visitor.issued === null ? delayMs : 0, isUnsolved: true }
}

/** A ticket that is beyond the quota of its network counts later, or claims later. */
function delayed(placed: Placed, delayMs: number, rules: StepRules, nowMs: number): Step {
  const why = 'network-quota'
  if (placed.visitor.issued !== null && rules.newcomers === 'are rejected') return { kind: 'reject', why }
  return { ...keptTurn(placed, rules, nowMs), why, delayMs, isUnsolved: false }
}

/** A called visitor keeps the turn. If the frontier has stepped back behind the visitor, there is no turn to miss. */
function keptTurn({ ticket, place, snapshot, visitor }: Placed, rules: StepRules, nowMs: number) {
  const { issued } = visitor
  const keepsTurn = issued === null && place.state === 'called'
  const kept = keepsTurn ? refused(ticket, snapshot, rules.claimWindowMs, nowMs) : { ...ticket, byMs: null }
  return { kind: 'wait', ticket: kept, place: unknownPlace(kept, nowMs), snapshot, issued, confirms: false } as const
}
