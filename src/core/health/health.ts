/**
 * Decides what follows from the health of a room's origin and its upstreams.
 *
 * It can only lower the operator's limits. The room owns the clock and the storage. The steps that are
 * returned are for operators to read.
 */
import type { AdmissionLimits } from '../permits/bank.ts'
import { afterProbe, afterTime, afterWindow, CLOSED, opened } from './breaker.ts'
import { brokenPatterns } from './broken.ts'
import { afterOverrun, type Ceiling, isCrowd, type Moment, NO_CEILING, steer } from './ceiling.ts'
import { breakerOf, isBack, isStopped, isTrial } from './effect.ts'
import { ORIGIN, outcomeOf, pointsOf, WINDOW_MS } from './outcome.ts'
import { type Load, recount, thereOf } from './presence.ts'
import {
  clearVotes,
  type HealthRules,
  type HealthState,
  newHealth,
  type UpstreamHealth,
  type UpstreamRules,
  upstreamIn,
} from './state.ts'
import { breakerStep, type HealthStep } from './step.ts'
import { type HealthVerdict, judge, smoothed } from './verdict.ts'
import { cast, marksOf, PROBE_LOTS } from './votes.ts'
import { continueWindow, hasDied, THIN_WINDOWS_MAX, verdictOn, WELL_VOTES_MIN } from './windows.ts'

interface HealthMoment {
  readonly load: Load
  readonly operator: AdmissionLimits
  readonly rules: HealthRules
  readonly nowMs: number
  /** Uniform in [0, 1). */
  readonly random: number
}

/** An upstream, what is known of it, and the verdict on its votes. */
interface Judged {
  readonly upstream: UpstreamRules
  readonly known: UpstreamHealth
  readonly verdict: HealthVerdict
  /** How long the votes were gathered. */
  readonly tookMs: number
}

/** A failed probe is believed at once. */
const FAILED_PROBE_VOTES = 3
/** A ceiling that falls below this share of what it was is logged. */
const NEWS_BELOW = 0.97
/** Answers count as quick when their score is at least this share of the target. */
const QUICK_FROM = 0.98

/** Lets time pass and returns the steps. May be called at any time. */
export function advance(health: HealthState, moment: HealthMoment): readonly HealthStep[] {
  const { load, rules, nowMs } = moment
  if (rules.mode === 'off') {
    // No votes are ingested while health is off. The known state would be outdated when health is turned on again.
    if (Object.keys(health.upstreams).length > 0) Object.assign(health, newHealth(nowMs))
    return []
  }
  const wasStopped = isStopped(health, rules)
  const steps = rules.upstreams.flatMap(upstream => inTime(health, upstream, moment))
  const tookMs = nowMs - health.windowBeganMs
  if (tookMs < 0 || tookMs >= WINDOW_MS) health.windowBeganMs = nowMs
  if (tookMs >= WINDOW_MS) steps.push(...endWindow(health, moment, tookMs))
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  const { sessions } = health.ceiling
  const isBorne = sessions === null || thereOf(health.presence, load) <= sessions
  if (isBorne && isBack(health, nowMs)) health.isRationed &&= breakerOf(health, ORIGIN, rules) !== 'closed'
  return steps
}

/**
 * Applies the result of an active probe. `tookMs` is null if no good answer came. Three good answers in a row end a
 * pause early, and then the step is returned.
 */
export function probed(
  health: HealthState,
  { name }: UpstreamRules,
  { tookMs, targetMs }: { readonly tookMs: number | null; readonly targetMs: number },
  { rules, nowMs }: Pick<HealthMoment, 'rules' | 'nowMs'>,
): readonly HealthStep[] {
  const known = upstreamIn(health, name)
  const before = known.breaker
  const outcome = tookMs === null ? 'failed' : outcomeOf(tookMs, targetMs)
  const wasStopped = isStopped(health, rules)
  known.breaker = afterProbe(before, outcome === 'satisfied' || outcome === 'tolerating', nowMs)
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  if (before.state === 'half-open') {
    const marks = marksOf({ samples: 1, points: pointsOf(outcome), failed: outcome === 'failed' ? 1 : 0 })
    for (const lot of PROBE_LOTS) cast(known.ballot, lot, marks)
    known.votes += outcome === 'failed' ? FAILED_PROBE_VOTES : 1
  }
  if (known.breaker.state === before.state) return []
  beginAnew(known)
  return [breakerStep(name, known.breaker, null)]
}

/** Lifts the ceiling, because an operator wants it. Returns the step, if there was one to lift. */
export function lifted(health: HealthState): readonly HealthStep[] {
  const wasThere = health.ceiling.sessions !== null
  health.ceiling = NO_CEILING
  health.isRising = false
  return wasThere ? [{ upstream: ORIGIN, did: { kind: 'ceiling-lifted' }, verdict: null }] : []
}

/**
 * Decides what need not wait for the end of a window: a pause that is over, and an upstream that has certainly failed.
 */
