/** The input of a rehearsal: the room as it is now, and what is to happen. Rates are per minute. */
import type { ScheduledEvent } from '../core/events/schedule.ts'
import type { AdmissionLimits } from '../core/permits/bank.ts'
import { DOOR_REPORTS_EVERY_MS } from '../core/timing.ts'
import type { CameIn } from './stays.ts'

/** A rehearsal goes on in steps, and a door reports once in each. */
export const STEP_MS = DOOR_REPORTS_EVERY_MS

/** The room at the beginning, and how its visitors have behaved lately. */
export interface Start {
  readonly nowMs: number
  readonly open: boolean
  /** People in line who are not called yet, and called people who stand by. */
  readonly waiting: number
  readonly ready: number
  readonly inside: number
  /** Visitors who came in within the last minute. */
  readonly admittedLastMinute: number
  /** When those inside came in, newest first, as far as it is known. */
  readonly came: readonly CameIn[]
  /** Permits that are banked, or out at a door. */
  readonly permits: number
  /** The admissions left in the budget, null without one. */
  readonly remaining: number | null
  /** The share of called people who turn up, 0 to 1. */
  readonly showRate: number
}

/** The limits and the mean stay in force from a time on. */
export interface Turn extends AdmissionLimits {
  readonly fromMs: number
  readonly stayMs: number
}

/** Newcomers who come evenly in a time. */
export interface Stream {
  readonly fromMs: number
  readonly untilMs: number
  readonly perMinute: number
}

export interface Plan {
  /** In the order of time. The first one is in force at the start. */
  readonly turns: readonly Turn[]
  readonly streams: readonly Stream[]
  /** The event whose start newcomers wait for, null for none. */
  readonly event: ScheduledEvent | null
}

/** One moment of a future. */
export interface DrawnMoment {
  readonly atMs: number
  readonly waiting: number
  readonly inside: number
  /** Since the start. */
  readonly admitted: number
  /** The wait of a visitor who comes at this moment, null if it is longer than the future. */
  readonly waitMs: number | null
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
}

export interface Future {
  readonly moments: readonly DrawnMoment[]
  /** When the line is empty for the first time. Null if no line forms, or if it lasts. */
  readonly emptyAtMs: number | null
  /** The last time at which there is a line, null if none forms. */
  readonly lineUntilMs: number | null
  readonly mostInside: number
  readonly mostWaiting: number
  readonly soldOutAtMs: number | null
}
