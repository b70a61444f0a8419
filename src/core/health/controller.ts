/**
 * How many sessions the origin can bear: a ceiling on active sessions, from which the admission rate follows.
 *
 * Load follows admissions only after the lifetime of a session. A controller on the rate would overshoot and flap, so
 * this one steers the sessions. It remembers where trouble began, returns to that level, and then rises slowly around
 * and beyond it (after CUBIC, RFC 9438). After an outage it rises as fast as it can. If too many sessions had caused
 * the outage, this fast rise ends at the level that was borne before. Below full satisfaction it does not move, so it
 * is steady in a steady state.
 */
import type { AdmissionLimits } from '../permits/bank.ts'
import { clamp, type Grade } from './grade.ts'

/** Plain data, so that it can be stored. */
export interface Ceiling {
  /** Sessions allowed inside, null while the operator's total is in force. */
  readonly sessions: number | null
  /** After an outage nothing is known of what the origin bears, until the first cut. */
  readonly phase: 'slow start' | 'careful'
  readonly unhealthyWindows: number
  /** Windows in a row that were so healthy that more would do no harm. */
  readonly roomyWindows: number
  readonly cutAtMs: number | null
  /** Sessions inside when trouble began. */
  readonly trouble: number
  /** Sessions inside during the last healthy window: the origin has just borne so many. Null before the first. */
  readonly sound: number | null
  /** Slow start ends at this level, where it has led into trouble before. Null means that it ends at the first cut. */
  readonly threshold: number | null
  /** The rise is measured against this many sessions. It shrinks less than the ceiling when cuts follow one another. */
  readonly range: number
}

export interface ControllerRules {
  /** This many unhealthy windows in a row lower the ceiling: a single one may be a hiccup. */
  readonly badWindows: number
  /** The ceiling is never lower. */
  readonly sessionsMin: number
  /** After a cut nothing is raised for this long. */
  readonly cooldownMs: number
}

export interface Load {
  readonly inside: number
  /** A visitor waits, or is ready to be admitted. */
  readonly hasDemand: boolean
  /** Some of the sessions inside are held. More room is for them first. */
  readonly isRationed?: boolean
  /** Sessions inside when the window began: they sent most of its samples. */
  readonly insideBefore?: number
}

/** The circumstances of a decision. */
export interface Moment {
  readonly load: Load
  readonly operator: AdmissionLimits
  readonly rules: ControllerRules
  readonly nowMs: number
}

/** Sessions end over minutes, so a cut takes this long to show. Another cut before that would be one too many. */
const CUT_AGAIN_AFTER_MS = 140_000
/** A cut leaves between these shares of the sessions. */
const CUT = { low: 0.5, high: 0.85 }
const CUT_MARGIN = 1.02
/** The rise from nothing to where trouble began takes this long, which is slow compared with the delay of a sample. */
const FULL_RANGE_MS = 600_000
/** Around the level where trouble began the ceiling rises by this share of the usual step. */
const CREEP = 0.05
const CREEP_FROM = 0.93
const CREEP_TO = 1.15
/**
 * The longer no trouble has come, the less the old trouble counts: after this time the ceiling rises faster and faster.
 */
const CALM_MS = 600_000
const CREEP_MAX = 0.15
/** In slow start the ceiling doubles in this time. */
const DOUBLES_IN_MS = 60_000
/**
 * While some sessions are held, a higher ceiling means more load at the next window, not a session's lifetime later.
 */
const RATIONED_DOUBLES_IN_MS = 15_000
/** An overrun origin is slow long before it fails. One with this share of failures has failed by itself. */
const FAILED_BY_ITSELF = 0.9
/** This many times the sessions that were borne is a crowd. With fewer, the origin has become slower. */
const CROWD_FROM = 1.1
/** The share of the range that each cut leaves. */
const RANGE_LEFT = 0.8
/** At the first trouble few sessions may be inside, so the range is at least this share of the operator's total. */
const RANGE_OF_TOTAL = 0.25
/**
 * From the second trouble on the range is at most this many times the sessions where it began: the operator's total may
 * be a hundred times what is borne.
 */
