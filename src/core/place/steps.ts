/** The steps that a visitor without a pass can take, and their reasons. */
import type { Quota } from '../gcra.ts'
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'
import type { Outsider, WhyIssued } from './outsider.ts'
import type { Place } from './place.ts'
import { drawnMsOf } from './place.ts'

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
  /** The room keeps no line for newcomers, and the visitor's network has claimed too often. */
  | 'network-quota'
  /** The place is in another browser now. */
  | 'transferred'

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
  /** The visitor is called, but must first see why the session was ended. */
  | 'requeued'
  /** The door had no permit. */
  | 'no-permit'
  | 'no-answer'
  /** The visitor's network has confirmed or claimed too often. */
  | 'network-quota'
  /** The visitor has not solved the challenge of the room yet. */
  | 'unsolved'
  /** The visitor gave a wrong solution, so the place never moves. */
  | 'failed-challenge'

export interface RejectStep {
  readonly kind: 'reject'
  readonly why: WhyRejected
}

export interface WaitStep {
  readonly kind: 'wait'
  readonly why: WhyWaiting
  readonly ticket: Ticket
  readonly place: Place
  /** The snapshot by which the step was decided. Null if no door has ever answered. */
  readonly snapshot: Snapshot | null
  readonly issued: WhyIssued | null
  /** True if the ticket becomes a part of the line with this step. The caller must count it. */
  readonly confirms: boolean
  /** The visitor must not poll before this time has passed. */
  readonly delayMs: number
  /** True if the ticket counts only once its visitor has solved a challenge. */
  readonly isUnsolved: boolean
}

export interface ClaimStep {
  readonly kind: 'claim'
  readonly ticket: Ticket
  readonly place: Place
  readonly snapshot: Snapshot
  readonly issued: WhyIssued | null
  /** True if a visitor whose claim is refused gets no place in line, and leaves. */
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
  /** Charge the network for a ticket that is to count without a solution, to learn `unsolvedDelayMs`. */
  | { readonly kind: 'charge-unsolved' }
  /** Admit the visitor without the room, within a quota of this isolate. Such a visitor is exempt from I1 and I2. */
  | { readonly kind: 'admit-locally'; readonly quota: Quota }

/** A visitor with a ticket and its place. */
export interface Placed {
  readonly ticket: Ticket
  readonly place: Place
  /** The snapshot of the ticket's door. */
  readonly snapshot: Snapshot
  readonly visitor: Outsider
}

/** The place of a visitor whose real place is not known here. */
export const NO_PLACE_YET = { state: 'waiting', ahead: 0, position: null, wait: null } as const

/** Returns the place shown to a visitor who was refused a moment ago. The ticket keeps its real place. */
export function unknownPlace(ticket: Ticket, nowMs: number): Place {
  return { ...NO_PLACE_YET, drawnMs: drawnMsOf(ticket, nowMs) }
}
