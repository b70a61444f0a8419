/**
 * The health of a room's origin and of its upstreams: what was heard, what follows from it, and what edges must know.
 *
 * It can only lower the operator's limits. The room owns the clock and the storage: a state is plain data, and changes
 * only in `hear`, `probed` and `advance`. What `advance` decides it also says, for operators to read.
 */
import type { Limits } from '../permits.ts'
import { afterProbe, afterTime, afterWindow, type Breaker, CLOSED } from './breaker.ts'
import {
  type Ceiling,
  type ControllerRules,
  cutForOutage,
  type Load,
  lowered,
  NO_CEILING,
  steer,
} from './controller.ts'
import { clamp, type Grade, gradeOf, SAMPLES_MIN } from './grade.ts'
import { add, type Counts, cellOf, noCounts, ORIGIN, outcomeOf, readCell, samplesOf, WINDOW_MS } from './samples.ts'

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
  thinWindows: number
  /** Of the last minute, a window each, newest last. */
  recent: Counts[]
}

export interface HealthState {
  upstreams: Record<string, UpstreamHealth>
  ceiling: Ceiling
  /** The ceiling has been raised since it was last cut: what is said only once. */
  isRising: boolean
  windowBeganMs: number
  /** When admissions were last allowed again, null when they were never stopped. */
  reopenedAtMs: number | null
  /** After an outage not all who are inside may go on at once. */
  isRationed: boolean
}

/** What was seen, what was done, until when. */
export interface Decision {
  readonly atMs: number
  readonly upstream: string
  readonly did:
    | { readonly kind: 'ceiling-lowered' | 'ceiling-rising'; readonly from: number; readonly to: number }
    | { readonly kind: 'ceiling-lifted' | 'breaker-half-open' | 'breaker-closed' }
    | { readonly kind: 'breaker-open'; readonly untilMs: number }
  /** Null where time alone decided. */
  readonly saw: {
    readonly samples: number
    readonly apdex: number
    readonly failures: number
    readonly inside: number
  } | null
  /** False in shadow mode: it would have been done. */
  readonly enforced: boolean
}

/** What edges and doors need to know; null while all is well. */
export interface HealthView {
  /** Why admissions are fewer than the operator allows: an outage, or slow answers. */
  readonly reason: 'outage' | 'slow' | null
  /** The share of sessions inside whose requests go to the origin. */
  readonly inside: number
  /** The time of sessions does not run. */
  readonly paused: boolean
  readonly breakers: Readonly<Record<string, 'open' | 'half-open'>>
  /** The room's guess of when to try again. */
  readonly retryAfterMs: number
}

/** A window that is too thin is added to the next, this many times. */
const THIN_WINDOWS_MAX = 4
/** The last minute. */
const RECENT_WINDOWS = 12
/** Of the rate, while a trial runs; and at least one visitor a window. */
const TRIAL_SHARE = 0.01
const TRIAL_PER_MINUTE_MIN = 60_000 / WINDOW_MS
/** Of those inside, by the good windows of a trial so far: each share is small against what the one before has shown. */
const TRIAL_INSIDE = [0.05, 0.15, 0.35]
/** From there to everybody after a trial has ended. */
const INSIDE_RAMP_MS = 30_000
const RETRY_MS = 10_000

export function newHealth(nowMs: number): HealthState {
  return {
    upstreams: {},
    ceiling: NO_CEILING,
    isRising: false,
    windowBeganMs: nowMs,
    reopenedAtMs: null,
    isRationed: false,
  }
}

/** Takes in samples from the cells of a report; other cells are left alone. */
export function hear(
  health: HealthState,
  cells: Readonly<Record<string, number>>,
  rules: HealthRules,
  nowMs: number,
): void {
  if (rules.mode === 'off') return
  for (const [cell, by] of Object.entries(cells)) {
    const read = readCell(cell, 0, nowMs)
    if (!read || !rules.upstreams.some(({ name }) => name === read.upstream)) continue
    const { breaker, window } = of(health, read.upstream)
    // A trial is judged by what was sent during it.
    const sinceMs = breaker.state === 'closed' ? (breaker.sinceMs ?? 0) : breaker.sinceMs
    if (readCell(cell, sinceMs, nowMs)) add(window, read.mark, read.bucket, by)
  }
}

