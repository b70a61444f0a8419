/** The conditions of alerts, and the figures by which a room judges them. */
import { HOUR_MS, MINUTE_MS } from '../timing.ts'

const DAY_MS = 24 * HOUR_MS

/** Conditions that last, each with the unit of its threshold. Null means that a condition has no threshold. */
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
/** Conditions of one moment: each sends one notice, and is never resolved. */
export const MOMENTS = ['event_started', 'event_ended', 'settings_changed'] as const

export type LastingKind = keyof typeof LASTING
export type MomentKind = (typeof MOMENTS)[number]
export type AlertKind = LastingKind | MomentKind

export interface AlertRule {
  /** Each name is unique in the room. */
  readonly name: string
  readonly when: AlertKind
  /** The limit of the condition, in the unit of its kind; null for a kind without one. */
  readonly threshold: number | null
  /**
   * The condition must last this long before the alert fires. It must be gone for as long before the alert is resolved.
   */
  readonly forMs: number
  /** The shortest time from one firing to the next. */
  readonly pauseMs: number
  /** Names of receivers. */
  readonly to: readonly string[]
}

export interface AlertFigures {
  readonly waiting: number
  /** The wait that a visitor who comes now can expect; null while it is not known. */
  readonly waitMs: number | null
  readonly admittedLastMinute: number
  readonly ratePerMinute: number
  readonly freePlaces: number
  readonly remaining: number | null
  readonly origin: 'well' | 'slowed' | 'down'
  /** The number of upstreams that are shut off. */
  readonly openBreakers: number
  /** The time until the first of the operators' tokens ends, 0 if one has ended; null without tokens. */
  readonly tokenEndsInMs: number | null
  /** The number of doors that have not answered the room. */
  readonly silentDoors: number
}

/** The present value of a condition, and whether the condition holds. Both are null while the value is not known. */
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

/** The rate goes unused for good reason while the line is held or all places are taken. Then no alert is due. */
function unusedRate(limit: number, figures: AlertFigures): Judged {
  const { ratePerMinute, admittedLastMinute, waiting, freePlaces } = figures
  if (ratePerMinute <= 0 || waiting < 1 || freePlaces < 1) return { holds: false, value: 0 }
  const unused = Math.max(0, Math.round(100 * (1 - admittedLastMinute / ratePerMinute)))
  return { holds: unused > limit, value: unused }
}
