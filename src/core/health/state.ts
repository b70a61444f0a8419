/**
 * The known state of a room's origin and its upstreams, and the rules by which they are judged. Plain data, so that it
 * can be stored. It changes only in `hear` (`ingest.ts`), `probed` and `advance` (`health.ts`).
 */

import { ownOr } from '../own.ts'
import { MINUTE_MS } from '../timing.ts'
import { type Breaker, CLOSED } from './breaker.ts'
import { type Ceiling, type ControllerRules, NO_CEILING } from './controller.ts'
import { newStreak, type Streak } from './failure-streak.ts'
import { type Counts, noCounts } from './samples.ts'

export interface UpstreamRules {
  readonly name: string
  /** Admissions depend on it. The origin is always critical. */
  readonly critical: boolean
  readonly apdexTarget: number
  /** The breaker's first pause; null for an upstream without a breaker. */
  readonly openMs: number | null
}

export type Pin = 'open' | 'closed'

export interface HealthRules extends ControllerRules {
  readonly mode: 'enforce' | 'shadow' | 'off'
  /** Good windows in a row that end a trial. */
  readonly goodWindows: number
  readonly rampMs: number
  /** The origin first, then the named ones. */
  readonly upstreams: readonly UpstreamRules[]
  /** The operator's pins, which override health. */
  readonly pins: {
    readonly ratePerMinute: number | null
    readonly sessions: number | null
    readonly breakers: Readonly<Record<string, Pin>>
  }
}

export interface UpstreamHealth {
  breaker: Breaker
  /** Smoothed, null before the first window with enough samples. */
  apdex: number | null
  /** The samples of the current window, and of the ones with too few samples before it. */
  window: Counts
  /** The cost of each session to the Apdex in this window, in halves of a sample, and its failures, by its lot. */
  losses: Record<number, number>
  faults: Record<number, number>
  thinWindows: number
  /** The windows of the last minute, newest last. */
  recent: Counts[]
  /** The sessions that were failed since its last answer. */
  streak: Streak
}

export interface HealthState {
  upstreams: Record<string, UpstreamHealth>
  ceiling: Ceiling
  /** The ceiling has been raised since its last cut. A rise is logged only once. */
  isRising: boolean
  windowBeganMs: number
  /** Sessions inside when the window began. */
  insideBefore: number
  /** When admissions were last allowed again, null when they were never stopped. */
  reopenedAtMs: number | null
  /** After an outage not all active sessions may go on at once. */
  isRationed: boolean
  /** The samples of the current minute, by upstream. */
  minute: Minute
}

/** A minute of the history that operators see. */
export interface Minute {
  readonly minute: number
  readonly upstreams: Record<string, Counts>
}

/** Minutes of the history are whole ones of the clock. */
export { MINUTE_MS }

export function newHealth(nowMs: number): HealthState {
  return {
    upstreams: {},
    ceiling: NO_CEILING,
    isRising: false,
    windowBeganMs: nowMs,
    insideBefore: 0,
    reopenedAtMs: null,
    isRationed: false,
    minute: { minute: Math.floor(nowMs / MINUTE_MS), upstreams: {} },
  }
}

/** Returns what is known of one upstream, and creates it when it is new. */
export function upstreamIn(health: HealthState, name: string): UpstreamHealth {
  return ownOr(health.upstreams, name, () => ({
    breaker: CLOSED,
    apdex: null,
    window: noCounts(),
    losses: {},
    faults: {},
    thinWindows: 0,
    recent: [],
    streak: newStreak(),
  }))
}

/** Returns the upstreams whose decided breaker is not closed, whatever is in force: active probes ask these. */
export function inTrouble(health: HealthState): readonly string[] {
  return Object.keys(health.upstreams).filter(name => health.upstreams[name]?.breaker.state !== 'closed')
}
