/**
 * The effect of an origin's health: the limits that are in force, and what edges and doors need of it.
 *
 * Pins override everything that health has found. In shadow mode only pins are in force.
 */
import { lotOf } from '../hash.ts'
import { own } from '../own.ts'
import type { AdmissionLimits } from '../permits/bank.ts'
import { type Breaker, CLOSED } from './breaker.ts'
import { ORIGIN, WINDOW_MS } from './outcome.ts'
import { goneOf, type Load, thereOf } from './presence.ts'
import type { HealthRules, HealthState } from './state.ts'
import { clamp } from './verdict.ts'

/** The part of health that edges and doors need, null while all is well. */
export interface HealthSnapshot {
  /** Why admissions are fewer than the operator allows: an outage, or slow answers. */
  readonly reason: 'outage' | 'slow' | null
  /** The share (0 to 1) of active sessions whose requests go to the origin. */
  readonly inside: number
  /**
   * Session time does not run, because the origin is out. It runs again while only some sessions are blocked after an
   * outage: an active session asks and is renewed, and an abandoned one makes room.
   */
  readonly paused: boolean
  readonly breakers: Readonly<Record<string, 'open' | 'half-open'>>
  /**
   * Named upstreams whose trial ended a moment ago, and when. `backShare` computes the share that may go there again.
   */
  readonly back: Readonly<Record<string, number>>
  /** The room's guess of when to try again, in milliseconds. */
  readonly retryAfterMs: number
}

/** The share of the rate that is admitted during a trial, but at least one visitor per window. */
const TRIAL_SHARE = 0.01
const TRIAL_PER_MINUTE_MIN = 60_000 / WINDOW_MS
/**
 * The share of active sessions that a trial lets on, by its good windows so far. Each step is small compared with the
 * sessions that the origin has just borne.
 */
const TRIAL_INSIDE = [0.05, 0.15, 0.35] as const
/**
 * In a trial that takes longer than this, session time runs again: the sessions counted inside may be abandoned, and
 * only their expiry frees places for visitors who test the origin.
 */
const TRIAL_PAUSED_MS = 60_000
/** After a trial all active sessions are back within this time. */
const INSIDE_RAMP_MS = 15_000
/**
 * After the trial of a named upstream all sessions are back within this time. The visitors who could not use it
 * meanwhile still want to. All of them at once would be more than the site has ever seen.
 */
const BACK_RAMP_MS = 60_000
const BACK_FIRST = 0.1
/** The usual time to try again, and the longest. */
const RETRY_MS = 10_000
const RETRY_MAX_MS = 30_000

/** The operator's limits as the origin's health allows them. */
export function admissionLimitsNow<Rules extends AdmissionLimits>(
  health: HealthState,
  load: Load,
  operator: Rules,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): Rules {
  const { ratePerMinute: rate, sessions } = rules.pins
  const limits = rules.mode === 'enforce' ? steered(health, load, operator, { rules, nowMs }) : operator
  const isBlocked = isBlockedByOperator(rules)
  if (rate === null && sessions === null && !isBlocked) return limits
  const pinned = rate === null ? limits.ratePerMinute : Math.min(operator.ratePerMinute, rate)
  return {
    ...limits,
    ratePerMinute: isBlocked ? 0 : pinned,
    totalActiveUsers: sessions === null ? limits.totalActiveUsers : Math.min(operator.totalActiveUsers, sessions),
  }
}

/** Returns what edges need, or null while everything is as the operator has set it. */
export function healthSnapshot(
  health: HealthState,
  load: Load,
  operator: AdmissionLimits,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): HealthSnapshot | null {
  const breakers: Record<string, 'open' | 'half-open'> = {}
  const back: Record<string, number> = {}
  let untilMs = nowMs + RETRY_MS
  for (const { name } of rules.upstreams) {
    const state = breakerOf(health, name, rules)
    if (state === 'closed') {
      const sinceMs = backSince(health, name, rules)
      if (sinceMs !== null && backShare(sinceMs, nowMs) < 1) back[name] = sinceMs
      continue
    }
    breakers[name] = state
    const known = own(health.upstreams, name)?.breaker
    if (known?.state === 'open') untilMs = Math.max(untilMs, known.untilMs)
  }
  const inside = insideShare(health, load, rules, nowMs)
  const isOut = isStopped(health, rules) || isTrial(health, rules)
  const isSlow = isLowered(health, operator, rules) && load.hasDemand
  const areAllOpenToAll = Object.keys(breakers).length === 0 && Object.keys(back).length === 0
  if (areAllOpenToAll && inside === 1 && !isSlow) return null
  return {
    reason: isOut ? 'outage' : isSlow ? 'slow' : null,
    inside,
    paused: isPaused(health, breakers[ORIGIN], nowMs),
    breakers,
    back,
    retryAfterMs: Math.min(untilMs - nowMs, RETRY_MAX_MS),
  }
}

/** Returns the state in force of a breaker: pinned, decided, or closed where health decides nothing. */
export function breakerOf(health: HealthState, name: string, rules: HealthRules): Breaker['state'] {
  const pin = own(rules.pins.breakers, name)
  if (pin) return pin
  return rules.mode === 'enforce' ? (own(health.upstreams, name)?.breaker.state ?? 'closed') : 'closed'
}

/** Returns whether no visitor is admitted: the origin, or an upstream that admissions depend on, is out. */
export function isStopped(health: HealthState, rules: HealthRules): boolean {
  return rules.upstreams.some(({ name, critical }) => critical && breakerOf(health, name, rules) === 'open')
}

/**
 * Returns whether an operator has blocked a critical upstream. Then no visitor is admitted in any mode, because
 * admitted visitors would only see the page of a blocked site.
 */
