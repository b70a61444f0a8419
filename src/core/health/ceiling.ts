/**
 * How many sessions the origin can bear: a ceiling on the sessions that are there, as far as the room knows.
 *
 * Load follows admissions only after the lifetime of a session. A controller on the rate would overshoot and flap, so
 * this one steers the sessions. It remembers where trouble began, returns to that level, and then rises slowly around
 * and beyond it (after CUBIC, RFC 9438). Below full satisfaction it does not move, so it is steady in a steady state.
 *
 * An origin that dies while its last answers were quick has died by itself: its ceiling stays as it was. One whose
 * answers were slow was overrun: it gets back what it has borne.
 */
import type { AdmissionLimits } from '../permits/bank.ts'
import { clamp, type HealthVerdict } from './verdict.ts'

/** Plain data, so that it can be stored. */
export interface Ceiling {
  /** Sessions allowed, null while the operator's total is in force. */
  readonly sessions: number | null
  /** After an overrun the ceiling doubles, up to the number that was borne. Null while it rises carefully. */
  readonly fastTo: number | null
  readonly badWindows: number
  /** Windows in a row that were so good that more sessions would do no harm. */
  readonly roomyWindows: number
  /** Windows in a row that were so close to the target that less load would be better. */
  readonly tightWindows: number
  /** When sessions were last cut, by a step or by an outage. */
  readonly cutAtMs: number | null
  /** Sessions that were there when trouble began. */
  readonly trouble: number
  /** Sessions that were there during the last good window: the origin has just borne so many. Null before the first. */
  readonly borne: number | null
  /** The rise is measured against this many sessions. It shrinks less than the ceiling when cuts follow one another. */
  readonly range: number
}

export interface CeilingRules {
  /** This many bad windows in a row lower the ceiling: a single one may be a hiccup. */
  readonly badWindows: number
  /** The ceiling is never lower. */
  readonly sessionsMin: number
  /** After a cut nothing is raised for this long. */
  readonly cooldownMs: number
}

/** The circumstances of a decision. */
export interface Moment {
  readonly load: {
    readonly there: number
    /** Sessions that were there when the window began: they sent most of its requests. */
    readonly thereBefore: number
    readonly hasDemand: boolean
    /** Some of the sessions inside are blocked. They come back before newcomers are admitted. */
    readonly isRationed: boolean
  }
  readonly operator: AdmissionLimits
  readonly rules: CeilingRules
  readonly nowMs: number
  /** How long the votes were gathered. */
  readonly tookMs: number
}

/**
 * Sessions end over minutes, so the effect of a cut shows only after this time. A second cut before that would be one
 * too many.
 */
const CUT_AGAIN_AFTER_MS = 140_000
/** A cut leaves between these shares of the sessions. */
const CUT = { low: 0.6, high: 0.9 }
const CUT_MARGIN = 1.02
/** The rise from nothing to where trouble began takes this long, which is slow compared with the delay of a vote. */
const FULL_RANGE_MS = 600_000
/** Around the level where trouble began the ceiling rises by this share of the usual step. */
const CREEP = 0.05
const CREEP_FROM = 0.93
const CREEP_TO = 1.15
/** The longer no trouble has come, the less the old trouble counts: after this time the ceiling rises ever faster. */
const CALM_MS = 600_000
const CREEP_MAX = 0.15
/** After an overrun the ceiling doubles in this time. While sessions are blocked it doubles faster. */
const DOUBLES_IN_MS = 60_000
const RATIONED_DOUBLES_IN_MS = 15_000
/** This many times the sessions that were borne is a crowd. With fewer, the origin has become slower. */
const CROWD_FROM = 1.1
/** The share of the range that each cut leaves. */
const RANGE_LEFT = 0.8
/** At the first trouble few sessions may be there, so the range is at least this share of the operator's total. */
const RANGE_OF_TOTAL = 0.25
/** From the second trouble on the range is at most this many times the sessions where it began. */
const RANGE_OF_TROUBLE = 2
/**
 * Near its limit an origin has a lucky window every other time. A ceiling that rose at each of them would climb until
 * the origin fails.
 */