/** Takes in the outcome of an active probe: null for no good answer. */
export function probed(
  health: HealthState,
  upstream: UpstreamRules,
  tookMs: number | null,
  targetMs: number,
  nowMs: number,
): void {
  const own = of(health, upstream.name)
  const outcome = tookMs === null ? 'failed' : outcomeOf(tookMs, targetMs)
  own.breaker = afterProbe(own.breaker, outcome === 'satisfied' || outcome === 'tolerating', nowMs)
  if (own.breaker.state !== 'half-open') return
  const read = readCell(cellOf(upstream.name, outcome, tookMs ?? 0, nowMs), 0, nowMs)
  if (read) add(own.window, read.mark, read.bucket)
}

/** Lets time pass; answers what was decided. Called at any time, and harmless. */
export function advance(
  health: HealthState,
  load: Load,
  operator: Limits,
  rules: HealthRules,
  nowMs: number,
  random: number,
): readonly Decision[] {
  if (rules.mode === 'off') return []
  const decisions: Decision[] = []
  const enforced = rules.mode === 'enforce'
  const wasStopped = isStopped(health, rules)
  for (const { name } of rules.upstreams) {
    const own = of(health, name)
    const breaker = afterTime(own.breaker, nowMs)
    if (breaker.state !== own.breaker.state) decisions.push(said(name, breaker, null, load, nowMs, enforced))
    own.breaker = breaker
  }
  const tookMs = nowMs - health.windowBeganMs
  if (tookMs < 0) health.windowBeganMs = nowMs
  if (tookMs >= WINDOW_MS) {
    health.windowBeganMs = nowMs
    decisions.push(...endWindow(health, load, operator, rules, tookMs, nowMs, random))
  }
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  const { sessions } = health.ceiling
  if (sessions === null || load.inside <= sessions) health.isRationed &&= breakerOf(health, ORIGIN, rules) !== 'closed'
  return decisions
}

/** The operator's limits as the origin's health allows them. */
export function limitsNow<Rules extends Limits>(
  health: HealthState,
  operator: Rules,
  load: Load,
  rules: HealthRules,
  nowMs: number,
): Rules {
  const { ratePerMinute: rate, sessions } = rules.pins
  const limits = rules.mode === 'enforce' ? steered(health, operator, load, rules, nowMs) : operator
  if (rate === null && sessions === null) return limits
  return {
    ...limits,
    ratePerMinute: rate === null ? limits.ratePerMinute : Math.min(operator.ratePerMinute, rate),
    totalActiveUsers: sessions === null ? limits.totalActiveUsers : Math.min(operator.totalActiveUsers, sessions),
  }
}

/** What edges must know, null while everything is as the operator says. */
export function healthView(health: HealthState, load: Load, rules: HealthRules, nowMs: number): HealthView | null {
  const breakers: Record<string, 'open' | 'half-open'> = {}
  let untilMs = nowMs + RETRY_MS
  for (const { name } of rules.upstreams) {
    const state = breakerOf(health, name, rules)
    if (state === 'closed') continue
    breakers[name] = state
    const own = of(health, name).breaker
    if (own.state === 'open') untilMs = Math.max(untilMs, own.untilMs)
  }
  const inside = insideShare(health, load, rules, nowMs)
  const isOut = isStopped(health, rules) || isTrial(health, rules)
  const isSlow = rules.mode === 'enforce' && health.ceiling.sessions !== null && load.hasDemand
  if (Object.keys(breakers).length === 0 && inside === 1 && !isSlow) return null
  const origin = breakers[ORIGIN]
  return {
    reason: isOut ? 'outage' : isSlow ? 'slow' : null,
    inside,
    paused: origin !== undefined,
    breakers,
    retryAfterMs: Math.min(untilMs - nowMs, 30_000),
  }
}