function isBlockedByOperator({ upstreams, pins }: HealthRules): boolean {
  return upstreams.some(({ name, critical }) => critical && own(pins.breakers, name) === 'open')
}

export function isTrial(health: HealthState, rules: HealthRules): boolean {
  return rules.upstreams.some(({ name, critical }) => critical && breakerOf(health, name, rules) === 'half-open')
}

/**
 * The ceiling limits the sessions that are there, so those that are gone make room below it. The operator's total
 * limits all sessions that have a place (I2).
 */
function steered<Rules extends AdmissionLimits>(
  health: HealthState,
  load: Load,
  operator: Rules,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): Rules {
  if (isStopped(health, rules)) return { ...operator, ratePerMinute: 0 }
  if (isTrial(health, rules)) {
    const trial = Math.max(TRIAL_PER_MINUTE_MIN, operator.ratePerMinute * TRIAL_SHARE)
    return { ...operator, ratePerMinute: Math.min(operator.ratePerMinute, trial) }
  }
  const { sessions } = health.ceiling
  const ramp = rampOf(health, rules, nowMs)
  if (sessions === null && ramp >= 1) return operator
  const allowed = sessions === null ? Number.POSITIVE_INFINITY : Math.floor(sessions) + goneOf(health.presence, load)
  return {
    ...operator,
    ratePerMinute: operator.ratePerMinute * ramp,
    totalActiveUsers: Math.min(operator.totalActiveUsers, allowed),
  }
}

function rampOf({ reopenedAtMs }: HealthState, { rampMs }: HealthRules, nowMs: number): number {
  if (reopenedAtMs === null || rampMs <= 0) return 1
  return clamp((nowMs - reopenedAtMs) / rampMs, TRIAL_SHARE, 1)
}

/**
 * Active sessions come back little by little, and only as many as the origin can bear. They brought it down, and
 * admissions alone would need the lifetime of a session to change that.
 */
function insideShare(health: HealthState, load: Load, rules: HealthRules, nowMs: number): number {
  const state = breakerOf(health, ORIGIN, rules)
  const breaker: Breaker = health.upstreams[ORIGIN]?.breaker ?? CLOSED
  if (state === 'open') return 0
  if (state === 'half-open') return trialShare(breaker)
  if (own(rules.pins.breakers, ORIGIN) === 'closed') return 1
  if (rules.mode !== 'enforce' || !health.isRationed || breaker.state !== 'closed' || breaker.sinceMs === null) return 1
  const back = ramped(trialShare(breaker), (nowMs - breaker.sinceMs) / INSIDE_RAMP_MS)
  const { sessions } = health.ceiling
  const there = thereOf(health.presence, load)
  return sessions === null || there <= 0 ? back : Math.min(back, sessions / there)
}

/**
 * Whether a session may go on while only some do. Sessions admitted while the origin is tried are the trial. A share of
 * the other sessions goes on, too, and it is the same ones all along. In a small room that share may hold no session,
 * and no newcomer may come. So each isolate lets one request try: only then is `takeTry` called.
 */
export function goesOn(
  { inside, breakers }: HealthSnapshot,
  sid: string,
  isTrial: boolean,
  takeTry: () => boolean,
): boolean {
  if (inside <= 0) return false
  if (isTrial || lotOf(sid) < inside) return true
  return breakers[ORIGIN] === 'half-open' && takeTry()
}

/** Whether the time is over in which active sessions come back little by little. */
export function isBack({ upstreams }: HealthState, nowMs: number): boolean {
  const breaker = upstreams[ORIGIN]?.breaker ?? CLOSED
  return breaker.state === 'closed' && nowMs - (breaker.sinceMs ?? 0) >= INSIDE_RAMP_MS
}

/**
 * The share of sessions allowed back to a named upstream, from the time its breaker closed. Edges compute it
 * themselves, so the ramp continues while the room is unreachable.
 */
export function backShare(sinceMs: number, nowMs: number): number {
  const tookMs = nowMs - sinceMs
  // After the clock was set back far, the time passed is unknown: all sessions are let back.
  return tookMs < -BACK_RAMP_MS ? 1 : ramped(BACK_FIRST, tookMs / BACK_RAMP_MS)
}

/** Rises from a first share to 1, by the part of the time that has passed. */
function ramped(first: number, part: number): number {
  return clamp(first + (1 - first) * part, first, 1)
}

/** Returns when the trial of a named upstream ended, or null where health decides nothing. */
function backSince(health: HealthState, name: string, { mode, pins }: HealthRules): number | null {
  const breaker = own(health.upstreams, name)?.breaker
  const isDecided = name !== ORIGIN && mode === 'enforce' && own(pins.breakers, name) === undefined
  return isDecided && breaker?.state === 'closed' ? breaker.sinceMs : null
}

/** Returns whether health allows fewer sessions than the operator does. */
function isLowered(
  { ceiling }: HealthState,
  { totalActiveUsers }: AdmissionLimits,
  { mode, pins }: HealthRules,
): boolean {
  return mode === 'enforce' && pins.sessions === null && (ceiling.sessions ?? totalActiveUsers) < totalActiveUsers
}

function isPaused(health: HealthState, state: 'open' | 'half-open' | undefined, nowMs: number): boolean {
  if (state !== 'half-open') return state === 'open'
  return nowMs - (health.upstreams[ORIGIN]?.breaker.sinceMs ?? nowMs) < TRIAL_PAUSED_MS
}

/** The share of active sessions that a trial lets on, or had let on at its end. */
export function trialShare(breaker: Breaker): number {
  return TRIAL_INSIDE[breaker.state === 'open' ? 0 : breaker.goodWindows] ?? TRIAL_INSIDE[2]
}
