/**
 * How a line goes on from here: when it is empty, how long a newcomer waits, and when a budget is used up.
 *
 * The forecast treats visitors as a steady flow. They arrive as fast as in the last minute, and enter as fast as the
 * rate and the places allow. Each one stays as long as earlier visitors have stayed. A share of called visitors never
 * turns up, and needs no permit.
 */
import type { AdmissionLimits } from '../permits/bank.ts'
import { HOUR_MS, MINUTE_MS } from '../timing.ts'
import type { HistoryStep } from './history.ts'

export type Forecast =
  /** The line stands still, and for how long cannot be predicted. */
  | { readonly kind: 'stopped'; readonly why: WhyStopped }
  | {
      readonly kind: 'moves'
      /** The time until the line is empty; null if it takes more than a day. 0 if there is no line, and none forms. */
      readonly emptyInMs: number | null
      /** How fast the line grows now, in people a minute; negative while it becomes shorter. */
      readonly growsPerMinute: number
      /** The wait of a newcomer; null if it is longer than a day. */
      readonly wait: { readonly lowMs: number; readonly likelyMs: number; readonly highMs: number } | null
      /** The time until the budget is used up; null if it lasts, or if there is none. */
      readonly soldOutInMs: number | null
    }

export type WhyStopped = 'outage' | 'held' | 'before-start' | 'sold-out' | 'rate-0'

/** The room as it is now, and how its visitors have behaved lately. */
export interface Outlook {
  /** People in line, and called people who are still expected to come in. */
  readonly waiting: number
  readonly coming: number
  /** The share of called people who turn up, 0 to 1. */
  readonly showRate: number
  readonly inside: number
  /** Newcomers of the last minute who really want to come in. */
  readonly arrivalsPerMinute: number
  /** How long a visitor stays inside. */
  readonly stayMs: number
  /** Admissions left in the budget, null without one. */
  readonly remaining: number | null
}

const STEP_MS = 10_000
const HORIZON_MS = 24 * HOUR_MS
/** Half of all waits end between these multiples of the likely wait. Visitors are shown the same range. */
const RANGE = { low: 0.85, high: 1.2 }
/** Fewer waiting people than this are no line: they are on their way in. */
const NO_LINE = 1

export function forecastOf(now: Outlook, limits: AdmissionLimits): Forecast {
  if (limits.ratePerMinute <= 0) return { kind: 'stopped', why: 'rate-0' }
  if (now.remaining !== null && now.remaining <= 0) return { kind: 'stopped', why: 'sold-out' }
  const arrivals = now.arrivalsPerMinute / (MINUTE_MS / STEP_MS)
  const rate = limits.ratePerMinute / (MINUTE_MS / STEP_MS)
  const flow = { line: now.waiting, coming: now.coming, inside: now.inside, passed: 0, admitted: 0 }
  let emptyInMs: number | null = null
  let waitMs: number | null = null
  let soldOutInMs: number | null = null
  for (let atMs = 0; atMs < HORIZON_MS && (emptyInMs === null || waitMs === null); atMs += STEP_MS) {
    const before = { ...flow }
    admit(flow, { now, rate, places: limits.totalActiveUsers, arrivals })
    if (emptyInMs === null && flow.line < NO_LINE && flow.line <= before.line)
      emptyInMs = reachedMs(atMs, before.line - NO_LINE, before.line - flow.line)
    if (waitMs === null && flow.passed >= now.waiting)
      waitMs = reachedMs(atMs, now.waiting - before.passed, flow.passed - before.passed)
    if (now.remaining !== null && soldOutInMs === null && flow.admitted >= now.remaining) {
      soldOutInMs = reachedMs(atMs, now.remaining - before.admitted, flow.admitted - before.admitted)
      break
    }
  }
  const growsPerMinute = growthPerMinute(now, { rate, places: limits.totalActiveUsers, arrivals })
  return { kind: 'moves', emptyInMs, growsPerMinute, wait: ranged(waitMs), soldOutInMs }
}

/**
 * Returns how fast the line grows now, in people a minute. Called people who are on their way will use permits, but as
 * many other people are called meanwhile. So the line grows as if no called people were on their way.
 */
function growthPerMinute(now: Outlook, step: Omit<Step, 'now'>): number {
  const flow = { line: now.waiting, coming: 0, inside: now.inside, passed: 0, admitted: 0 }
  admit(flow, { now, ...step })
  return Math.round(((flow.line - now.waiting) * MINUTE_MS) / STEP_MS)
}

/**
 * Returns how many visitors left per minute, as the mean over these minutes. The minutes are oldest first, and the last
 * one may be incomplete. Returns null before a minute has passed, and while no visitor has left.
 */
export function departuresPerMinute(minutes: readonly HistoryStep[], inside: number, nowMs: number): number | null {
  const [first] = minutes
  if (!first) return null
  const took = (nowMs - first.atMs) / MINUTE_MS
  if (took < 1) return null
  const departed = minutes.reduce((sum, { admitted }) => sum + admitted, 0) - (inside - first.inside)
  return departed > 0 ? departed / took : null
}

interface Course {
  line: number
  coming: number
  inside: number
  /** People called out of the line so far, and people admitted so far. */
  passed: number
  admitted: number
}

/** The circumstances, which stay the same from step to step. `rate` and `arrivals` are people in one step. */
interface Step {
  readonly now: Outlook
  readonly rate: number
  readonly places: number
  readonly arrivals: number
}

/** Lets one step of time pass: some visitors leave, some are let in, and some arrive. */
function admit(flow: Course, { now, rate, places, arrivals }: Step): void {
  flow.inside -= flow.inside * Math.min(1, STEP_MS / now.stayMs)
  const free = Math.max(0, places - flow.inside)
  const mayEnter = Math.min(rate, free)
  const called = Math.min(flow.coming, mayEnter)
  flow.coming -= called
  flow.line += arrivals
  const passed = Math.min(flow.line, (mayEnter - called) / now.showRate)
  flow.line -= passed
  flow.passed += passed
  const entered = called + passed * now.showRate
  flow.inside += entered
  flow.admitted += entered
}

/**
 * Returns when `part` of a change of size `whole` is reached, if the change spreads evenly over the step that begins at
 * `atMs`.
 */
function reachedMs(atMs: number, part: number, whole: number): number {
  return whole <= 0 ? atMs : atMs + STEP_MS * Math.min(1, Math.max(0, part / whole))
}

function ranged(likelyMs: number | null) {
  if (likelyMs === null) return null
  return { lowMs: likelyMs * RANGE.low, likelyMs, highMs: likelyMs * RANGE.high }
}