const RANGE_OF_TROUBLE = 2
/**
 * Near its limit an origin has a lucky window every other time. A ceiling that rose at each of them would climb until
 * the origin fails.
 */
const ROOMY_WINDOWS = 5
/** The ceiling rises only when this share of it is used: an unused ceiling is no evidence for a higher one. */
const USED_FROM = 0.8

export const NO_CEILING: Ceiling = {
  sessions: null,
  phase: 'slow start',
  unhealthyWindows: 0,
  roomyWindows: 0,
  cutAtMs: null,
  trouble: 0,
  sound: null,
  threshold: null,
  range: 0,
}

/** The ceiling after a window of `tookMs` with enough samples. */
export function steer(ceiling: Ceiling, grade: Grade, moment: Moment, tookMs: number): Ceiling {
  const { load, operator, rules, nowMs } = moment
  const total = operator.totalActiveUsers
  const { phase, cutAtMs } = ceiling
  if (grade.verdict !== 'healthy') {
    const doubted = { ...ceiling, unhealthyWindows: ceiling.unhealthyWindows + 1, roomyWindows: 0 }
    const isSoon = phase === 'careful' && cutAtMs !== null && nowMs - cutAtMs < CUT_AGAIN_AFTER_MS
    if (doubted.unhealthyWindows < rules.badWindows || isSoon) return doubted
    return cut(doubted, grade, moment)
  }
  const { sessions, threshold } = ceiling
  const sound = Math.min(sessions ?? total, load.inside, load.insideBefore ?? load.inside)
  const roomyWindows = grade.roomForMore ? ceiling.roomyWindows + 1 : 0
  const steady = { ...ceiling, unhealthyWindows: 0, roomyWindows, sound }
  const hasDemand = load.hasDemand || load.isRationed
  // A ceiling of 1.7 admits one session, which is all of it.
  const isUsed = load.inside >= Math.floor(USED_FROM * (sessions ?? 0))
  if (sessions === null || !grade.roomForMore || !hasDemand || !isUsed) return steady
  if (phase === 'careful' && roomyWindows < ROOMY_WINDOWS) return steady
  if (phase === 'careful' && cutAtMs !== null && nowMs - cutAtMs < rules.cooldownMs) return steady
  const raised = sessions + step(steady, moment, tookMs)
  if (phase === 'slow start' && threshold !== null && raised >= threshold)
    return {
      ...steady,
      sessions: threshold >= total ? null : Math.max(sessions, threshold),
      phase: 'careful',
      threshold: null,
    }
  return { ...steady, sessions: raised >= total ? null : raised }
}

/**
 * The ceiling after an outage. At first half of the sessions come back, and all of them soon: their number may have had
 * nothing to do with the outage. If the origin was slow before it failed, there were too many. Then the fast rise ends
 * at the number that the origin has been shown to bear.
 */
export function afterOutage(ceiling: Ceiling, grade: Grade, moment: Moment): Ceiling {
  const { rules, nowMs } = moment
  const { cutAtMs } = ceiling
  const trouble = troubleOf(ceiling, moment)
  const wasCut = cutAtMs !== null && nowMs - cutAtMs < CUT_AGAIN_AFTER_MS
  const wasSlow = wasCut || grade.failures < FAILED_BY_ITSELF
  // A crowd was larger than the number that had been borne. Then the level of a recent cut is no evidence of what the
  // origin bears. Otherwise the origin bears less than before.
  const wasCrowd = wasCut && ceiling.sound !== null && ceiling.trouble > CROWD_FROM * ceiling.sound
  const began = wasCrowd ? Math.max(trouble, ceiling.trouble) : trouble
  const borne = wasSlow ? Math.min(ceiling.sound ?? began, began) : began
  return {
    ...ceiling,
    sessions: bounded(borne * CUT.low, ceiling, moment),
    phase: 'slow start',
    unhealthyWindows: 0,
    roomyWindows: 0,
    // If there was a cut before, it recorded where trouble began.
    ...(cutAtMs === null && { trouble, range: rangeOf(ceiling, trouble, moment) }),
    threshold: wasSlow ? Math.max(rules.sessionsMin, borne) : null,
  }
}

