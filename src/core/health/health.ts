/**
 * The health of a room's origin and of its upstreams: what was heard, what follows from it, and what edges must know.
 *
 * It can only lower the operator's limits. The room owns the clock and the storage: a state is plain data, and changes
 * only in `hear`, `probed` and `advance`. What `advance` decides it also says, for operators to read.
 */
import { own, ownOr } from '../own.ts'
import type { Limits } from '../permits.ts'
import { afterDeath, afterProbe, afterTime, afterWindow, type Breaker, CLOSED } from './breaker.ts'
import {
  afterOutage,
  afterTrial,
  type Ceiling,
  type ControllerRules,
  type Load,
  NO_CEILING,
  steer,
} from './controller.ts'
import { type Decision, type Seen, said, sawOf, seenBy } from './decisions.ts'
import { type Grade, gradeOf, gradeOfTrial, isDead, SAMPLES_MIN, TRIAL_SAMPLES_MIN } from './grade.ts'
import { breakerOf, isStopped, isTrial, TRIED_INSIDE } from './in-force.ts'
import {
  add,
  bucketOf,
  type Counts,
  merge,
  noCounts,
  ORIGIN,
  outcomeOf,
  readCell,
  samplesOf,
  WINDOW_MS,
} from './samples.ts'

export type { Decision } from './decisions.ts'

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

/** A window that is too thin is added to the next, this many times. */
const THIN_WINDOWS_MAX = 4
/** A room that heard nothing for an hour has not seen for an hour that more would be borne. */
const STEP_MAX_MS = THIN_WINDOWS_MAX * WINDOW_MS
/** The last minute. */
const RECENT_WINDOWS = 12
const MINUTE_MS = 60_000

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

/** Takes in samples from the cells of a report; other cells are left alone. */
export function hear(
  health: HealthState,
  cells: Readonly<Record<string, number>>,
  rules: HealthRules,
  nowMs: number,
): void {
  if (rules.mode === 'off') return
  for (const [cell, by] of Object.entries(cells)) {
    const read = readCell(cell, nowMs)
    if (!read || !rules.upstreams.some(({ name }) => name === read.upstream)) continue
    const { breaker, window } = of(health, read.upstream)
    add(ownOr(health.minute.upstreams, read.upstream, noCounts), read.mark, read.bucket, by)
    // A trial is judged by what was sent during it.
    const sinceMs = breaker.state === 'closed' ? (breaker.sinceMs ?? 0) : breaker.sinceMs
    if (read.sentByMs > sinceMs) add(window, read.mark, read.bucket, by)
  }
}

/** The minute that is over, once; null while it goes on. */
export function endMinute(health: HealthState, nowMs: number): Minute | null {
  const ended = health.minute
  const minute = Math.floor(nowMs / MINUTE_MS)
  if (minute === ended.minute) return null
  health.minute = { minute, upstreams: {} }
  return ended
}

/** What was heard of an upstream in the last minute. */
export function lastMinute(health: HealthState, name: string): Counts {
  const counts = noCounts()
  const known = own(health.upstreams, name)
  for (const window of known ? [...known.recent, known.window] : []) merge(counts, window)
  return counts
}