const ROOMY_WINDOWS = 5
/** A ceiling comes down little by little only after so many tight windows. */
const TIGHT_WINDOWS = 3
/** The ceiling rises only when this share of it is used: an unused ceiling is no evidence for a higher one. */
const USED_FROM = 0.8

export const NO_CEILING: Ceiling = {
  sessions: null,
  fastTo: null,
  badWindows: 0,
  roomyWindows: 0,
  tightWindows: 0,
  cutAtMs: null,
  trouble: 0,
  borne: null,
  range: 0,
}

/** The ceiling after a window of `tookMs` with enough votes. */
export function steer(ceiling: Ceiling, verdict: HealthVerdict, apdexTarget: number, moment: Moment): Ceiling {
  if (verdict.state !== 'well') return doubted(ceiling, verdict, apdexTarget, moment)
  const { sessions, fastTo } = ceiling
  const isEased = verdict.isTight && sessions !== null && fastTo === null
  return isEased ? eased(ceiling, sessions, moment) : raised(ceiling, verdict.hasRoom, moment)
}

/**
 * The origin is well, but only just. Nothing is cut. After some such windows the ceiling comes down little by little.
 */
function eased(ceiling: Ceiling, sessions: number, moment: Moment): Ceiling {
  const { load, rules } = moment
  const tightWindows = ceiling.tightWindows + 1
  const isLong = tightWindows >= TIGHT_WINDOWS
  const less = !isLong ? 0 : rangeNow(ceiling, sessions, moment) * Math.min(1, moment.tookMs / FULL_RANGE_MS)
  const borne = Math.min(sessions, load.there, load.thereBefore)
  return {
    ...ceiling,
    badWindows: 0,
    roomyWindows: 0,
    tightWindows,
    borne,
    sessions: Math.max(rules.sessionsMin, sessions - less),
  }
}

function doubted(before: Ceiling, { state, score }: HealthVerdict, apdexTarget: number, moment: Moment): Ceiling {
  const { rules, nowMs } = moment
  const { cutAtMs, fastTo } = before
  // Quick answers beside failures are no sign of too many sessions, so such a window weighs half.
  const ceiling = { ...before, badWindows: before.badWindows + (state === 'slow' ? 1 : 0.5), roomyWindows: 0 }
  const isSoon = fastTo === null && cutAtMs !== null && nowMs - cutAtMs < CUT_AGAIN_AFTER_MS
  if (ceiling.badWindows < rules.badWindows || isSoon) return ceiling
  const trouble = troubleOf(ceiling, moment)
  // While sessions are blocked, few are let on, and it is not known how many of the others are still there.
  const began = moment.load.isRationed ? Math.max(trouble, ceiling.trouble) : trouble
  return {
    ...ceiling,
    sessions: bounded(trouble * clamp((CUT_MARGIN * score) / apdexTarget, CUT.low, CUT.high), ceiling, moment),
    fastTo: null,
    badWindows: 0,
    cutAtMs: nowMs,
    trouble: began,
    range: rangeOf(ceiling, trouble, moment),
  }
}

function raised(ceiling: Ceiling, hasRoom: boolean, moment: Moment): Ceiling {
  const { load, operator, rules, nowMs, tookMs } = moment
  const total = operator.totalActiveUsers
  const { sessions, fastTo, cutAtMs } = ceiling
  const borne = Math.min(sessions ?? total, load.there, load.thereBefore)
  const roomyWindows = hasRoom ? ceiling.roomyWindows + 1 : 0
  const steady = { ...ceiling, badWindows: 0, roomyWindows, tightWindows: 0, borne }
  // A ceiling of 1.7 admits one session, which is all of it.
  const isUsed = load.there >= Math.floor(USED_FROM * (sessions ?? 0))
  if (sessions === null || !hasRoom || !isUsed || !(load.hasDemand || load.isRationed)) return steady
  if (fastTo !== null) {
    const next = sessions * 2 ** (tookMs / (load.isRationed ? RATIONED_DOUBLES_IN_MS : DOUBLES_IN_MS))
    if (next < fastTo) return { ...steady, sessions: next }
    return { ...steady, sessions: fastTo >= total ? null : Math.max(sessions, fastTo), fastTo: null }
  }
  const isSoon = cutAtMs !== null && nowMs - cutAtMs < rules.cooldownMs
  if (steady.roomyWindows < ROOMY_WINDOWS || isSoon) return steady
  const next = sessions + step(steady, sessions, moment)
  return { ...steady, sessions: next >= total ? null : next }
}

