/**
 * The decision about a visitor whose claim was refused, and the place at the front for a visitor whose session ended.
 */
import type { Snapshot } from '../protocol/messages.ts'
import type { Again } from '../session.ts'
import type { Ticket } from '../ticket.ts'
import type { StepRules } from './outsider.ts'
import { frontFor, refused } from './place.ts'
import { type ClaimStep, type RejectStep, unknownPlace, type WaitStep } from './steps.ts'
import { newTicket } from './tickets.ts'

/** The answer to a claim that did not admit its visitor. */
export type ClaimRefusal =
  /** The door has no permit. */
  | { readonly verdict: 'none' }
  /**
   * The session of this ticket is over. `again` is the place at the front, if its visitor may come back. `transferred`
   * means that the place is in another browser now.
   */
  | { readonly verdict: 'ended'; readonly again: Again | null; readonly transferred?: boolean }
  /** The door could not be asked. */
  | { readonly verdict: 'unreachable' }

export type AfterClaim =
  | RejectStep
  | WaitStep
  /** Decide again, with a place at the front of the line or without a place. */
  | { readonly kind: 'retry'; readonly ticket: Ticket | null }

/** Decides about a visitor whom a claim did not admit. */
export function afterClaim(claim: ClaimStep, refusal: ClaimRefusal, rules: StepRules, nowMs: number): AfterClaim {
  const { snapshot } = claim
  switch (refusal.verdict) {
    case 'ended': {
      if (refusal.transferred) return { kind: 'reject', why: 'transferred' }
      const { room } = claim.ticket
      return { kind: 'retry', ticket: refusal.again && ticketAgain(refusal.again, { room, snapshot, rules }, nowMs) }
    }
    case 'none':
    case 'unreachable': {
      const why = refusal.verdict === 'none' ? 'no-permit' : 'no-answer'
      if (claim.leaves) return { kind: 'reject', why }
      const ticket = refused(claim.ticket, snapshot, rules.claimWindowMs, nowMs)
      const place = ticket.byMs === null ? unknownPlace(ticket, nowMs) : claim.place
      const waits = { issued: claim.issued, confirms: false, delayMs: 0, isUnsolved: false } as const
      return { kind: 'wait', why, ticket, place, snapshot, ...waits }
    }
  }
}

/** Returns the place at the front for a visitor whose session has ended a moment ago. */
export function ticketAgain(
  again: Again,
  { room, snapshot, rules }: { readonly room: string; readonly snapshot: Snapshot | null; readonly rules: StepRules },
  nowMs: number,
): Ticket {
  const place = { ...frontFor(again, snapshot), byMs: nowMs + rules.claimWindowMs }
  // This visitor was already inside, so no new challenge is needed.
  return newTicket({ room, sid: again.sid, ...place, challenge: { state: 'solved' } }, snapshot, nowMs)
}