/** The state of a breaker as it is in force: pinned, decided, or closed where health decides nothing. */
export function breakerOf(health: HealthState, name: string, rules: HealthRules): Breaker['state'] {
  const pin = rules.pins.breakers[name]
  if (pin) return pin
  return rules.mode === 'enforce' ? (health.upstreams[name]?.breaker.state ?? 'closed') : 'closed'
}

/** Names whose breaker is not closed, whatever is in force: those that active probes ask after. */
export function inTrouble(health: HealthState): readonly string[] {
  return Object.keys(health.upstreams).filter(name => health.upstreams[name]?.breaker.state !== 'closed')
}

function of(health: HealthState, name: string): UpstreamHealth {
  health.upstreams[name] ??= { breaker: CLOSED, apdex: null, window: noCounts(), thinWindows: 0, recent: [] }
  return health.upstreams[name]
}

function endWindow(
  health: HealthState,
  load: Load,
  operator: Limits,
  rules: HealthRules,
  tookMs: number,
  nowMs: number,
  random: number,
): Decision[] {
  const decisions: Decision[] = []
  let worst: { grade: Grade; name: string; samples: number } | null = null
  let opens = false
  for (const upstream of rules.upstreams) {
    const own = of(health, upstream.name)
    const { window, breaker: before } = own
    const samples = samplesOf(window)
    const grade = samples >= SAMPLES_MIN ? gradeOf(window, own.apdex, upstream.apdexTarget) : null
    const { openMs } = upstream
    if (openMs !== null)
      own.breaker = afterWindow(before, window, grade, { ...rules, ...upstream, openMs }, nowMs, random)
    if (own.breaker.state !== before.state) {
      decisions.push(
        said(upstream.name, own.breaker, grade && { grade, samples }, load, nowMs, rules.mode === 'enforce'),
      )
      if (upstream.critical && before.state === 'closed') opens = true
      // What was before says nothing of what is now.
      own.apdex = null
    } else if (grade) own.apdex = grade.apdex
    if (upstream.critical && grade && (!worst || isWorse(grade, worst.grade)))
      worst = { grade, name: upstream.name, samples }
    finish(own, grade !== null || before.state !== 'closed')
  }
  if (worst) decisions.push(...move(health, worst, opens, load, operator, rules, tookMs, nowMs))
  if (opens) health.isRationed = true
  return decisions
}

/** Keeps the window for the figures, and a thin one for the next decision. */
function finish(own: UpstreamHealth, isUsed: boolean): void {
  if (!isUsed && samplesOf(own.window) > 0 && ++own.thinWindows < THIN_WINDOWS_MAX) return
  own.recent.push(own.window)
  if (own.recent.length > RECENT_WINDOWS) own.recent.shift()
  own.window = noCounts()
  own.thinWindows = 0
}

function move(
  health: HealthState,
  { grade, name, samples }: { grade: Grade; name: string; samples: number },
  opens: boolean,
  load: Load,
  operator: Limits,
  rules: HealthRules,
  tookMs: number,
  nowMs: number,
): Decision[] {
  const total = operator.totalActiveUsers
  const before = health.ceiling
  // While a trial runs its few visitors say nothing of how many the origin can bear.
  if (!opens && (isStopped(health, rules) || isTrial(health, rules))) return []
  const after = opens
    ? cutForOutage(before, grade, load, total, rules, nowMs)
    : steer(before, grade, load, total, rules, tookMs, nowMs)
  health.ceiling = after
  const from = before.sessions ?? total
  const to = after.sessions ?? total
  const fell = to < from
  const isNews = fell || (to > from && (!health.isRising || after.sessions === null))
  if (fell) health.isRising = false
  else if (to > from) health.isRising = after.sessions !== null
  if (!isNews) return []
  const saw = { samples, apdex: grade.apdex, failures: grade.failures, inside: load.inside }
  const did: Decision['did'] =
    after.sessions === null
      ? { kind: 'ceiling-lifted' }
      : { kind: fell ? 'ceiling-lowered' : 'ceiling-rising', from: Math.floor(from), to: Math.floor(to) }
  return [{ atMs: nowMs, upstream: name, did, saw, enforced: rules.mode === 'enforce' }]
}

