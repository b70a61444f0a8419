/**
 * The challenge of a room: a ticket must solve it before its first use, when it counts in the line or claims at once. A
 * ticket without a solution keeps its place, and counts in no line and in no draw.
 *
 * A visitor without scripts, or with a very slow device, cannot solve it. Such a ticket counts after a fixed time. A
 * quota limits how many such tickets of one network count.
 */
import { type Quota, quotaOf } from '../gcra.ts'
import { total } from '../line/curve.ts'
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'
import type { ChallengeRules, Outsider } from './outsider.ts'
import type { Place } from './place.ts'

/** A ticket without a solution counts after this time, within the quota of its network. */
export const UNSOLVED_COUNTS_AFTER_MS = 60_000
/**
 * The quota of tickets of one network that count without a solution, at one isolate: two at once, then one every 30 s.
 */
export const UNSOLVED_QUOTA: Quota = { intervalMs: 30_000, burst: 2 }
/** The share of the room's rate that may count without a solution at one isolate, over all networks. */
const UNSOLVED_SHARE = 0.02
const UNSOLVED_BURST = 3
/** A visitor without a solution asks again after this time. */
export const UNSOLVED_POLL_MS = 10_000
/** A visitor whose place never moves asks again after this time. */
export const FAILED_POLL_MS = 30_000
/**
 * The bounds of the work, as iterations for each hash. A solver needs 256 hashes on average. The work grows with the
 * crowd, by one iteration for each visitor in line.
 */
export const WORK = { least: 1_000, most: 4_000 } as const

interface Unused {
  readonly ticket: Ticket
  readonly place: Place
  readonly snapshot: Snapshot
  readonly visitor: Pick<Outsider, 'isExempt'>
}

/** True if the ticket must solve a challenge before its first use. */
export function isUnsolved({ ticket, place, snapshot, visitor }: Unused, { when }: ChallengeRules): boolean {
  if (when === 'off' || visitor.isExempt || ticket.confirmed || ticket.challenge?.state === 'solved') return false
  return when === 'always' || !snapshot.open || place.state === 'waiting'
}

/** True if the place of a ticket never moves, because its visitor gave a wrong solution. */
export function neverMoves({ challenge }: Ticket, { when, failed }: ChallengeRules): boolean {
  return challenge?.state === 'failed' && failed === 'infinite' && when !== 'off'
}

/** Returns the ticket with the time at which its challenge was first set. */
export function challenged(ticket: Ticket, nowMs: number): Ticket {
  return ticket.challenge?.state === 'set' ? ticket : { ...ticket, challenge: { state: 'set', sinceMs: nowMs } }
}

export function solved(ticket: Ticket): Ticket {
  return { ...ticket, challenge: { state: 'solved' } }
}

/** True if a ticket has waited so long for a solution that it may count without one. */
export function mayCountUnsolved({ challenge }: Ticket, nowMs: number): boolean {
  return challenge?.state === 'set' && nowMs >= challenge.sinceMs + UNSOLVED_COUNTS_AFTER_MS
}

/**
 * Returns the quota of tickets that count without a solution at one isolate. Without this quota, scripts from very many
 * networks could fill a slow room.
 */
export function unsolvedQuota(ratePerMinute: number): Quota {
  return quotaOf(Math.max(1, ratePerMinute * UNSOLVED_SHARE), 60_000, UNSOLVED_BURST)
}

/** Returns the iterations of each hash of a new challenge. */
export function workAt({ lanes }: Pick<Snapshot, 'lanes'>): number {
  const people = Object.values(lanes).reduce((sum, { calledAhead, curve }) => sum + calledAhead + total(curve), 0)
  return Math.round(Math.min(WORK.most, Math.max(WORK.least, people)))
}