function inTime(health: HealthState, { name, openMs }: UpstreamRules, moment: HealthMoment): HealthStep[] {
  const { nowMs } = moment
  const known = upstreamIn(health, name)
  const before = known.breaker
  const isDead = before.state === 'closed' && openMs !== null && name !== ORIGIN && hasDied(known, nowMs)
  if (openMs === null) known.breaker = CLOSED
  else if (isDead) known.breaker = opened(before, { openMs }, { ...moment, retryAfterMs: known.retryAfterMs })
  else known.breaker = afterTime(before, nowMs)
  if (known.breaker.state === before.state) return []
  const verdict = isDead ? judge(known, null, 1) : null
  beginAnew(known)
  return [breakerStep(name, known.breaker, verdict)]
}

/**
 * Discards the votes from before a change of state. They do not describe a blocked upstream, and requests sent during
 * the pause do not describe its trial.
 */
function beginAnew(known: UpstreamHealth): void {
  known.speed = null
  known.failing = {}
  clearVotes(known)
}

function endWindow(health: HealthState, moment: HealthMoment, windowMs: number): HealthStep[] {
  const { load, rules } = moment
  recount(health.presence, load, moment.nowMs)
  const steps: HealthStep[] = []
  let worst: Judged | null = null
  for (const upstream of rules.upstreams) {
    const known = upstreamIn(health, upstream.name)
    const verdict = verdictOn(health, known, upstream)
    if (!verdict) {
      continueWindow(known, health.ceiling.sessions !== null)
      continue
    }
    const tookMs = Math.min(windowMs * (known.thinWindows + 1), THIN_WINDOWS_MAX * WINDOW_MS)
    const judged = { upstream, known, verdict, tookMs }
    steps.push(...applyVerdict(health, judged, moment))
    if (upstream.critical && (!worst || verdict.score < worst.verdict.score)) worst = judged
  }
  if (health.upstreams[ORIGIN]?.breaker.state === 'open') health.isRationed = true
  // The few visitors of a trial are no evidence of how many sessions the origin can bear.
  if (worst && !isStopped(health, rules) && !isTrial(health, rules)) {
    const after = steer(health.ceiling, worst.verdict, worst.upstream.apdexTarget, ceilingMoment(health, worst, moment))
    steps.push(...changeCeiling(health, after, worst, moment.operator))
  }
  health.thereBefore = thereOf(health.presence, load)
  return steps
}

/** Applies a verdict to the breaker of its upstream, and to the ceiling where visitors have overrun the upstream. */
function applyVerdict(health: HealthState, judged: Judged, moment: HealthMoment): HealthStep[] {
  const { upstream, known, verdict } = judged
  const { name, critical, openMs } = upstream
  const before = known.breaker
  const steps = name === ORIGIN ? brokenPatterns(health, verdict, moment.nowMs) : []
  if (verdict.quick !== null && verdict.voters >= WELL_VOTES_MIN) known.quick = smoothed(known.quick, verdict.quick)
  if (openMs !== null) {
    const opening = { ...moment, retryAfterMs: known.retryAfterMs }
    known.breaker = afterWindow(before, verdict, { ...moment.rules, openMs }, opening)
  }
  if (known.breaker.state === before.state) {
    known.speed = verdict.speed
    clearVotes(known)
    return steps
  }
  steps.push(breakerStep(name, known.breaker, verdict))
  if (critical && before.state === 'closed') {
    const ceiling = ceilingMoment(health, judged, moment)
    if (wasOverrun(health.ceiling, judged, ceiling))
      steps.push(...changeCeiling(health, afterOverrun(health.ceiling, ceiling), judged, moment.operator))
  }
  beginAnew(known)
  return steps
}

/**
 * Whether visitors have overrun an origin that is down. They have if its answers in time were slow, or if a crowd got
 * no answer. An origin whose answers were quick has failed by itself.
 */
function wasOverrun(ceiling: Ceiling, { known: { quick }, verdict, upstream }: Judged, moment: Moment): boolean {
  const isSlow = (speed: number) => speed < QUICK_FROM * upstream.apdexTarget
  return (quick !== null && isSlow(quick)) || (isCrowd(ceiling, moment) && isSlow(verdict.speed))
}

function ceilingMoment(
  health: HealthState,
  { tookMs }: Judged,
  { load, operator, rules, nowMs }: HealthMoment,
): Moment {
  const { isRationed, thereBefore, presence } = health
  const { hasDemand } = load
  return {
    load: { there: thereOf(presence, load), thereBefore, hasDemand, isRationed },
    operator,
    rules,
    nowMs,
    tookMs,
  }
}

/** Puts a new ceiling in force, and returns the step that operators should read, if any. */
function changeCeiling(
  health: HealthState,
  after: Ceiling,
  { upstream, verdict }: Judged,
  { totalActiveUsers }: AdmissionLimits,
): HealthStep[] {
  const from = health.ceiling.sessions ?? totalActiveUsers
  const to = after.sessions ?? totalActiveUsers
  health.ceiling = after
  // A ceiling that comes down little by little is no news.
  const fell = to < NEWS_BELOW * from
  const isNews = fell || (to > from && (!health.isRising || after.sessions === null))
  if (fell || to > from) health.isRising = !fell && after.sessions !== null
  if (!isNews) return []
  const lowered = {
    kind: fell ? 'ceiling-lowered' : 'ceiling-rising',
    from: Math.floor(from),
    to: Math.floor(to),
  } as const
  const did = after.sessions === null ? ({ kind: 'ceiling-lifted' } as const) : lowered
  return [{ upstream: upstream.name, did, verdict }]
}
