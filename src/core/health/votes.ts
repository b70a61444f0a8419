/**
 * One session, one vote: how the sessions of a window were served, as marks on lots of the session id.
 *
 * A vote is a set of marks, and sets are merged by OR. So a repeated, late or doubled report changes nothing, and a
 * session has one vote however often it asks, at however many isolates.
 */
import { fnv1a, lotOf } from '../hash.ts'

/** Marks by lot. 0 means that the lot's session was seen, but gave no sample. */
export type Ballot = Record<number, number>

/** The answers that one session got from one upstream in one window. */
export interface Answers {
  readonly samples: number
  /** Apdex points: 1 for a satisfied sample, 1/2 for a tolerating one. */
  readonly points: number
  readonly failed: number
}

export const LOTS = 1_024
/** All newcomers together have one vote: a client without cookies can pretend to be any number of them. */
export const NEWCOMERS_LOT = 0
/** A probe has two votes, because it is reliable. */
export const PROBE_LOTS = [1, 2] as const
const SESSION_LOTS_FROM = 3
/** Marks 1 to 16 stand for 0 to 4 quarters of full satisfaction. */
const QUARTERS = 4
/** The mark of a session of which at least half of the samples failed. */
export const FAILED = 32
export const MARKS = 64
/**
 * With more sessions than this only a share of them votes. If several sessions had one lot, the result would be
 * blurred.
 */
const VOTERS_MAX = LOTS

/** The marks of a pattern's ballot: the session asked for the pattern, and was badly served there. */
export const ASKED = 1
export const BADLY = 2

export function lotOfSession(sid: string): number {
  return SESSION_LOTS_FROM + Math.floor(lotOf(sid) * (LOTS - SESSION_LOTS_FROM))
}

/** Returns the share of sessions that vote: 1, 1/2, 1/4, and so on. */
export function voterShare(sessions: number): number {
  return sessions <= VOTERS_MAX ? 1 : 2 ** -Math.ceil(Math.log2(sessions / VOTERS_MAX))
}

/** True if a session votes. A session that votes at a small share also votes at a larger one. */
export function isVoter(sid: string, share: number): boolean {
  return share >= 1 || fnv1a(sid, 1) / 0x1_0000_0000 < share
}

export function marksOf({ samples, points, failed }: Answers): number {
  if (samples === 0) return 0
  return (1 << Math.round((points / samples) * QUARTERS)) | (2 * failed >= samples ? FAILED : 0)
}

export function cast(ballot: Ballot, lot: number, marks: number): void {
  ballot[lot] = (ballot[lot] ?? 0) | marks
}

/** The result of a window, or of a trial. */
export interface Poll {
  readonly voters: number
  /** The share of voters whose requests failed. */
  readonly failed: number
  /** The mean satisfaction of all voters, 0 to 1. */
  readonly score: number
  /**
   * The mean satisfaction of the voters whose requests did not fail. It shows how slow the origin is. 1 if all failed.
   */
  readonly speed: number
  /**
   * The mean satisfaction of those voters who also got an answer within 4 T; null if there are none. It shows how quick
   * the origin was before its requests began to fail.
   */
  readonly quick: number | null
}

/**
 * Counts a ballot, without the lots in `out`. The worst voter is left out: one session alone is no evidence.
 *
 * The vote of a session that had failures does not show how quick its other answers were, because it is a mean of both.
 */
export function countVotes(ballot: Ballot, out: ReadonlySet<number> = NO_LOTS): Poll {
  const votes = Object.entries(ballot)
    .flatMap(([lot, marks]) => (out.has(Number(lot)) ? [] : (VOTES[marks] ?? [])))
    .sort((a, b) => a.score - b.score || b.failed - a.failed)
  const counted = votes.length > 1 ? votes.slice(1) : votes
  const served = counted.filter(({ failed }) => failed === 0)
  return {
    voters: votes.length,
    failed: mean(counted.map(({ failed }) => failed)) ?? 0,
    score: mean(counted.map(({ score }) => score)) ?? 1,
    speed: mean(served.map(({ score }) => score)) ?? 1,
    quick: mean(served.flatMap(({ score }) => (score > 0 ? [score] : []))),
  }
}

/** Returns the mean, or null for an empty list. */
function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length
}

const NO_LOTS: ReadonlySet<number> = new Set()
/**
 * The value of each set of marks: the mean of the marked quarters. A session may get different marks at different
 * isolates and in different seconds.
 */
const VOTES = Array.from({ length: MARKS }, (_, marks) => {
  const quarters = [0, 1, 2, 3, 4].filter(quarter => marks & (1 << quarter))
  const satisfied = mean(quarters)
  return satisfied === null ? null : { score: satisfied / QUARTERS, failed: marks & FAILED ? 1 / quarters.length : 0 }
})

/**
 * Estimates from the number of marked lots how many sessions have left a mark, by linear counting (Whang et al. 1990).
 * Several sessions may share a lot.
 */
export function sessionsOn(lots: number, share: number): number {
  const free = Math.max(1, LOTS - lots)
  return (LOTS * Math.log(LOTS / free)) / share
}
