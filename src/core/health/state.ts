/**
 * The known state of a room's origin and its upstreams, and the rules by which they are judged. Plain data, so that it
 * can be stored. It changes only in `ingest` (`ingest.ts`), `probed`, `lifted` and `advance` (`health.ts`).
 */
import { ownOr } from '../own.ts'
import { type Breaker, CLOSED } from './breaker.ts'
import { type Ceiling, type CeilingRules, NO_CEILING } from './ceiling.ts'
import { newPresence, type Presence } from './presence.ts'
import type { Ballot } from './votes.ts'

export interface UpstreamRules {
  readonly name: string
  /** True if admissions depend on this upstream. The origin is always critical. */
  readonly critical: boolean
  readonly apdexTarget: number
  /** The breaker's first pause; null for an upstream without a breaker. */
  readonly openMs: number | null
}

export type Pin = 'open' | 'closed'

export interface HealthRules extends CeilingRules {
  readonly mode: 'enforce' | 'shadow' | 'off'
  /** A trial ends after this many windows in which the upstream is not down. */
  readonly goodWindows: number
  readonly rampMs: number
  /** The origin is first, then come the named upstreams. */
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
  /** The smoothed satisfaction of the sessions that were served; null before the first window with enough votes. */
  speed: number | null
  /** The smoothed satisfaction of the sessions that got answers within 4 T. It shows how quick those answers were. */
  quick: number | null
  /** The votes of the current window, and of earlier windows that had too few votes. */
  ballot: Ballot
  /** The number of these votes. A session votes at most once a second. */
  votes: number
  thinWindows: number
  patterns: Record<string, Ballot>
  /** The longest Retry-After in the current window. */
  retryAfterMs: number
  /**
   * For each lot whose session has failed since the last answer: when its request was sent, and when that was reported.
   */
  failing: Record<number, { readonly sentMs: number; readonly reportedMs: number }>
}

export interface HealthState {
  readonly version: number
  upstreams: Record<string, UpstreamHealth>
  presence: Presence
  ceiling: Ceiling
  /** True if the ceiling has been raised since its last cut. Only the first rise is logged. */
  isRising: boolean
  windowBeganMs: number
  /** Sessions that were there when the window began. */
  thereBefore: number
  /** When admissions were last allowed again; null if they were never stopped. */
  reopenedAtMs: number | null
  /** True if, after an outage, not all active sessions may go on at once. */
  isRationed: boolean
  /** Patterns of addresses that were broken lately, and how many sessions were badly served there. */
  broken: Record<string, { readonly atMs: number; readonly votes: number }>
}

/**
 * The version of this state, and of the votes that lead to it. A stored state of another version is replaced by a new
 * one. Raise it with each change of their form.
 */
export const STATE_VERSION = 2

export function newHealth(nowMs: number): HealthState {
  return {
    version: STATE_VERSION,
    upstreams: {},
    presence: newPresence(nowMs, true),
    ceiling: NO_CEILING,
    isRising: false,
    windowBeganMs: nowMs,
    thereBefore: 0,
    reopenedAtMs: null,
    isRationed: false,
    broken: {},
  }
}

/** Returns what is known of one upstream, and creates it when it is new. */
export function upstreamIn(health: HealthState, name: string): UpstreamHealth {
  return ownOr(health.upstreams, name, () => ({
    breaker: CLOSED,
    speed: null,
    quick: null,
    ballot: {},
    votes: 0,
    thinWindows: 0,
    patterns: {},
    retryAfterMs: 0,
    failing: {},
  }))
}

/**
 * Returns the upstreams whose breaker is not closed by health's decision, even if a pin overrides it. Active probes ask
 * these.
 */
export function inTrouble(health: HealthState): readonly string[] {
  return Object.keys(health.upstreams).filter(name => health.upstreams[name]?.breaker.state !== 'closed')
}

/** Begins a new window of votes. */
export function clearVotes(known: UpstreamHealth): void {
  known.ballot = {}
  known.votes = 0
  known.thinWindows = 0
  known.patterns = {}
  known.retryAfterMs = 0
}
