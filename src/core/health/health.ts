/**
 * Decides what follows from the health of a room's origin and its upstreams.
 *
 * It can only lower the operator's limits. The room owns the clock and the storage. `advance` returns its decisions, so
 * that operators can read them.
 */
import type { AdmissionLimits } from '../permits/bank.ts'
import { afterProbe, afterTime, afterWindow, type Breaker, CLOSED, isBackAgain, opened } from './breaker.ts'
import { brokenPatterns } from './broken.ts'
import { afterOverrun, afterTrial, type Ceiling, isCrowd, type Moment, NO_CEILING, steer } from './ceiling.ts'
import { breakerDecision, type Decision, decided, recordedOf } from './decision-log.ts'
import { breakerOf, isBack, isStopped, isTrial, trialShare } from './effect.ts'
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

/** A failed probe is believed at once. */
const FAILED_PROBE_VOTES = 3
/** A ceiling that falls below this share of what it was is logged. */
const NEWS_BELOW = 0.97
/** Answers count as quick when their score is at least this share of the target. */
const QUICK_FROM = 0.98

/**
 * Applies the result of an active probe: null for no good answer. Three good ones end a pause early, and this decision
 * is returned.
 */
export function probed(
  health: HealthState,
  { name }: UpstreamRules,
  { tookMs, targetMs }: { readonly tookMs: number | null; readonly targetMs: number },
  moment: Omit<HealthMoment, 'operator' | 'random'>,
): Decision | null {
  const { rules, nowMs } = moment
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
  if (known.breaker.state === before.state) return null
  beginAnew(known)
  return breakerDecision(name, known.breaker, null, recordedOf(health, moment))
}

/** Lifts the ceiling, because an operator wants it. Returns the decision, if there was one to lift. */
export function lifted(health: HealthState, moment: Omit<HealthMoment, 'operator' | 'random'>): Decision | null {
  const wasThere = health.ceiling.sessions !== null
  health.ceiling = NO_CEILING
  health.isRising = false
  return wasThere ? decided(ORIGIN, { kind: 'ceiling-lifted' }, null, recordedOf(health, moment)) : null
}

/** Lets time pass and returns the decisions. May be called at any time. */
export function advance(health: HealthState, moment: HealthMoment): readonly Decision[] {
  const { load, rules, nowMs } = moment
  if (rules.mode === 'off') return forget(health, nowMs)
  const wasStopped = isStopped(health, rules)
  const decisions = rules.upstreams.flatMap(upstream => inTime(health, upstream, moment))
  const tookMs = nowMs - health.windowBeganMs
  if (tookMs < 0) health.windowBeganMs = nowMs
  if (tookMs >= WINDOW_MS) {
    health.windowBeganMs = nowMs
    decisions.push(...endWindow(health, moment, tookMs))
  }
  if (wasStopped && !isStopped(health, rules)) health.reopenedAtMs = nowMs
  const { sessions } = health.ceiling
  const isBorne = sessions === null || thereOf(health.presence, load) <= sessions
  if (isBorne && isBack(health, nowMs)) health.isRationed &&= breakerOf(health, ORIGIN, rules) !== 'closed'
  return decisions
}

/**
 * Decides what need not wait for the end of a window: a pause that is over, and an upstream that has certainly failed.
 */
