/**
 * What is known of a room's origin and of its upstreams, and the rules it is judged by: plain data, so that it can be stored.
 * It changes only in `hear` (`heard.ts`), `probed` and `advance` (`health.ts`).
 */
import { ownOr } from '../own.ts'
import { type Breaker, CLOSED } from './breaker.ts'
import { type Ceiling, type ControllerRules, NO_CEILING } from './controller.ts'
import { newStreak, type Streak } from './failure-streak.ts'
import { type Counts, noCounts } from './samples.ts'

export interface UpstreamRules {
  readonly name: string
  /** Admissions depend on it. The origin itself always is. */
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
  /** What the operator has decided by hand: always stronger. */
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
  /** Of the window that is open, and of the thin ones before it. */
  window: Counts
  /** What each session has cost the Apdex in it, in halves of a sample, and its failures; by its lot. */
  losses: Record<number, number>
  faults: Record<number, number>
  thinWindows: number
  /** Of the last minute, a window each, newest last. */
  recent: Counts[]
  /** Who has said that it fails, since it last answered well. */
  streak: Streak
}

export interface HealthState {
  upstreams: Record<string, UpstreamHealth>
  ceiling: Ceiling
  /** The ceiling has been raised since it was last cut: what is said only once. */
  isRising: boolean
  windowBeganMs: number
  /** Inside when the window began. */
  insideBefore: number
  /** When admissions were last allowed again, null when they were never stopped. */
  reopenedAtMs: number | null
  /** After an outage not all who are inside may go on at once. */
  isRationed: boolean
  /** What was heard in the minute that is under way, by upstream. */
  minute: Minute
}

/** A minute of the history that operators see. */
export interface Minute {
  readonly minute: number
  readonly upstreams: Record<string, Counts>
}

/** Minutes of the history are whole ones of the clock. */
export const MINUTE_MS = 60_000

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

/** What is known of one upstream. */
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

/** Names whose breaker is not closed, whatever is in force: those that active probes ask after. */
export function inTrouble(health: HealthState): readonly string[] {
  return Object.keys(health.upstreams).filter(name => health.upstreams[name]?.breaker.state !== 'closed')
}
