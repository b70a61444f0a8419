/** A visitor without a pass, and the room as an isolate knows it: all that decides about the visitor's next step. */
import type { Snapshot } from '../protocol/messages.ts'

/**
 * Why the visitor asks. `enter`: a request that goes on to the origin as soon as it is admitted. `claim`: a poll that
 * claims when the visitor is called. `poll`: a poll that only looks. `requeued`: a request whose session was ended by a
 * policy. Its visitor must see the reason before the next claim.
 */
export type Purpose = 'enter' | 'claim' | 'poll' | 'requeued'

/**
 * The most claims of one request. The first claim may find a session that has ended. Then the visitor has a new place,
 * which may be called too.
 */
const CLAIMS: Readonly<Record<Purpose, number>> = { enter: 2, claim: 1, poll: 0, requeued: 0 }

/** The settings that decide about visitors without a pass, as they are now. */
export interface StepRules {
  readonly claimWindowMs: number
  /** A visitor who misses the turn by less than this stands at the front again. 0 means that no visitor does. */
  readonly missedGraceMs: number
  /**
   * The treatment of a newcomer who cannot be admitted at once. As with Cloudflare, `queue_all` overrides the method,
   * and every newcomer waits in line. Newcomers also wait before the start of an event.
   */
  readonly newcomers: 'wait' | 'pass through' | 'are rejected'
  /** True if only visitors with a valid invitation get a place. */
  readonly inviteOnly: boolean
  /** The lanes beside the main one. */
  readonly lanes: readonly { readonly name: string }[]
  readonly whenSoldOut: 'hold' | 'reject'
  readonly onRoomFailure: 'hold' | 'admit'
  /** The permits per minute. 0 while the room is held, and before the start of an event. */
  readonly ratePerMinute: number
  readonly challenge: ChallengeRules
}

/** When a ticket must solve a challenge before its first use, and what happens after a wrong solution. */
export interface ChallengeRules {
  /** `crowded`: only visitors who have to wait. */
  readonly when: 'off' | 'crowded' | 'always'
  /** `infinite`: the place never moves. `again`: the visitor may try again. */
  readonly failed: 'again' | 'infinite'
}

/** The room as one isolate knows it now. */
export interface RoomNow {
  readonly rules: StepRules
  /** Null while no door has ever answered. */
  readonly snapshot: Snapshot | null
  /** True if the room has been out of reach for so long that `onRoomFailure` applies. */
  readonly hasFailed: boolean
  /** True if the door of the ticket has refused a claim for lack of a permit since the snapshot was made. */
  readonly isDoorEmpty: boolean
}

/** A visitor without a pass, and what is known about this request so far. */
export interface Outsider {
  readonly purpose: Purpose
  /** Whether the visitor shows an invitation, and whether it is in force. */
  readonly invitation: 'none' | 'valid' | 'invalid'
  /** The lane of a valid invitation. */
  readonly invitedTo: string | null
  /** True if the visitor's cookie must not be overwritten, because this isolate may not be able to read it yet. */
  readonly keepsCookie: boolean
  /** How far behind a newcomer this visitor's next place is, because a policy has ended the session. */
  readonly behindMs: number
  /** Why this request was given its ticket. Null if the visitor brought the ticket, or has none. */
  readonly issued: WhyIssued | null
  /** How many claims of this request have found an ended session. */
  readonly claims: number
  /** How long the network must wait before this ticket is used. Null before the network was charged. */
  readonly delayMs: number | null
  /**
   * How long a ticket that has not solved its challenge in time must still wait, by the quota of its network. 0 means
   * that it counts without a solution. Null before the network was charged.
   */
  readonly unsolvedDelayMs: number | null
  /** True if no challenge is set for this visitor: a search engine whose identity is verified. */
  readonly isExempt: boolean
  /** True once this isolate has admitted as many visitors as it may without the room. */
  readonly isLocalSpent: boolean
}

/** A visitor at the start of a request, when nothing is known yet. */
export const UNKNOWN_YET = {
  issued: null,
  claims: 0,
  delayMs: null,
  unsolvedDelayMs: null,
  isExempt: false,
  isLocalSpent: false,
} as const

export type WhyIssued = 'newcomer' | 'missed' | 'changed-lane'

/** True if a visitor needs no place here now. In a room by invitation, this takes a valid invitation or a ticket. */
export function passesThrough(
  ticket: object | null,
  visitor: Pick<Outsider, 'invitation'>,
  rules: Pick<StepRules, 'newcomers' | 'inviteOnly'>,
): boolean {
  return rules.newcomers === 'pass through' && (ticket !== null || !isUninvited(visitor, rules))
}

/**
 * True if the room is for invited visitors only, and this visitor has no valid invitation. Call it only for a visitor
 * without a place: a ticket stays valid.
 */
export function isUninvited(
  { invitation }: Pick<Outsider, 'invitation'>,
  rules: Pick<StepRules, 'inviteOnly'>,
): boolean {
  return rules.inviteOnly && invitation !== 'valid'
}

/** True if this request may make another claim. */
export function mayClaim({ purpose, claims }: Outsider): boolean {
  return claims < CLAIMS[purpose]
}

export function hasLane({ lanes }: StepRules, lane: string): boolean {
  return lanes.some(({ name }) => name === lane)
}
