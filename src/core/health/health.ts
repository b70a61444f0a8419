/**
 * What follows from the health of a room's origin and of its upstreams.
 *
 * It can only lower the operator's limits. The room owns the clock and the storage. What `advance` decides it also says, for operators
 * to read.
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

/** A room that heard nothing for an hour has not seen for an hour that more would be borne. */
const STEP_MAX_MS = THIN_WINDOWS_MAX * WINDOW_MS

/** Takes in the outcome of an active probe: null for no good answer. Three good ones end a pause: that is a decision. */
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

/** Lets time pass; answers what was decided. Called at any time, and harmless. `random` is uniform in [0, 1). */
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

/** What does not wait for the end of a window: a pause that is over, and an upstream that leaves no doubt. */
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

/** What was before says nothing of what is now: neither of an upstream that is closed off, nor of its trial what was sent during the pause. */
function beginAnew(heard: UpstreamHealth): void {
  heard.apdex = null
  heard.streak = newStreak()
  finish(heard, true)
}

/** Turned off, nothing is heard: what was known is old news by the time that it is turned on again. */
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
      // Of a ceiling that few are under, the next one who asks says whether it may rise.
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

/** What a window says of an upstream. `isOneVoice`: one session complained so much that nothing is said of the others, neither bad nor good. */
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
  // Sessions complain once in a window of their edge: of what was heard in this one, some have done so in the one before.
  const sinceMs = nowMs - windows * Math.max(tookMs, WINDOW_MS) - WINDOW_MS
  if (isOrigin && breaker.state === 'closed') forgetBefore(streak, sinceMs)
  // Of a named upstream who does not complain during a trial is a newcomer; of the origin everybody does, but not to edges of an older version.
  const sessions = sessionsIn(streak)
  const isOfOne = sessions === 1 || (sessions === 0 && !isOrigin)
  const isOneVoice = isOrigin && isOfOne && isTooMuch(window, windows)
  const isGraded = samplesOf(window) >= SAMPLES_MIN && !isOneVoice
  const grade = isGraded ? gradeOf(heard, windows, upstream.apdexTarget) : thinGrade(heard, upstream, health)
  return { grade, isOfOne, isOneVoice }
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

function move(
  health: HealthState,
  { grade, name, samples }: Seen & { readonly name: string },
  opens: boolean,
  moment: HealthMoment,
  tookMs: number,
): Decision[] {
  const { load, rules } = moment
  const { ceiling, isRationed, insideBefore } = health
  // While a trial runs its few visitors say nothing of how many the origin can bear.
  if (!opens && (isStopped(health, rules) || isTrial(health, rules))) return []
  const after = opens
    ? afterOutage(ceiling, grade, moment)
    : steer(ceiling, grade, { ...moment, load: { ...load, isRationed, insideBefore } }, tookMs)
  return changed(health, after, name, { grade, samples }, moment)
}

/** The ceiling is another one, and what is to be said of it. */
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
