/** The room as the admin API describes it, and how its visitors have behaved in the last minutes. */
import type { HistoryStep } from '../core/history/history.ts'
import type { RoomStats } from '../core/protocol/calls.ts'
import { MINUTE_MS } from '../core/timing.ts'
import type { RoomConfig } from '../settings/schema.ts'
import type { Start } from './plan.ts'
import { cameIn, stayFitting } from './stays.ts'

/** An event as the admin API describes it. `instead` has the settings that it overrides while it is on. */
export interface SeenEvent {
  readonly name: string
  readonly state: string
  readonly prequeueAt: string | null
  readonly startsAt: string
  readonly endsAt: string
  readonly instead: Readonly<Record<string, unknown>>
}

export interface SeenRoom {
  readonly now: string
  readonly settings: Pick<
    RoomConfig,
    | 'mode'
    | 'suspended'
    | 'queue_all'
    | 'queueing_method'
    | 'new_users_per_minute'
    | 'total_active_users'
    | 'session_duration'
  >
  readonly figures: Pick<
    RoomStats,
    | 'active'
    | 'permitsOut'
    | 'permitsBanked'
    | 'burst'
    | 'remaining'
    | 'waiting'
    | 'entries'
    | 'standing'
    | 'admittedLastMinute'
    | 'cameLastMinute'
    | 'effectiveRatePerMinute'
    | 'totalActiveUsers'
    | 'open'
    | 'showRate'
  > & { readonly health: Pick<RoomStats['health'], 'reason'> }
  readonly events: readonly SeenEvent[]
}

/** How visitors behave, as the last minutes show it. */
export interface Habits {
  readonly arrivalsPerMinute: number
  readonly showRate: number
  readonly stayMs: number
  /** False if the past is too short to measure the stay. Then `stayMs` follows from the session duration. */
  readonly isStayMeasured: boolean
}

/** After the last request a session lasts for its duration, and up to a quarter more. This is the mean of the two. */
const TAIL_PER_DURATION = 1.125

export function habitsOf({ now, figures }: SeenRoom, minutes: readonly HistoryStep[], sessionMs: number): Habits {
  const fittingMs = stayFitting(minutes, figures.active, Date.parse(now))
  return {
    arrivalsPerMinute: figures.cameLastMinute,
    showRate: figures.showRate,
    stayMs: fittingMs ?? TAIL_PER_DURATION * sessionMs,
    isStayMeasured: fittingMs !== null,
  }
}

/**
 * Returns the mean stay under another session duration. Only the last part of a stay depends on the duration: the
 * session of a visitor who has left, until it ends.
 */
export function stayUnder(stayMs: number, sessionMs: number, otherSessionMs: number): number {
  const tailMs = Math.min(stayMs, TAIL_PER_DURATION * sessionMs)
  return stayMs - tailMs + (tailMs * otherSessionMs) / sessionMs
}

export function startOf({ now, figures }: SeenRoom, minutes: readonly HistoryStep[]): Start {
  const { active, permitsOut, permitsBanked, totalActiveUsers, burst } = figures
  const nowMs = Date.parse(now)
  const isFull = active + permitsOut >= totalActiveUsers
  return {
    nowMs,
    open: figures.open,
    waiting: figures.waiting + figures.entries,
    ready: figures.standing,
    inside: active,
    admittedLastMinute: figures.admittedLastMinute,
    came: cameIn(minutes, nowMs),
    // In a full room no permits can be granted, so they are banked up to the burst.
    permits: isFull ? burst : permitsBanked + permitsOut,
    remaining: figures.remaining,
    showRate: figures.showRate,
  }
}

/** Returns a room before its event: no visitor waits, and none is inside. */
export function emptyStart(nowMs: number, showRate: number): Start {
  return {
    ...{ nowMs, showRate, open: true, waiting: 0, ready: 0, inside: 0, admittedLastMinute: 0 },
    ...{ came: [], permits: 0, remaining: null },
  }
}

/** The events of a room with their times in milliseconds. An event that is suspended has no effect. */
export function timesOfEvents({ events }: SeenRoom) {
  return events
    .filter(({ state }) => state !== 'suspended')
    .map(event => ({
      ...event,
      prequeueMs: event.prequeueAt === null ? null : Date.parse(event.prequeueAt),
      startMs: Date.parse(event.startsAt),
      endMs: Date.parse(event.endsAt),
    }))
}

/** A burst of newcomers comes within this time. */
export const BURST_OVER_MS = 2 * MINUTE_MS
