/**
 * How many sessions the origin can bear: a ceiling on those inside, from which the admission rate follows.
 *
 * Load follows admissions only after a session's lifetime, so a controller on the rate itself overshoots and flaps; this
 * one steers the sessions. It remembers where trouble began, comes back to it, and creeps around and beyond it (after CUBIC,
 * RFC 9438). After an outage it finds its level as fast as it can: up to what was borne before, where too many had brought the
 * outage about. Below full satisfaction it stays where it is, so that in a steady state it does not move.
 */
import type { Limits } from '../permits/bank.ts'
import { clamp, type Grade } from './grade.ts'

/** Plain data, so that it can be stored. */
export interface Ceiling {
  /** Sessions allowed inside; null while the operator's total stands. */
  readonly sessions: number | null
  /** After an outage nothing is known of what the origin bears, until the first cut. */
  readonly phase: 'slow start' | 'careful'
  readonly unhealthyWindows: number
  /** Windows in a row that were so healthy that more would do no harm. */
  readonly roomyWindows: number
  readonly cutAtMs: number | null
  /** Sessions inside when trouble began. */
  readonly trouble: number
  /** Sessions inside of whom the last healthy window told: what the origin has just shown to bear. Null before the first. */
  readonly sound: number | null
  /** Slow start ends here, where it has led into trouble before; null where it may go on to the first cut. */
  readonly threshold: number | null
  /** The way back up is measured against this many sessions: it shrinks less than the ceiling when cuts follow one another. */
  readonly range: number
}

export interface ControllerRules {
  /** Unhealthy windows in a row after which it is lowered: a single one may be a hiccup. */
  readonly badWindows: number
  /** The ceiling is never lower. */
  readonly sessionsMin: number
  /** After a cut nothing is raised for this long. */
  readonly cooldownMs: number
}

export interface Load {
  readonly inside: number
  /** Somebody waits, or stands by. */
  readonly hasDemand: boolean
  /** Some of those inside are held: they are the first that more room is for. */
  readonly isRationed?: boolean
  /** Inside when the window began: most of what was heard in it was sent by them. */
  readonly insideBefore?: number
}

/** What a decision is made in. */
export interface Moment {
  readonly load: Load
  readonly operator: Limits
  readonly rules: ControllerRules
  readonly nowMs: number
}

/** Those inside leave over minutes: before a cut has shown, another would be one too many. */
const CUT_AGAIN_AFTER_MS = 140_000
/** A cut is felt, and leaves half. */
const CUT = { low: 0.5, high: 0.85 }
const CUT_MARGIN = 1.02
/** From nothing to where trouble began takes this long, which is slow against what a sample takes to get here. */
const FULL_RANGE_MS = 600_000
/** Around where trouble began the ceiling rises by this share of the usual. */
const CREEP = 0.05
const CREEP_FROM = 0.93
const CREEP_TO = 1.15
/** The longer nothing has happened, the less the old trouble counts: beyond this it rises by more and more. */
const CALM_MS = 600_000
const CREEP_MAX = 0.15
/** In slow start the ceiling doubles in this time. */
const DOUBLES_IN_MS = 60_000
/** While some of those inside are held, more of them is more load at the next window, not a session's lifetime later. */
const RATIONED_DOUBLES_IN_MS = 15_000
/** An origin that is overrun is slow long before it fails: with so many failures among its answers it has failed by itself. */
const FAILED_BY_ITSELF = 0.9
/** So many times more inside than were borne is a crowd, and not an origin that has become slower. */
const CROWD_FROM = 1.1
/** What is left of the range at each cut. */
const RANGE_LEFT = 0.8
/** At the first trouble few may be inside: the operator's total says how many there may be. */
const RANGE_OF_TOTAL = 0.25
/** From the second on where it began says more than a total that may be a hundred times what is borne. */
const RANGE_OF_TROUBLE = 2
/** Near the edge every other window is a lucky one: a ceiling that rose by each of them would climb until it fell off. */
const ROOMY_WINDOWS = 5
/** A ceiling that nobody comes near says nothing of what lies above it. */
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
  // A ceiling of 1.7 lets one in: that is all of it.
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
 * After an outage half of those inside come back at first, and all of them soon: it may have had nothing to do with how many they
 * were. If it was slow before it was down they were too many, and the way back ends at as many as it has shown to bear.
 */
export function afterOutage(ceiling: Ceiling, grade: Grade, moment: Moment): Ceiling {
  const { rules, nowMs } = moment
  const { cutAtMs } = ceiling
  const trouble = troubleOf(ceiling, moment)
  const wasCut = cutAtMs !== null && nowMs - cutAtMs < CUT_AGAIN_AFTER_MS
  const wasSlow = wasCut || grade.failures < FAILED_BY_ITSELF
  // A crowd that was more than had been borne: where it was cut to a moment ago says nothing of what is borne. Or the origin bears less.
  const wasCrowd = wasCut && ceiling.sound !== null && ceiling.trouble > CROWD_FROM * ceiling.sound
  const began = wasCrowd ? Math.max(trouble, ceiling.trouble) : trouble
  const borne = wasSlow ? Math.min(ceiling.sound ?? began, began) : began
  return {
    ...ceiling,
    sessions: bounded(borne * CUT.low, ceiling, moment),
    phase: 'slow start',
    unhealthyWindows: 0,
    roomyWindows: 0,
    // A cut before it has said when trouble began.
    ...(cutAtMs === null && { trouble, range: rangeOf(ceiling, trouble, moment) }),
    threshold: wasSlow ? Math.max(rules.sessionsMin, borne) : null,
  }
}

/** A trial is over, in which so many of those inside were let on, and were borne. */
export function afterTrial(ceiling: Ceiling, borne: number): Ceiling {
  const { sessions } = ceiling
  return sessions === null || sessions >= borne ? ceiling : { ...ceiling, sessions: borne }
}

/** Lowers the ceiling below those who are inside. */
function cut(ceiling: Ceiling, grade: Grade, moment: Moment): Ceiling {
  const trouble = troubleOf(ceiling, moment)
  // While some are held few are let on, and how many of them are still there is not known.
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

/** Sessions inside that trouble is put down to: no more than are allowed, for the others are on their way out. */
function troubleOf({ sessions }: Ceiling, { load, operator }: Moment): number {
  return Math.max(1, Math.min(sessions ?? operator.totalActiveUsers, load.inside))
}

/** Never below the least there may be, and never above what it was. */
function bounded(sessions: number, before: Ceiling, { operator, rules }: Moment): number {
  return Math.min(Math.max(rules.sessionsMin, sessions), before.sessions ?? operator.totalActiveUsers)
}

/**
 * What the origin can bear as limits: never above the operator's own. `ramp` is the share of the rate that is back. The
 * ceiling is one on places: whoever leaves makes room at once, and nobody comes while more are inside than it allows.
 */
export function lowered<Rules extends Limits>(operator: Rules, { sessions }: Ceiling, ramp: number): Rules {
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
  // Far beyond where trouble began the way up is measured against how far it has come.
  const range = Math.max(ceiling.range, Math.min(operator.totalActiveUsers * RANGE_OF_TOTAL, Math.max(trouble, now)))
  const usual = range * Math.min(1, tookMs / FULL_RANGE_MS)
  if (now < CREEP_FROM * trouble || now > CREEP_TO * trouble) return usual
  const calmMs = nowMs - (cutAtMs ?? nowMs)
  return usual * Math.min(CREEP_MAX, CREEP * (1 + (calmMs / CALM_MS) ** 3))
}