/** Takes in the outcome of an active probe: null for no good answer. Three good ones end a pause: that is a decision. */
export function probed(
  health: HealthState,
  { name }: UpstreamRules,
  tookMs: number | null,
  targetMs: number,
  load: Load,
  rules: HealthRules,
  nowMs: number,
): Decision | null {
  const own = of(health, name)
  const before = own.breaker
  const outcome = tookMs === null ? 'failed' : outcomeOf(tookMs, targetMs)
  const wasStopped = isStopped(health, rules)
  own.breaker = afterProbe(before, outcome === 'satisfied' || outcome === 'tolerating', nowMs)
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  if (before.state === 'half-open') add(own.window, outcome, bucketOf(tookMs ?? 0))
  return own.breaker.state === before.state
    ? null
    : said(name, own.breaker, null, load, nowMs, rules.mode === 'enforce')
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
  if (rules.mode === 'off') return forget(health, nowMs)
  const decisions: Decision[] = []
  const enforced = rules.mode === 'enforce'
  const wasStopped = isStopped(health, rules)
  for (const upstream of rules.upstreams) {
    const { name } = upstream
    const own = of(health, name)
    const before = own.breaker
    own.breaker = upstream.openMs === null ? withoutBreaker(before) : afterTime(before, nowMs)
    let seen: Seen | null = null
    if (name !== ORIGIN && upstream.openMs !== null && isDead(own.window, own.thinWindows + 1)) {
      own.breaker = afterDeath(own.breaker, own.window, upstream.openMs, nowMs, random)
      if (own.breaker.state === 'open' && before.state === 'closed') {
        seen = { grade: gradeOfTrial(own.window, upstream.apdexTarget), samples: samplesOf(own.window) }
        // What was before says nothing of what is now.
        finish(own, true)
      }
    }
    if (own.breaker.state !== before.state) decisions.push(said(name, own.breaker, seen, load, nowMs, enforced))
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

/** Turned off, nothing is heard: what was known is old news by the time that it is turned on again. */
function forget(health: HealthState, nowMs: number): readonly Decision[] {
  if (Object.keys(health.upstreams).length > 0) Object.assign(health, { ...newHealth(nowMs), minute: health.minute })
  return []
}

/** Names whose breaker is not closed, whatever is in force: those that active probes ask after. */
export function inTrouble(health: HealthState): readonly string[] {
  return Object.keys(health.upstreams).filter(name => health.upstreams[name]?.breaker.state !== 'closed')
}

function of(health: HealthState, name: string): UpstreamHealth {
  return ownOr(health.upstreams, name, () => ({
    breaker: CLOSED,
    apdex: null,
    window: noCounts(),
    thinWindows: 0,
    recent: [],
  }))
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
  let worst: (Seen & { readonly name: string; readonly windows: number }) | null = null
  let opens = false
  for (const upstream of rules.upstreams) {
    const own = of(health, upstream.name)
    const { window, breaker: before } = own
    const samples = samplesOf(window)
    const grade =
      samples >= SAMPLES_MIN
        ? gradeOf(window, own.thinWindows + 1, own.apdex, upstream.apdexTarget)
        : thinGrade(own, upstream, health)
    const { openMs } = upstream
    if (openMs !== null) {
      const breakerRules = { ...rules, ...upstream, openMs }
      own.breaker = afterWindow(before, window, grade, breakerRules, nowMs, random)
    }
    if (own.breaker.state !== before.state) {
      const seen = seenBy(before, window, grade, upstream.apdexTarget)
      decisions.push(said(upstream.name, own.breaker, seen, load, nowMs, rules.mode === 'enforce'))
      if (upstream.critical && before.state === 'closed') opens = true
      if (upstream.name === ORIGIN && own.breaker.state === 'closed') {
        const raised = afterTrial(health.ceiling, load.inside * TRIED_INSIDE)
        decisions.push(...changed(health, raised, ORIGIN, seen, load, operator, rules, nowMs))
      }
      // What was before says nothing of what is now.
      own.apdex = null
    } else if (grade) own.apdex = grade.apdex
    if (upstream.critical && grade && (!worst || isWorse(grade, worst.grade)))
      worst = { grade, name: upstream.name, samples, windows: own.thinWindows + 1 }
    // Of a ceiling that few are under, the next one who asks says whether it may rise.
    const isAwaited = upstream.critical && health.ceiling.sessions !== null && samples < TRIAL_SAMPLES_MIN
    finish(own, grade !== null || before.state !== 'closed', isAwaited)
  }
  if (health.upstreams[ORIGIN]?.breaker.state === 'open') health.isRationed = true
  if (worst) {
    const gatheredMs = Math.min(tookMs * worst.windows, STEP_MAX_MS)
    decisions.push(...move(health, worst, opens, load, operator, rules, gatheredMs, nowMs))
  }
  health.insideBefore = load.inside
  return decisions
}

/**
 * While most of those inside are held, or few may be inside at all, few ask, and what they say counts as in a trial: but only as leave
 * to go on. Otherwise a low ceiling would never rise again.
 */
function thinGrade(
  { window, thinWindows }: UpstreamHealth,
  { apdexTarget }: UpstreamRules,
  { isRationed, ceiling }: HealthState,
): Grade | null {
  const isLow = ceiling.sessions !== null && thinWindows + 1 >= THIN_WINDOWS_MAX
  if (!(isRationed || isLow) || samplesOf(window) < TRIAL_SAMPLES_MIN) return null
  const grade = gradeOfTrial(window, apdexTarget)
  return grade.verdict === 'healthy' ? grade : null
}

/** Keeps the window for the figures, and a thin one for the next decision: longer where the few samples in it are all there are. */
function finish(own: UpstreamHealth, isUsed: boolean, isAwaited = false): void {
  if (!isUsed && samplesOf(own.window) > 0) {
    const goesOn = own.thinWindows + 1 < THIN_WINDOWS_MAX
    if (goesOn) own.thinWindows++
    if (goesOn || isAwaited) return
  }
  own.recent.push(own.window)
  if (own.recent.length > RECENT_WINDOWS) own.recent.shift()
  own.window = noCounts()
  own.thinWindows = 0
}

function move(
  health: HealthState,
  { grade, name, samples }: Seen & { readonly name: string },
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
    ? afterOutage(before, grade, load, total, rules, nowMs)
    : steer(
        before,
        grade,
        { ...load, isRationed: health.isRationed, insideBefore: health.insideBefore },
        total,
        rules,
        tookMs,
        nowMs,
      )
  return changed(health, after, name, { grade, samples }, load, operator, rules, nowMs)
}

/** The ceiling is another one, and what is to be said of it. */
function changed(
  health: HealthState,
  after: Ceiling,
  upstream: string,
  seen: Seen | null,
  load: Load,
  { totalActiveUsers: total }: Limits,
  { mode }: HealthRules,
  nowMs: number,
): Decision[] {
  const before = health.ceiling
  health.ceiling = after
  const from = before.sessions ?? total
  const to = after.sessions ?? total
  const fell = to < from
  const isNews = fell || (to > from && (!health.isRising || after.sessions === null))
  if (fell) health.isRising = false
  else if (to > from) health.isRising = after.sessions !== null
  if (!isNews) return []
  const did: Decision['did'] =
    after.sessions === null
      ? { kind: 'ceiling-lifted' }
      : { kind: fell ? 'ceiling-lowered' : 'ceiling-rising', from: Math.floor(from), to: Math.floor(to) }
  return [{ atMs: nowMs, upstream, did, saw: sawOf(seen, load), enforced: mode === 'enforce' }]
}

/** Its settings have none any more: whatever it was, requests go on. */
function withoutBreaker(before: Breaker): Breaker {
  return before.state === 'closed' ? before : CLOSED
}

function isWorse(grade: Grade, other: Grade): boolean {
  return grade.g < other.g || (grade.g === other.g && grade.apdex < other.apdex)
}
