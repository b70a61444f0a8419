/**
 * The input of a simulation: a crowd, a room, and a network that fails as described. The same data gives the same run.
 */
import type { LaneShare } from '../../src/core/permits/lanes.ts'

export interface Scenario {
  readonly seed: number
  readonly visitors: number
  /** Visitors arrive at uniformly random times within this time. */
  readonly arriveMs: number
  /** The arrivals of all visitors, in ms after the start and in any order. They replace the random times. */
  readonly arrivalsMs?: Float64Array
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  readonly sessionMs: number
  /** The mean time that a visitor browses, before leaving without notice. */
  readonly stayMs: number
  /** Share of visitors who close the tab while they wait. */
  readonly noShows: number
  /** Share of visitors who sleep through their call and come back 10 to 400 seconds later. */
  readonly late: number
  /** Share of arrivals that keep no cookies: each of their requests is a newcomer's. */
  readonly robots?: number
  /** Share of arrivals that are scripts: they keep their ticket and poll like a page, and solve no challenge. */
  readonly scripts?: number
  /** The number of networks from which the scripts come. */
  readonly networks?: number
  /** True if a ticket must solve a challenge before it counts. */
  readonly challenge?: boolean
  /** Share of people who hold several tickets, and how many. */
  readonly holders?: number
  readonly tickets?: number
  /** Share of people who throw away their first ticket while its place is still secret, and take a new one. */
  readonly droppers?: number
  readonly edges: number
  /** The number of doors. With `growsFrom` it is the greatest number. */
  readonly doors: number
  /** The number of doors at the beginning, to which the room adds more by itself; absent where the number is fixed. */
  readonly growsFrom?: number
  readonly clockSkewMs: number
  /** Share of messages that never arrive. The same share of messages is 1 to 8 seconds late. */
  readonly loss: number
  /** Share of messages that arrive twice. The same share of visitors returns with an old ticket after leaving. */
  readonly duplicate: number
  /** How often a door, or the room, loses its memory. */
  readonly evictions: number
  /** Lanes beside the main one, each with its share of the permits and its part of the crowd. */
  readonly lanes?: readonly SimulatedLane[]
  /** Width of the batches of a random line; absent where places are given by arrival. */
  readonly shuffleMs?: number
  /**
   * Start of an event, after the start of the run. Earlier visitors wait for it and are drawn; absent without an event.
   */
  readonly drawAtMs?: number
  /** A rate limit of sessions; absent for none. With a rate limit a page view is many requests. */
  readonly limit?: Limit
  /** Changes by the operator during the run, in order. */
  readonly changes: readonly Change[]
  readonly untilMs: number
}

export interface SimulatedLane extends LaneShare {
  readonly crowd: number
}

/** The requests that each session may make. */
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
  /** From now on every request goes to the site. */
  readonly suspended?: true
}

/** The only rate limit policy of a simulation: it covers every request of a session. */
export const POLICY = 'session'
/** When a run starts. The clock is low, so that its whole milliseconds are small integers for V8. */
export const START_MS = 86_400_000
/** Defaults of settings for which there is no flag. */
export const CLAIM_WINDOW_MS = 5 * 60_000
/** `missed_grace`: how long after a missed turn its visitor stands at the front again. */
export const MISSED_GRACE_MS = 2 * 60_000
export const REENTRY_GRACE_MS = 2 * 60_000
