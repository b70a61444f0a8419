/** The conditions of alerts, and the figures by which a room judges them. */
import { HOUR_MS, MINUTE_MS } from '../timing.ts'

const DAY_MS = 24 * HOUR_MS

/** Conditions that last, with the unit of their limit. Null means that a condition has no limit. */
export const LASTING = {
  line_longer_than: 'people',
  wait_longer_than: 'minutes',
  rate_unused: 'percent',
  budget_below: 'admissions',
  origin_slowed: null,
  origin_down: null,
  breaker_open: null,
  door_silent: null,
  token_ends: 'days',
} as const
/** Moments: each is one notice, and nothing comes back. */
export const MOMENTS = ['event_started', 'event_ended', 'settings_changed'] as const

export type LastingKind = keyof typeof LASTING
export type MomentKind = (typeof MOMENTS)[number]
export type AlertKind = LastingKind | MomentKind

export interface AlertRule {
  /** Unique in the room. */
  readonly name: string
  readonly when: AlertKind
  /** In the unit of the kind; null where it has none. */
  readonly threshold: number | null
  /** The condition must last this long before the alert fires, and be gone for as long before it is resolved. */
  readonly forMs: number
  /** The least time from one firing to the next. */
  readonly pauseMs: number
  /** Names of receivers. */
  readonly to: readonly string[]
}

export interface AlertFigures {
  readonly waiting: number
  /** The wait of a visitor who comes now; null while it is not known. */
  readonly waitMs: number | null
  readonly admittedLastMinute: number
  readonly ratePerMinute: number
  readonly freePlaces: number
  readonly remaining: number | null
  readonly origin: 'well' | 'slowed' | 'down'
  /** Upstreams that are shut off. */
  readonly openBreakers: number
  /** Until the first token of an operator ends, 0 for one that has ended; null without tokens. */
  readonly tokenEndsInMs: number | null
  /** Doors that have not answered the room. */
  readonly silentDoors: number
}

/** The present value of a condition, and whether it holds. Null for both while the value is not known. */
export interface Judged {
  readonly holds: boolean | null
  readonly value: number | null
}

export function judgeCondition(when: LastingKind, threshold: number | null, figures: AlertFigures): Judged {
  const limit = threshold ?? 0
  switch (when) {
    case 'line_longer_than':
      return { holds: figures.waiting > limit, value: figures.waiting }
    case 'wait_longer_than': {
      const { waitMs, waiting } = figures
      if (waitMs === null) return waiting === 0 ? { holds: false, value: 0 } : { holds: null, value: null }
      return { holds: waitMs > limit * MINUTE_MS, value: Math.round(waitMs / MINUTE_MS) }
    }
    case 'rate_unused':
      return unusedRate(limit, figures)
    case 'budget_below':
      return { holds: figures.remaining !== null && figures.remaining < limit, value: figures.remaining }
    case 'origin_slowed':
      return { holds: figures.origin === 'slowed', value: null }
    case 'origin_down':
      return { holds: figures.origin === 'down', value: null }
    case 'breaker_open':
      return { holds: figures.openBreakers > 0, value: figures.openBreakers }
    case 'token_ends': {
      const days = figures.tokenEndsInMs === null ? null : Math.floor(figures.tokenEndsInMs / DAY_MS)
      return { holds: days !== null && days < limit, value: days }
    }
    case 'door_silent':
      return { holds: figures.silentDoors > 0, value: figures.silentDoors }
  }
}

/** A held line, and places that are all taken, are no waste of the rate. */
function unusedRate(limit: number, figures: AlertFigures): Judged {
  const { ratePerMinute, admittedLastMinute, waiting, freePlaces } = figures
  if (ratePerMinute <= 0 || waiting < 1 || freePlaces < 1) return { holds: false, value: 0 }
  const unused = Math.max(0, Math.round(100 * (1 - admittedLastMinute / ratePerMinute)))
  return { holds: unused > limit, value: unused }
}
