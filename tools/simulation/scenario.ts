/** What a simulation plays: a crowd, a room, and a network that fails as told. Plain data: the same one gives the same run. */
import type { LaneShare } from '../../src/core/permits/lanes.ts'

export interface Scenario {
  readonly seed: number
  readonly visitors: number
  /** Visitors arrive evenly at random over this. */
  readonly arriveMs: number
  /** When each visitor arrives after the start, in any order, instead of evenly at random. */
  readonly arrivalsMs?: Float64Array
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  readonly sessionMs: number
  /** A visitor browses this long on average, then leaves without a word. */
  readonly stayMs: number
  /** Share of visitors who close the tab while they wait. */
  readonly noShows: number
  /** Share of visitors who sleep through their call and come back within a few minutes. */
  readonly late: number
  /** Share of arrivals that keep no cookies: every request of theirs is a newcomer's. */
  readonly robots?: number
  /** Share of people who hold several tickets, and how many. */
  readonly holders?: number
  readonly tickets?: number
  /** Share of people who throw their first ticket away while nobody can know its place, and come again. */
  readonly droppers?: number
  readonly edges: number
  readonly doors: number
  readonly clockSkewMs: number
  /** Share of messages that never arrive, and of those that are up to eight seconds late. */
  readonly loss: number
  /** Share of messages that come twice, and of visitors who come again with an old ticket when their session is over. */
  readonly duplicate: number
  /** How often a door, or the room, loses its memory. */
  readonly evictions: number
  /** Lanes beside the main one, each with its share of the permits and its part of the crowd. */
  readonly lanes?: readonly SimulatedLane[]
  /** Width of the batches of a random line; absent where places are given by arrival. */
  readonly shuffleMs?: number
  /** An event starts then. Whoever came before waits for the start, and is drawn; absent for no event. */
  readonly drawAtMs?: number
  /** A rate limit of sessions, whose visitors then ask for whole pages; absent for none. */
  readonly limit?: Limit
  /** Live changes by the operator, in order. */
  readonly changes: readonly Change[]
  readonly untilMs: number
}

export interface SimulatedLane extends LaneShare {
  readonly crowd: number
}

/** What each session may ask for. */
export interface Limit {
  readonly count: number
  readonly periodMs: number
  readonly burst: number
}

export interface Change {
  readonly atMs: number
  readonly lanes?: readonly LaneShare[]
  readonly ratePerMinute?: number
  readonly totalActiveUsers?: number
}

export const START_MS = 1_700_000_000_000
/** The defaults of the settings that no flag changes. */
export const CLAIM_WINDOW_MS = 5 * 60_000
export const REENTRY_GRACE_MS = 2 * 60_000