function inTime(health: HealthState, { name, openMs }: UpstreamRules, moment: HealthMoment): Decision[] {
  const { nowMs } = moment
  const known = upstreamIn(health, name)
  const before = known.breaker
  const isDead = before.state === 'closed' && openMs !== null && name !== ORIGIN && hasDied(known, nowMs)
  if (openMs === null) known.breaker = CLOSED
  else if (isDead) known.breaker = opened(before, { openMs }, { ...moment, retryAfterMs: known.retryAfterMs })
  else known.breaker = afterTime(before, nowMs)
  if (known.breaker.state === before.state) return []
  const seen = isDead ? judge(known, null, 1) : null
  beginAnew(known)
  return [breakerDecision(name, known.breaker, seen, recordedOf(health, moment))]
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

/**
 * While health is off no votes are ingested. The known state is dropped, because it will be outdated by the time health
 * is turned on again.
 */
function forget(health: HealthState, nowMs: number): readonly Decision[] {
  if (Object.keys(health.upstreams).length > 0) Object.assign(health, newHealth(nowMs))
  return []
}

/** The verdict on an upstream after a window, and over how many windows its votes were gathered. */
interface Judged {
  readonly upstream: UpstreamRules
  readonly verdict: HealthVerdict
  readonly windows: number
}

function endWindow(health: HealthState, moment: HealthMoment, tookMs: number): Decision[] {
  const { load, rules } = moment
  recount(health.presence, load, moment.nowMs)
  const decisions: Decision[] = []
  let worst: Judged | null = null
  for (const upstream of rules.upstreams) {
    const known = upstreamIn(health, upstream.name)
    const judged = { upstream, windows: known.thinWindows + 1, verdict: verdictOn(health, known, upstream) }
    const { verdict } = judged
    if (verdict === null) {
      continueWindow(known, health.ceiling.sessions !== null)
      continue
    }
    decisions.push(...applyVerdict(health, known, { ...judged, verdict }, moment))
    if (upstream.critical && (!worst || verdict.score < worst.verdict.score)) worst = { ...judged, verdict }
  }
  if (health.upstreams[ORIGIN]?.breaker.state === 'open') health.isRationed = true
  // The few visitors of a trial are no evidence of how many sessions the origin can bear.
  if (worst && !isStopped(health, rules) && !isTrial(health, rules)) {
    const { verdict, windows, upstream } = worst
    const gatheredMs = Math.min(tookMs * windows, THIN_WINDOWS_MAX * WINDOW_MS)
    const after = steer(health.ceiling, verdict, upstream.apdexTarget, ceilingMoment(health, moment, gatheredMs))
    decisions.push(...changed(health, after, judgedBy(worst), moment))
  }
  health.thereBefore = thereOf(health.presence, load)
  return decisions
}

/** Applies the verdict to the breaker of one upstream, and to the ceiling where the breaker changes. */
function applyVerdict(health: HealthState, known: UpstreamHealth, judged: Judged, moment: HealthMoment): Decision[] {
  const { upstream, verdict } = judged
  const { name, critical, openMs } = upstream
  const before = known.breaker
  const decisions = name === ORIGIN ? brokenPatterns(health, verdict, recordedOf(health, moment)) : []
  if (verdict.quick !== null && verdict.voters >= WELL_VOTES_MIN) known.quick = smoothed(known.quick, verdict.quick)
  if (openMs !== null) {
    const opening = { ...moment, retryAfterMs: known.retryAfterMs }
    known.breaker = afterWindow(before, verdict, { ...moment.rules, openMs }, opening)
  }
  if (known.breaker.state === before.state) {
    known.speed = verdict.speed
    clearVotes(known)
    return decisions
  }
  decisions.push(breakerDecision(name, known.breaker, verdict, recordedOf(health, moment)))
  if (critical && before.state === 'closed' && wasOverrun(health, known, { before, judged }, moment)) {
    const after = afterOverrun(health.ceiling, ceilingMoment(health, moment))
    decisions.push(...changed(health, after, judgedBy(judged), moment))
  }
  if (name === ORIGIN && known.breaker.state === 'closed') {
    const letOn = thereOf(health.presence, moment.load) * trialShare(before)
    decisions.push(...changed(health, afterTrial(health.ceiling, letOn), judgedBy(judged), moment))
  }
  beginAnew(known)
  return decisions
}

/**
 * Whether an origin that is down was overrun: its answers in time were slow, or a crowd got none, or it was down a
 * short time ago. An origin whose answers were quick has died by itself.
 */
function wasOverrun(
  health: HealthState,
  { quick }: UpstreamHealth,
  { before, judged: { verdict, upstream } }: { readonly before: Breaker; readonly judged: Judged },
  moment: HealthMoment,
): boolean {
  const isSlow = (speed: number) => speed < QUICK_FROM * upstream.apdexTarget
  const isOfCrowd = isCrowd(health.ceiling, ceilingMoment(health, moment)) && isSlow(verdict.speed)
  return (quick !== null && isSlow(quick)) || isOfCrowd || isBackAgain(before, moment.nowMs)
}

function ceilingMoment(health: HealthState, { load, operator, rules, nowMs }: HealthMoment, tookMs = 0): Moment {
  const there = thereOf(health.presence, load)
  const { isRationed, thereBefore } = health
  return { load: { there, thereBefore, hasDemand: load.hasDemand, isRationed }, operator, rules, nowMs, tookMs }
}

function judgedBy({ upstream, verdict }: Judged): { readonly name: string; readonly verdict: HealthVerdict } {
  return { name: upstream.name, verdict }
}

/** Puts a new ceiling in force, and returns the decision that operators should read, if any. */
function changed(
  health: HealthState,
  after: Ceiling,
  by: { readonly name: string; readonly verdict: HealthVerdict },
  moment: HealthMoment,
): Decision[] {
  const { totalActiveUsers } = moment.operator
  const from = health.ceiling.sessions ?? totalActiveUsers
  const to = after.sessions ?? totalActiveUsers
  health.ceiling = after
  // A ceiling that comes down little by little is no news.
  const fell = to < NEWS_BELOW * from
  const isNews = fell || (to > from && (!health.isRising || after.sessions === null))
  if (fell) health.isRising = false
  else if (to > from) health.isRising = after.sessions !== null
  if (!isNews) return []
  const did: Decision['did'] =
    after.sessions === null
      ? { kind: 'ceiling-lifted' }
      : { kind: fell ? 'ceiling-lowered' : 'ceiling-rising', from: Math.floor(from), to: Math.floor(to) }
  return [decided(by.name, did, by.verdict, recordedOf(health, moment))]
}
