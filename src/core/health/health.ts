/**
 * Decides what follows from the health of a room's origin and its upstreams.
 *
 * It can only lower the operator's limits. The room owns the clock and the storage. `advance` returns its decisions, so
 * that operators can read them.
 */
import { afterProbe, afterTime, afterWindow, CLOSED, openedFirst, type Window } from './breaker.ts'
import { afterOutage, afterTrial, type Ceiling, type Moment, steer } from './controller.ts'
import { type Decision, type Seen, said, sawOf, seenBy } from './decision-log.ts'
import { breakerOf, isStopped, isTrial, trialShare } from './effect.ts'
import { forgetBefore, isDead, newStreak, probeFailed, sessionsIn } from './failure-streak.ts'
import { type Grade, gradeOf, gradeOfTrial, isTooMuch, SAMPLES_MIN, TRIAL_SAMPLES_MIN } from './grade.ts'
import { finish, THIN_WINDOWS_MAX } from './ingest.ts'
import { add, bucketOf, ORIGIN, outcomeOf, samplesOf, WINDOW_MS } from './samples.ts'
import {
  type HealthRules,
  type HealthState,
  newHealth,
  type UpstreamHealth,
  type UpstreamRules,
  upstreamIn,
} from './state.ts'

export interface HealthMoment extends Moment {
  readonly rules: HealthRules
}

/**
 * The longest time that one step of the ceiling may count: an hour without samples is no evidence for a higher ceiling.
 */
const STEP_MAX_MS = THIN_WINDOWS_MAX * WINDOW_MS

/**
 * Applies the result of an active probe: null for no good answer. Three good ones end a pause early, and this decision
 * is returned.
 */
export function probed(
  health: HealthState,
  { name }: UpstreamRules,
  { tookMs, targetMs }: { readonly tookMs: number | null; readonly targetMs: number },
  moment: Omit<HealthMoment, 'operator'>,
): Decision | null {
  const { rules, nowMs } = moment
  const asked = upstreamIn(health, name)
  const before = asked.breaker
  const outcome = tookMs === null ? 'failed' : outcomeOf(tookMs, targetMs)
  const wasStopped = isStopped(health, rules)
  asked.breaker = afterProbe(before, outcome === 'satisfied' || outcome === 'tolerating', nowMs)
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  if (before.state === 'half-open') add(asked.window, outcome, bucketOf(tookMs ?? 0))
  if (before.state === 'half-open' && outcome === 'failed') probeFailed(asked.streak, nowMs)
  if (asked.breaker.state === before.state) return null
  beginAnew(asked)
  return said(name, asked.breaker, null, moment)
}

/** Lets time pass and returns the decisions. May be called at any time. `random` is uniform in [0, 1). */
export function advance(health: HealthState, moment: HealthMoment, random: number): readonly Decision[] {
  const { load, rules, nowMs } = moment
  if (rules.mode === 'off') return forget(health, nowMs)
  const wasStopped = isStopped(health, rules)
  const decisions = rules.upstreams.flatMap(upstream => inTime(health, upstream, moment, random))
  const tookMs = nowMs - health.windowBeganMs
  if (tookMs < 0) health.windowBeganMs = nowMs
  if (tookMs >= WINDOW_MS) {
    health.windowBeganMs = nowMs
    decisions.push(...endWindow(health, moment, tookMs, random))
  }
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  const { sessions } = health.ceiling
  if (sessions === null || load.inside <= sessions) health.isRationed &&= breakerOf(health, ORIGIN, rules) !== 'closed'
  return decisions
}

/**
 * Decides what need not wait for the end of a window: a pause that is over, and an upstream that has certainly failed.
 */
function inTime(health: HealthState, rules: UpstreamRules, moment: HealthMoment, random: number): Decision[] {
  const { name, openMs, apdexTarget, critical } = rules
  const { nowMs } = moment
  const heard = upstreamIn(health, name)
  const before = heard.breaker
  if (openMs === null) heard.breaker = CLOSED
  else if (before.state === 'closed' && name !== ORIGIN && isDead(heard.streak, nowMs)) {
    const { window } = heard
    heard.breaker = openedFirst(before, window, openMs, nowMs, random)
    beginAnew(heard)
    const seen = { grade: gradeOfTrial(window, apdexTarget), samples: samplesOf(window) }
    const opened = said(name, heard.breaker, seen, moment)
    return critical ? [opened, ...move(health, { ...seen, name }, true, moment, 0)] : [opened]
  } else heard.breaker = afterTime(before, nowMs)
  if (heard.breaker.state === before.state) return []
  beginAnew(heard)
  return [said(name, heard.breaker, null, moment)]
}

/**
 * Discards the samples from before a change of state. They do not describe a blocked upstream, and requests sent during
 * the pause do not describe its trial.
 */
function beginAnew(heard: UpstreamHealth): void {
  heard.apdex = null
  heard.streak = newStreak()
  finish(heard, true)
}

/**
 * While health is off no samples are ingested. The known state is dropped, because it will be outdated by the time
 * health is turned on again.
 */
function forget(health: HealthState, nowMs: number): readonly Decision[] {
  if (Object.keys(health.upstreams).length > 0) Object.assign(health, { ...newHealth(nowMs), minute: health.minute })
  return []
}

