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

interface Now {
  readonly rules: HealthRules
  readonly nowMs: number
}

/** The part of health that edges and doors need; null while all is well. */
export interface HealthSnapshot {
  /** Why admissions are fewer than the operator allows: an outage, or slow answers. */
  readonly reason: 'outage' | 'slow' | null
  /** The share (0 to 1) of active sessions whose requests go to the origin. */
  readonly inside: number
  /**
   * True if session time does not run, because the origin is out. After an outage it runs again while only some
   * sessions are blocked. An active session asks and is renewed, and an abandoned one ends and frees its place.
   */
  readonly paused: boolean
  readonly breakers: Readonly<Record<string, 'open' | 'half-open'>>
  /**
   * Named upstreams whose trial has just ended, and when. `backShare` computes the share of sessions that may go there
   * again.
   */
  readonly back: Readonly<Record<string, number>>
  /** The room's estimate of the time until the next try, in milliseconds. */
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
/** The usual time until the next try, and the longest. */
const RETRY_MS = 10_000
const RETRY_MAX_MS = 30_000

/** Returns the operator's limits as the origin's health and the pins allow them. */
export function admissionLimitsNow<Rules extends AdmissionLimits>(
  health: HealthState,
  load: Load,
  operator: Rules,
  now: Now,
): Rules {
  const { mode, upstreams, pins } = now.rules
  const limits = mode === 'enforce' ? steered(health, load, operator, now) : operator
  // A visitor who is admitted to a blocked site would only see its error page. So no visitor is admitted, in any mode.
  const isBlocked = upstreams.some(({ name, critical }) => critical && own(pins.breakers, name) === 'open')
  if (pins.ratePerMinute === null && pins.sessions === null && !isBlocked) return limits
  const rate = pins.ratePerMinute === null ? limits.ratePerMinute : Math.min(operator.ratePerMinute, pins.ratePerMinute)
  return {
    ...limits,
    ratePerMinute: isBlocked ? 0 : rate,
    totalActiveUsers:
      pins.sessions === null ? limits.totalActiveUsers : Math.min(operator.totalActiveUsers, pins.sessions),
  }
}

/**
 * The ceiling limits the sessions that are there, so those that are gone make room below it. The operator's total
 * limits all sessions that have a place (I2).
 */
function steered<Rules extends AdmissionLimits>(
  health: HealthState,
  load: Load,
  operator: Rules,
  { rules, nowMs }: Now,
): Rules {
  const { ratePerMinute, totalActiveUsers } = operator
  if (isStopped(health, rules)) return { ...operator, ratePerMinute: 0 }
  if (isTrial(health, rules)) {
    const trial = Math.max(TRIAL_PER_MINUTE_MIN, ratePerMinute * TRIAL_SHARE)
    return { ...operator, ratePerMinute: Math.min(ratePerMinute, trial) }
  }
  const { sessions } = health.ceiling
  const passedMs = health.reopenedAtMs === null ? rules.rampMs : nowMs - health.reopenedAtMs
  if (sessions === null && passedMs >= rules.rampMs) return operator
  const allowed = Math.floor(sessions ?? Infinity) + goneOf(health.presence, load)
  return {
    ...operator,
    ratePerMinute:
      passedMs >= rules.rampMs ? ratePerMinute : ratePerMinute * clamp(passedMs / rules.rampMs, TRIAL_SHARE, 1),
    totalActiveUsers: Math.min(totalActiveUsers, allowed),
  }
}

/** Returns the part of health that edges need, or null while everything is as the operator has set it. */
export function healthSnapshot(
  health: HealthState,
  load: Load,
  operator: AdmissionLimits,
  { rules, nowMs }: Now,
): HealthSnapshot | null {
  const { mode, pins } = rules
  const breakers: Record<string, 'open' | 'half-open'> = {}
  const back: Record<string, number> = {}
  let retryAfterMs = RETRY_MS
  for (const { name } of rules.upstreams) {
    const inForce = breakerOf(health, name, rules)
    const { state, sinceMs, ...rest } = breakerIn(health, name)
    if (inForce !== 'closed') {
      breakers[name] = inForce
      if ('untilMs' in rest) retryAfterMs = Math.max(retryAfterMs, rest.untilMs - nowMs)
    } else if (name !== ORIGIN && state === 'closed' && sinceMs !== null && isDecided(name, rules))
      if (backShare(sinceMs, nowMs) < 1) back[name] = sinceMs
  }
  const inside = insideShare(health, load, rules, nowMs)
  const isOut = isStopped(health, rules) || isTrial(health, rules)
  const { sessions } = health.ceiling
  const isLowered = mode === 'enforce' && pins.sessions === null && (sessions ?? Infinity) < operator.totalActiveUsers
  const isSlow = isLowered && load.hasDemand
  const areAllOpenToAll = Object.keys(breakers).length === 0 && Object.keys(back).length === 0
  if (areAllOpenToAll && inside === 1 && !isSlow) return null
  const triedForMs = nowMs - (breakerIn(health, ORIGIN).sinceMs ?? nowMs)
  return {
    reason: isOut ? 'outage' : isSlow ? 'slow' : null,
    inside,
    paused: breakers[ORIGIN] === 'open' || (breakers[ORIGIN] === 'half-open' && triedForMs < TRIAL_PAUSED_MS),
    breakers,
    back,
    retryAfterMs: Math.min(retryAfterMs, RETRY_MAX_MS),
  }
}

function breakerIn({ upstreams }: HealthState, name: string): Breaker {
  return own(upstreams, name)?.breaker ?? CLOSED
}

/** True if health decides about a breaker, and no pin does. */
function isDecided(name: string, { mode, pins }: HealthRules): boolean {
  return mode === 'enforce' && own(pins.breakers, name) === undefined
}

/** Returns the state in force of a breaker: pinned, decided, or closed where health decides nothing. */
export function breakerOf(health: HealthState, name: string, rules: HealthRules): Breaker['state'] {
  return isDecided(name, rules) ? breakerIn(health, name).state : (own(rules.pins.breakers, name) ?? 'closed')
}

/** Returns whether no visitor is admitted: the origin, or an upstream that admissions depend on, is out. */
export function isStopped(health: HealthState, rules: HealthRules): boolean {
  return rules.upstreams.some(({ name, critical }) => critical && breakerOf(health, name, rules) === 'open')
}

export function isTrial(health: HealthState, rules: HealthRules): boolean {
  return rules.upstreams.some(({ name, critical }) => critical && breakerOf(health, name, rules) === 'half-open')
}

/**
 * Active sessions come back little by little, and only as many as the origin can bear. They brought it down, and
 * admissions alone would need the lifetime of a session to change that.
 */
function insideShare(health: HealthState, load: Load, rules: HealthRules, nowMs: number): number {
  const state = breakerOf(health, ORIGIN, rules)
  const breaker = breakerIn(health, ORIGIN)
  if (state === 'open') return 0
  if (state === 'half-open') return trialShare(breaker)
  if (!isDecided(ORIGIN, rules) || !health.isRationed || breaker.sinceMs === null) return 1
  const back = ramped(trialShare(breaker), (nowMs - breaker.sinceMs) / INSIDE_RAMP_MS)
  const { sessions } = health.ceiling
  const there = thereOf(health.presence, load)
  return sessions === null || there <= 0 ? back : Math.min(back, sessions / there)
}

/**
 * True if a session may go on while only some sessions do. Sessions that are admitted while the origin is tried are the
 * trial. A share of the other sessions goes on, too, always the same ones. In a small room that share may contain no
 * session, and no newcomer may come. So each isolate lets one request try: `takeTry` is called only then.
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

/** True if the time is over in which active sessions come back little by little. */
export function isBack(health: HealthState, nowMs: number): boolean {
  const { state, sinceMs } = breakerIn(health, ORIGIN)
  return state === 'closed' && nowMs - (sinceMs ?? 0) >= INSIDE_RAMP_MS
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

/** The share of active sessions that a trial lets on, or had let on at its end. */
function trialShare(breaker: Breaker): number {
  return TRIAL_INSIDE[breaker.state === 'open' ? 0 : breaker.goodWindows] ?? TRIAL_INSIDE[2]
}
