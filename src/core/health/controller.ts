/**
 * How many sessions the origin can bear: a ceiling on those inside, from which the admission rate follows.
 *
 * Load follows admissions only after a session's lifetime, so a controller on the rate itself overshoots and flaps; this
 * one steers the sessions. It remembers where trouble began, comes back to just below it, and only creeps beyond (after
 * CUBIC, RFC 9438). Below full satisfaction it stays where it is, so that in a steady state it does not move.
 */
import type { Limits } from '../permits.ts'
import { clamp, type Grade } from './grade.ts'

/** Plain data, so that it can be stored. */
export interface Ceiling {
  /** Sessions allowed inside; null while the operator's total stands. */
  readonly sessions: number | null
  readonly unhealthyWindows: number
  readonly cutAtMs: number | null
  /** Sessions inside when trouble began, and whether that was the edge of it or far beyond. */
  readonly trouble: { readonly sessions: number; readonly isClose: boolean } | null
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
}

/** Those inside leave over minutes: before a cut has shown, another would be one too many. */
const CUT_AGAIN_AFTER_MS = 140_000
/** A cut is felt, and leaves half. */
const CUT = { low: 0.5, high: 0.85 }
const CUT_MARGIN = 1.02
/** From nothing to where trouble began takes this long, which is slow against what a sample takes to get here. */
const FULL_RANGE_MS = 900_000
/** Around where trouble began the ceiling rises by this share of the usual. */
const CREEP = 0.06
const CREEP_FROM = 0.93
const CREEP_TO = 1.15
/** What is left of the range at each cut. */
const RANGE_LEFT = 0.8
/** A ceiling that nobody comes near says nothing of what lies above it. */
const USED_FROM = 0.8

export const NO_CEILING: Ceiling = { sessions: null, unhealthyWindows: 0, cutAtMs: null, trouble: null, range: 0 }

/** The ceiling after a window of `tookMs` with enough samples. `total` is the operator's. */
export function steer(
  ceiling: Ceiling,
  grade: Grade,
  load: Load,
  total: number,
  rules: ControllerRules,
  tookMs: number,
  nowMs: number,
): Ceiling {
  if (grade.verdict !== 'healthy') {
    const unhealthyWindows = ceiling.unhealthyWindows + 1
    const isSoon = ceiling.cutAtMs !== null && nowMs - ceiling.cutAtMs < CUT_AGAIN_AFTER_MS
    if (unhealthyWindows < rules.badWindows || isSoon) return { ...ceiling, unhealthyWindows }
    return cut(ceiling, grade, load, total, rules, nowMs)
  }
  const steady = ceiling.unhealthyWindows === 0 ? ceiling : { ...ceiling, unhealthyWindows: 0 }
  const { sessions, cutAtMs } = steady
  if (sessions === null || !grade.roomForMore || !load.hasDemand || load.inside < USED_FROM * sessions) return steady
  if (cutAtMs !== null && nowMs - cutAtMs < rules.cooldownMs) return steady
  const raised = sessions + step(steady, tookMs)
  return { ...steady, sessions: raised >= total ? null : raised }
}

/** An outage lowers the ceiling at once, unless it has just been lowered for the same trouble. */
export function cutForOutage(
  ceiling: Ceiling,
  grade: Grade,
  load: Load,
  total: number,
  rules: ControllerRules,
  nowMs: number,
): Ceiling {
  const isSoon = ceiling.cutAtMs !== null && nowMs - ceiling.cutAtMs < CUT_AGAIN_AFTER_MS
  return isSoon ? ceiling : cut(ceiling, grade, load, total, rules, nowMs)
}

/** Lowers the ceiling below those who are inside. */
function cut(
  ceiling: Ceiling,
  grade: Grade,
  load: Load,
  total: number,
  rules: ControllerRules,
  nowMs: number,
): Ceiling {
  const before = Math.min(ceiling.sessions ?? total, load.inside)
  const share = clamp(CUT_MARGIN * grade.g, CUT.low, CUT.high)
  const sessions = Math.min(Math.max(rules.sessionsMin, before * share), ceiling.sessions ?? total)
  const trouble = { sessions: Math.max(1, before), isClose: grade.verdict !== 'critical' }
  const range = Math.max(before, ceiling.range * RANGE_LEFT)
  return { sessions, unhealthyWindows: 0, cutAtMs: nowMs, trouble, range }
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

function step({ sessions, trouble, range }: Ceiling, tookMs: number): number {
  const usual = Math.max(1, range) * Math.min(1, tookMs / FULL_RANGE_MS)
  if (!trouble?.isClose) return usual
  const at = (sessions ?? 0) / trouble.sessions
  return at >= CREEP_FROM && at <= CREEP_TO ? usual * CREEP : usual
}
