/** The health of a room's origin, as operators read it. */
import type { Decision } from '../history/decisions.ts'

/**
 * The health of one upstream; `origin` stands for all paths without a named one. Null means that nothing was received.
 */
export interface UpstreamFigures {
  readonly name: string
  readonly critical: boolean
  /** The state that is in force. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /**
   * After an outage of a named upstream, the share of sessions whose requests go there again. Null if all do, or if the
   * breaker alone decides.
   */
  readonly back: number | null
  readonly pinned: boolean
  readonly sinceMs: number | null
  readonly untilMs: number | null
  /** The answers in the last minute. */
  readonly samples: number
  readonly p50Ms: number | null
  /** Slow answers are counted as soon as they have taken four times the target, so this never gets much higher. */
  readonly p95Ms: number | null
  readonly apdex: number | null
  readonly failures: number | null
}

/** The state of a room in the words of its operators. */
export interface Condition {
  readonly state: 'well' | 'slowed' | 'down'
  /** Null for a state that the operator has set. */
  readonly sinceMs: number | null
  /**
   * `trial`: the next trial. `good-answers`: good answers, in the trial or under the ceiling. `operator`: only the
   * operator, who has set it. Null for a room that is well.
   */
  readonly ends: 'trial' | 'good-answers' | 'operator' | null
  /** When the next trial begins; null while none is due. */
  readonly nextTrialMs: number | null
  /** The earliest time at which the ceiling may rise; null without a ceiling. */
  readonly raisedFromMs: number | null
}

export interface HealthFigures extends Condition {
  readonly mode: 'enforce' | 'shadow' | 'off'
  readonly reason: 'outage' | 'slow' | null
  /** The number of sessions that the origin can bear, as far as is known; null while the operator's total stands. */
  readonly ceiling: number | null
  /** The sessions inside that were seen, or admitted, in the last minute: the ceiling limits these. */
  readonly there: number
  /** The share of sessions inside whose requests go to the origin. */
  readonly inside: number
  /** The rate in force now. */
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
  readonly pins: readonly string[]
  readonly upstreams: readonly UpstreamFigures[]
}

interface HealthMinute {
  readonly atMs: number
  readonly upstreams: Readonly<
    Record<string, Pick<UpstreamFigures, 'samples' | 'p50Ms' | 'p95Ms' | 'apdex' | 'failures'>>
  >
}

export interface HealthReport {
  readonly health: HealthFigures
  /** Newest first. */
  readonly decisions: readonly Decision[]
  /** Oldest first. */
  readonly history: readonly HealthMinute[]
}
