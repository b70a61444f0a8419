/** The input of a rehearsal: the room as it is now, and the changes to come. Rates are per minute. */
import type { ScheduledEvent } from '../core/events/schedule.ts'
import type { AdmissionLimits } from '../core/permits/bank.ts'
import { DOOR_REPORTS_EVERY_MS } from '../core/timing.ts'
import type { CameIn } from './stays.ts'

/** Time moves in steps, and a door reports once in each step. */
export const STEP_MS = DOOR_REPORTS_EVERY_MS

/** The room at the beginning, and how its visitors have behaved lately. */
export interface Start {
  readonly nowMs: number
  readonly open: boolean
  /** People in line who are not called yet, and called people who are ready. */
  readonly waiting: number
  readonly ready: number
  readonly inside: number
  /** Visitors who came in within the last minute. */
  readonly admittedLastMinute: number
  /** The times at which the visitors inside came in, newest first, as far as they are known. */
  readonly came: readonly CameIn[]
  /** Permits that are banked, or outstanding at a door. */
  readonly permits: number
  /** The admissions left in the budget, null without one. */
  readonly remaining: number | null
  /** The share of called people who turn up, 0 to 1. */
  readonly showRate: number
}

/** Limits, and a mean stay, that apply from a certain time on. */
export interface Turn extends AdmissionLimits {
  readonly fromMs: number
  readonly stayMs: number
}

/** A number of newcomers who come evenly over a time. */
export interface Stream {
  readonly fromMs: number
  readonly untilMs: number
  readonly perMinute: number
}

export interface Plan {
  /** The limits and mean stays, in the order of time. The first ones apply from the start. */
  readonly turns: readonly Turn[]
  readonly streams: readonly Stream[]
  /** The event for whose start newcomers wait, null for none. */
  readonly event: ScheduledEvent | null
}

/** One moment of a future. */
export interface DrawnMoment {
  readonly atMs: number
  readonly waiting: number
  readonly inside: number
  /** Admissions since the start. */
  readonly admitted: number
  /** The wait of a visitor who comes at this moment; null if it goes on beyond the end of the future. */
  readonly waitMs: number | null
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
}

export interface Future {
  readonly moments: readonly DrawnMoment[]
  /** When the line is empty for the first time. Null if no line forms, or if the line lasts to the end. */
  readonly emptyAtMs: number | null
  /** The last time at which there is a line; null if no line forms. */
  readonly lineUntilMs: number | null
  readonly mostInside: number
  readonly mostWaiting: number
  readonly soldOutAtMs: number | null
}
