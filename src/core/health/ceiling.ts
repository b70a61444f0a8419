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
  /**
   * After an overrun: the number of sessions up to which the ceiling doubles. Null while the ceiling rises in small
   * steps.
   */
  readonly fastTo: number | null
  readonly badWindows: number
  /** Windows in a row that were so good that more sessions would do no harm. */
  readonly roomyWindows: number
  /** Windows in a row that were so close to the target that less load would be better. */
  readonly tightWindows: number
  /** When sessions were last cut, by a step or by an outage. */
  readonly cutAtMs: number | null
  /** Sessions that were there when trouble began. A step of the ceiling is a share of these. */
  readonly trouble: number
  /** Sessions that were there during the last good window. The origin has just borne them. Null before the first. */
  readonly borne: number | null
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
 * Sessions end over minutes. So the effect of a cut shows only when as few sessions are there as the cut allows, or
 * after this time. A second cut before that would be too much.
 */
const CUT_SHOWS_WITHIN_MS = 140_000
/** A cut leaves between these shares of the sessions. */
const CUT = { low: 0.6, high: 0.9 }
const CUT_MARGIN = 1.02
/** The rise from nothing to where trouble began takes this long, which is slow compared with the delay of a vote. */
const FULL_RANGE_MS = 600_000
/** The ceiling rises by a part of the usual step while it is between these shares of the level where trouble began. */
const CREEP = { from: 0.93, to: 1.15, part: 0.1 }
/** After an overrun the ceiling doubles in this time. */
const DOUBLES_IN_MS = 60_000
/** This many times the sessions that were borne is a crowd. With fewer, the origin has become slower. */
const CROWD_FROM = 1.1
/**
 * Near its limit an origin has a lucky window every other time. A ceiling that rose at each of them would climb until
 * the origin fails.
 */
const ROOMY_WINDOWS = 5
/** A ceiling comes down slowly only after this many tight windows. */
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
}

/** The ceiling after a window of `tookMs` with enough votes. */
export function steer(ceiling: Ceiling, verdict: HealthVerdict, apdexTarget: number, moment: Moment): Ceiling {
  if (verdict.state !== 'well') return doubted(ceiling, verdict, apdexTarget, moment)
  const { load, operator } = moment
  const { sessions, fastTo } = ceiling
  const well: Ceiling = {
    ...ceiling,
    badWindows: 0,
    roomyWindows: verdict.hasRoom ? ceiling.roomyWindows + 1 : 0,
    tightWindows: verdict.isTight ? ceiling.tightWindows + 1 : 0,
    borne: Math.min(sessions ?? operator.totalActiveUsers, load.there, load.thereBefore),
  }
  if (sessions === null) return well
  if (verdict.isTight && fastTo === null) return eased(well, sessions, moment)
  // A ceiling of 1.7 admits one session. With one session it is fully used.
  const isUsed = load.there >= Math.floor(USED_FROM * sessions)
  return verdict.hasRoom && isUsed && (load.hasDemand || load.isRationed) ? raised(well, sessions, moment) : well
}

/** Lowers the ceiling slowly, without a cut, after several windows in which the origin was only just well. */
function eased(ceiling: Ceiling, sessions: number, moment: Moment): Ceiling {
  if (ceiling.tightWindows < TIGHT_WINDOWS) return ceiling
  return {
    ...ceiling,
    sessions: Math.max(moment.rules.sessionsMin, sessions - stepOf(ceiling, sessions, moment.tookMs)),
  }
}

function doubted(before: Ceiling, { state, score }: HealthVerdict, apdexTarget: number, moment: Moment): Ceiling {
  const { rules, nowMs, load } = moment
  const { sessions, cutAtMs, fastTo } = before
  const isSoon = cutAtMs !== null && nowMs - cutAtMs < CUT_SHOWS_WITHIN_MS && load.there > (sessions ?? 0)
  if (isSoon && fastTo === null) return { ...before, badWindows: 0, roomyWindows: 0 }
  // Quick answers beside failures are no sign of too many sessions, so such a window weighs half.
  const ceiling = { ...before, badWindows: before.badWindows + (state === 'slow' ? 1 : 0.5), roomyWindows: 0 }
  if (ceiling.badWindows < rules.badWindows) return ceiling
  const trouble = troubleOf(ceiling, moment)
  return {
    ...ceiling,
    sessions: bounded(trouble * clamp((CUT_MARGIN * score) / apdexTarget, CUT.low, CUT.high), ceiling, moment),
    fastTo: null,
    badWindows: 0,
    cutAtMs: nowMs,
    trouble,
  }
}

function raised(ceiling: Ceiling, sessions: number, moment: Moment): Ceiling {
  const { operator, rules, nowMs, tookMs } = moment
  const { fastTo, cutAtMs } = ceiling
  const allowed = (next: number) => (next >= operator.totalActiveUsers ? null : next)
  if (fastTo !== null) {
    const next = sessions * 2 ** (tookMs / DOUBLES_IN_MS)
    if (next < fastTo) return { ...ceiling, sessions: next }
    return { ...ceiling, sessions: allowed(Math.max(sessions, fastTo)), fastTo: null }
  }
  const isSoon = cutAtMs !== null && nowMs - cutAtMs < rules.cooldownMs
  if (ceiling.roomyWindows < ROOMY_WINDOWS || isSoon) return ceiling
  const isNearTrouble = sessions >= CREEP.from * ceiling.trouble && sessions <= CREEP.to * ceiling.trouble
  return {
    ...ceiling,
    sessions: allowed(sessions + (isNearTrouble ? CREEP.part : 1) * stepOf(ceiling, sessions, tookMs)),
  }
}

/** The ceiling of an origin that was overrun. It gets 60 % of what it has borne at first, and soon all of it. */
export function afterOverrun(ceiling: Ceiling, moment: Moment): Ceiling {
  const trouble = troubleOf(ceiling, moment)
  const borne = Math.max(moment.rules.sessionsMin, Math.min(ceiling.borne ?? trouble, trouble))
  return {
    ...ceiling,
    badWindows: 0,
    roomyWindows: 0,
    sessions: bounded(borne * CUT.low, ceiling, moment),
    fastTo: borne,
    // If there was a cut before, it recorded where trouble began.
    ...(ceiling.cutAtMs === null && { trouble }),
  }
}

/** Whether many more sessions are there than in the last good window. */
export function isCrowd({ borne }: Ceiling, { load }: Moment): boolean {
  return borne !== null && load.there > CROWD_FROM * borne
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

/** Returns the usual step of one window: the way from nothing to where trouble began takes `FULL_RANGE_MS`. */
function stepOf({ trouble }: Ceiling, sessions: number, tookMs: number): number {
  return Math.max(trouble, sessions) * Math.min(1, tookMs / FULL_RANGE_MS)
}