/** The ceiling of an origin that was overrun. It gets 60 % of what it has borne at first, and soon all of it. */
export function afterOverrun(ceiling: Ceiling, moment: Moment): Ceiling {
  const { rules, nowMs } = moment
  const { cutAtMs } = ceiling
  const trouble = troubleOf(ceiling, moment)
  const wasCut = cutAtMs !== null && nowMs - cutAtMs < CUT_AGAIN_AFTER_MS
  // If far more sessions were there than had been borne, the crowd was the trouble. Then the level of a recent cut does
  // not show what the origin bears. Otherwise the origin bears less than before.
  const wasCrowd = wasCut && ceiling.borne !== null && ceiling.trouble > CROWD_FROM * ceiling.borne
  const began = wasCrowd ? Math.max(trouble, ceiling.trouble) : trouble
  const borne = Math.max(rules.sessionsMin, Math.min(ceiling.borne ?? began, began))
  return {
    ...ceiling,
    badWindows: 0,
    roomyWindows: 0,
    sessions: bounded(borne * CUT.low, ceiling, moment),
    fastTo: borne,
    // If there was a cut before, it recorded where trouble began.
    ...(cutAtMs === null && { trouble, range: rangeOf(ceiling, trouble, moment) }),
  }
}

/** Whether many more sessions are there than in the last good window. */
export function isCrowd({ borne }: Ceiling, { load }: Moment): boolean {
  return borne !== null && load.there > CROWD_FROM * borne
}

/** Raises the ceiling after a trial to the number of sessions that the trial had let on, because these were borne. */
export function afterTrial(ceiling: Ceiling, borne: number): Ceiling {
  const { sessions } = ceiling
  return sessions === null || sessions >= borne ? ceiling : { ...ceiling, sessions: borne }
}

function rangeOf({ range }: Ceiling, trouble: number, { operator }: Moment): number {
  const most =
    range === 0 ? operator.totalActiveUsers * RANGE_OF_TOTAL : Math.min(range * RANGE_LEFT, trouble * RANGE_OF_TROUBLE)
  return Math.max(trouble, most)
}

/** The sessions that caused the trouble: no more than are allowed, because the others are about to end. */
function troubleOf({ sessions }: Ceiling, { load, operator }: Moment): number {
  return Math.max(1, Math.min(sessions ?? operator.totalActiveUsers, load.there))
}

/**
 * Returns the sessions that a ceiling may have: at least the minimum of the settings, and at most the ceiling before.
 */
function bounded(sessions: number, before: Ceiling, { operator, rules }: Moment): number {
  return Math.min(Math.max(rules.sessionsMin, sessions), before.sessions ?? operator.totalActiveUsers)
}

function step(ceiling: Ceiling, sessions: number, moment: Moment): number {
  const { trouble, cutAtMs } = ceiling
  const usual = rangeNow(ceiling, sessions, moment) * Math.min(1, moment.tookMs / FULL_RANGE_MS)
  if (sessions < CREEP_FROM * trouble || sessions > CREEP_TO * trouble) return usual
  const calmMs = moment.nowMs - (cutAtMs ?? moment.nowMs)
  return usual * Math.min(CREEP_MAX, CREEP * (1 + (calmMs / CALM_MS) ** 3))
}

/** Far beyond the level where trouble began, steps are measured against the level reached. */
function rangeNow({ range, trouble }: Ceiling, sessions: number, { operator }: Moment): number {
  return Math.max(range, Math.min(operator.totalActiveUsers * RANGE_OF_TOTAL, Math.max(trouble, sessions)))
}