function endWindow(health: HealthState, moment: HealthMoment, tookMs: number, random: number): Decision[] {
  const { load, rules, nowMs } = moment
  const decisions: Decision[] = []
  let worst: (Seen & { readonly name: string; readonly windows: number }) | null = null
  let opens = false
  for (const upstream of rules.upstreams) {
    const { name, critical, openMs, apdexTarget } = upstream
    const heard = upstreamIn(health, name)
    const { window, breaker: before } = heard
    const samples = samplesOf(window)
    const windows = heard.thinWindows + 1
    const { grade, isOfOne, isOneVoice } = judged(health, heard, upstream, tookMs, nowMs)
    if (openMs !== null) {
      const breakerRules = { ...rules, ...upstream, openMs }
      heard.breaker = afterWindow(before, { counts: window, grade, isOfOne }, breakerRules, nowMs, random)
    }
    if (heard.breaker.state !== before.state) {
      const seen = seenBy(before, window, grade, apdexTarget)
      decisions.push(said(name, heard.breaker, seen, moment))
      if (critical && before.state === 'closed') opens = true
      if (name === ORIGIN && heard.breaker.state === 'closed') {
        const raised = afterTrial(health.ceiling, load.inside * trialShare(before))
        decisions.push(...changed(health, raised, ORIGIN, seen, moment))
      }
      beginAnew(heard)
    } else {
      if (grade) heard.apdex = grade.apdex
      // Under a low ceiling few sessions ask: the next samples decide whether it may rise.
      const isAwaited = critical && health.ceiling.sessions !== null && samples < TRIAL_SAMPLES_MIN
      finish(heard, grade !== null || isOneVoice || before.state !== 'closed', isAwaited)
    }
    if (critical && grade && (!worst || isWorse(grade, worst.grade))) worst = { grade, name, samples, windows }
  }
  if (health.upstreams[ORIGIN]?.breaker.state === 'open') health.isRationed = true
  if (worst) {
    const gatheredMs = Math.min(tookMs * worst.windows, STEP_MAX_MS)
    decisions.push(...move(health, worst, opens, moment, gatheredMs))
  }
  health.insideBefore = load.inside
  return decisions
}

/**
 * Grades a window of an upstream. `isOneVoice`: one session failed so often that the window is no evidence of others.
 */
function judged(
  health: HealthState,
  heard: UpstreamHealth,
  upstream: UpstreamRules,
  tookMs: number,
  nowMs: number,
): Omit<Window, 'counts'> & { readonly isOneVoice: boolean } {
  const { window, breaker, streak } = heard
  const windows = heard.thinWindows + 1
  const isOrigin = upstream.name === ORIGIN
  // A session complains once per window of its edge, so some complaints for this window came in the one before.
  const sinceMs = nowMs - windows * Math.max(tookMs, WINDOW_MS) - WINDOW_MS
  if (isOrigin && breaker.state === 'closed') forgetBefore(streak, sinceMs)
  // Newcomers file no complaints about a named upstream, so zero complainants may still be one session. For the origin
  // every failed session files one; zero means the reports come from older edges.
  const sessions = sessionsIn(streak)
  const isOfOne = sessions === 1 || (sessions === 0 && !isOrigin)
  const isOneVoice = isOrigin && isOfOne && isTooMuch(window, windows)
  const isGraded = samplesOf(window) >= SAMPLES_MIN && !isOneVoice
  const grade = isGraded ? gradeOf(heard, windows, upstream.apdexTarget) : thinGrade(heard, upstream, health)
  return { grade, isOfOne, isOneVoice }
}

/**
 * While most sessions are held, or few are allowed, only few samples come. They are graded as in a trial, but only a
 * healthy grade counts. Without it a low ceiling would never rise again.
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

function move(
  health: HealthState,
  { grade, name, samples }: Seen & { readonly name: string },
  opens: boolean,
  moment: HealthMoment,
  tookMs: number,
): Decision[] {
  const { load, rules } = moment
  const { ceiling, isRationed, insideBefore } = health
  // The few visitors of a trial are no evidence of how many sessions the origin can bear.
  if (!opens && (isStopped(health, rules) || isTrial(health, rules))) return []
  const after = opens
    ? afterOutage(ceiling, grade, moment)
    : steer(ceiling, grade, { ...moment, load: { ...load, isRationed, insideBefore } }, tookMs)
  return changed(health, after, name, { grade, samples }, moment)
}

/** Puts a new ceiling in force, and returns the decision that operators should read, if any. */
function changed(
  health: HealthState,
  after: Ceiling,
  upstream: string,
  seen: Seen | null,
  { load, operator, rules, nowMs }: HealthMoment,
): Decision[] {
  const before = health.ceiling
  health.ceiling = after
  const from = before.sessions ?? operator.totalActiveUsers
  const to = after.sessions ?? operator.totalActiveUsers
  const fell = to < from
  const isNews = fell || (to > from && (!health.isRising || after.sessions === null))
  if (fell) health.isRising = false
  else if (to > from) health.isRising = after.sessions !== null
  if (!isNews) return []
  const did: Decision['did'] =
    after.sessions === null
      ? { kind: 'ceiling-lifted' }
      : { kind: fell ? 'ceiling-lowered' : 'ceiling-rising', from: Math.floor(from), to: Math.floor(to) }
  return [{ atMs: nowMs, upstream, did, saw: sawOf(seen, load), enforced: rules.mode === 'enforce' }]
}

function isWorse(grade: Grade, other: Grade): boolean {
  return grade.g < other.g || (grade.g === other.g && grade.apdex < other.apdex)
}