function said(
  upstream: string,
  breaker: Breaker,
  seen: { grade: Grade; samples: number } | null,
  { inside }: Load,
  nowMs: number,
  enforced: boolean,
): Decision {
  const saw = seen && { samples: seen.samples, apdex: seen.grade.apdex, failures: seen.grade.failures, inside }
  const did =
    breaker.state === 'open'
      ? ({ kind: 'breaker-open', untilMs: breaker.untilMs } as const)
      : ({ kind: breaker.state === 'closed' ? 'breaker-closed' : 'breaker-half-open' } as const)
  return { atMs: nowMs, upstream, did, saw, enforced }
}

function isWorse(grade: Grade, other: Grade): boolean {
  return grade.g < other.g || (grade.g === other.g && grade.apdex < other.apdex)
}

/** Nobody is admitted: the origin, or an upstream that admissions depend on, is out. */
function isStopped(health: HealthState, rules: HealthRules): boolean {
  return rules.upstreams.some(({ name, critical }) => critical && breakerOf(health, name, rules) === 'open')
}

function isTrial(health: HealthState, rules: HealthRules): boolean {
  return rules.upstreams.some(({ name, critical }) => critical && breakerOf(health, name, rules) === 'half-open')
}

function steered<Rules extends Limits>(
  health: HealthState,
  operator: Rules,
  load: Load,
  rules: HealthRules,
  nowMs: number,
): Rules {
  if (isStopped(health, rules)) return { ...operator, ratePerMinute: 0 }
  if (isTrial(health, rules)) {
    const trial = Math.max(TRIAL_PER_MINUTE_MIN, operator.ratePerMinute * TRIAL_SHARE)
    return { ...operator, ratePerMinute: Math.min(operator.ratePerMinute, trial) }
  }
  return lowered(operator, health.ceiling, load, rampOf(health, rules, nowMs))
}

function rampOf({ reopenedAtMs }: HealthState, { rampMs }: HealthRules, nowMs: number): number {
  if (reopenedAtMs === null || rampMs <= 0) return 1
  return clamp((nowMs - reopenedAtMs) / rampMs, TRIAL_SHARE, 1)
}

/**
 * Those inside come back little by little, and only as many as the origin can bear: what brought it down were they, and
 * admissions alone would need as long as a session lasts to change that.
 */
function insideShare(health: HealthState, load: Load, rules: HealthRules, nowMs: number): number {
  const state = breakerOf(health, ORIGIN, rules)
  const breaker = of(health, ORIGIN).breaker
  if (state === 'open') return 0
  if (state === 'half-open') return trialShare(breaker)
  if (rules.mode !== 'enforce' || !health.isRationed || breaker.state !== 'closed' || breaker.sinceMs === null) return 1
  const first = trialShare({ goodWindows: TRIAL_INSIDE.length })
  const back = clamp(first + ((1 - first) * (nowMs - breaker.sinceMs)) / INSIDE_RAMP_MS, first, 1)
  const { sessions } = health.ceiling
  return sessions === null || load.inside <= 0 ? back : Math.min(back, sessions / load.inside)
}

function trialShare(trial: object & { readonly goodWindows?: number }): number {
  return TRIAL_INSIDE[Math.min(trial.goodWindows ?? 0, TRIAL_INSIDE.length - 1)] ?? 0
}