/** Raises the ceiling after a trial to the number of sessions that the trial had let on, because these were borne. */
export function afterTrial(ceiling: Ceiling, borne: number): Ceiling {
  const { sessions } = ceiling
  return sessions === null || sessions >= borne ? ceiling : { ...ceiling, sessions: borne }
}

/** Lowers the ceiling below the number of active sessions. */
function cut(ceiling: Ceiling, grade: Grade, moment: Moment): Ceiling {
  const trouble = troubleOf(ceiling, moment)
  // While sessions are held few are let on, and it is not known how many of the others are still there.
  const began = moment.load.isRationed ? Math.max(trouble, ceiling.trouble) : trouble
  return {
    ...ceiling,
    sessions: bounded(trouble * clamp(CUT_MARGIN * grade.g, CUT.low, CUT.high), ceiling, moment),
    phase: 'careful',
    unhealthyWindows: 0,
    cutAtMs: moment.nowMs,
    trouble: began,
    threshold: null,
    range: rangeOf(ceiling, trouble, moment),
  }
}

function rangeOf({ range }: Ceiling, trouble: number, { operator }: Moment): number {
  const most =
    range === 0 ? operator.totalActiveUsers * RANGE_OF_TOTAL : Math.min(range * RANGE_LEFT, trouble * RANGE_OF_TROUBLE)
  return Math.max(trouble, most)
}

/** The sessions that caused the trouble: no more than are allowed, because the others are about to end. */
function troubleOf({ sessions }: Ceiling, { load, operator }: Moment): number {
  return Math.max(1, Math.min(sessions ?? operator.totalActiveUsers, load.inside))
}

/** Never below the least there may be, and never above what it was. */
function bounded(sessions: number, before: Ceiling, { operator, rules }: Moment): number {
  return Math.min(Math.max(rules.sessionsMin, sessions), before.sessions ?? operator.totalActiveUsers)
}

/**
 * Returns the operator's limits, lowered to what the origin can bear. `ramp` is the share of the rate that is back. The
 * ceiling limits places: a session that ends makes room at once, and no visitor is admitted while more are inside than
 * it allows.
 */
export function lowered<Rules extends AdmissionLimits>(operator: Rules, { sessions }: Ceiling, ramp: number): Rules {
  if (sessions === null && ramp >= 1) return operator
  return {
    ...operator,
    ratePerMinute: operator.ratePerMinute * ramp,
    totalActiveUsers: Math.min(operator.totalActiveUsers, Math.floor(sessions ?? Number.POSITIVE_INFINITY)),
  }
}

function step(ceiling: Ceiling, { load, operator, nowMs }: Moment, tookMs: number): number {
  const { sessions, phase, trouble, cutAtMs } = ceiling
  const now = sessions ?? 0
  if (phase === 'slow start')
    return now * (2 ** (tookMs / (load.isRationed ? RATIONED_DOUBLES_IN_MS : DOUBLES_IN_MS)) - 1)
  // Far beyond the level where trouble began, the rise is measured against the level reached.
  const range = Math.max(ceiling.range, Math.min(operator.totalActiveUsers * RANGE_OF_TOTAL, Math.max(trouble, now)))
  const usual = range * Math.min(1, tookMs / FULL_RANGE_MS)
  if (now < CREEP_FROM * trouble || now > CREEP_TO * trouble) return usual
  const calmMs = nowMs - (cutAtMs ?? nowMs)
  return usual * Math.min(CREEP_MAX, CREEP * (1 + (calmMs / CALM_MS) ** 3))
}
