/**
 * Advice to an operator, by the rules of docs/advice.md. Each piece of advice contains the figures that are its reason.
 * Advice never changes anything by itself.
 */
import type { Forecast } from './forecast.ts'
import type { HistoryStep } from './history.ts'

/** The figures of a piece of advice, as docs/advice.md lists them by rule. Shares are 0 to 1. */
export type Advice =
  | { readonly rule: 'sold-out-near'; readonly remaining: number; readonly waiting: number }
  | { readonly rule: 'sessions-long'; readonly there: number; readonly inside: number; readonly minutes: number }
  | { readonly rule: 'rate-unused'; readonly perMinute: number; readonly rate: number; readonly showRate: number }
  | { readonly rule: 'no-shows'; readonly showRate: number }
  | {
      readonly rule: 'origin-has-room'
      readonly apdex: number
      readonly samples: number
      readonly limit: 'new_users_per_minute' | 'total_active_users'
      readonly to: number
    }
  | { readonly rule: 'line-grows'; readonly growsPerMinute: number; readonly waitMs: number }

/** The room as it is now, and its last minutes as one step. */
export interface Situation {
  readonly forecast: Forecast
  /** The counts of the last `minutes` minutes. */
  readonly lately: HistoryStep
  readonly minutes: number
  readonly waiting: number
  readonly inside: number
  readonly showRate: number
  readonly remaining: number | null
  /** The limits in force, after events and health. */
  readonly rate: number
  readonly places: number
  readonly sessionMinutes: number
  readonly health: {
    readonly mode: 'enforce' | 'shadow' | 'off'
    readonly state: 'well' | 'slowed' | 'down'
    readonly ceiling: number | null
    readonly there: number
  }
}

/** No rule applies before this many minutes are known. */
const MINUTES_MIN = 5
/** A line of fewer people needs no action. */
const WAITING_MIN = 20
const FULL_SHARE = 0.95
const USED_SHARE = 0.8
const THERE_SHARE = 0.5
const SHOW_SHARE = 0.5
const CALLED_MIN = 50
const APDEX_MIN = 0.95
const SAMPLES_MIN = 200
const GROWS_SHARE = 0.05
const LONG_WAIT_MS = 10 * 60_000
/** Advice to raise a limit proposes the present limit times this. */
const STEP_UP = 1.1

/** Returns the advice whose rules apply, the most urgent first. */
export function adviceFor(now: Situation): readonly Advice[] {
  if (now.forecast.kind === 'stopped') return []
  const rules = [soldOutNear, sessionsLong, rateUnused, noShows, originHasRoom, lineGrows]
  return rules.flatMap(rule => rule(now) ?? [])
}

function soldOutNear({ remaining, waiting, showRate }: Situation): Advice | null {
  if (remaining === null || remaining >= waiting * showRate) return null
  return { rule: 'sold-out-near', remaining, waiting: Math.round(waiting) }
}

function sessionsLong(now: Situation): Advice | null {
  const { health, inside, sessionMinutes } = now
  if (!hasLine(now) || !isFullNow(now) || health.mode === 'off' || health.there >= inside * THERE_SHARE) return null
  return { rule: 'sessions-long', there: health.there, inside, minutes: sessionMinutes }
}

function rateUnused(now: Situation): Advice | null {
  const { lately, minutes, rate, showRate } = now
  const perMinute = lately.admitted / minutes
  if (minutes < MINUTES_MIN || !hasLine(now) || isFullNow(now) || perMinute >= rate * USED_SHARE) return null
  return { rule: 'rate-unused', perMinute: Math.round(perMinute), rate, showRate }
}

function noShows({ lately, showRate }: Situation): Advice | null {
  return lately.called >= CALLED_MIN && showRate < SHOW_SHARE ? { rule: 'no-shows', showRate } : null
}

function originHasRoom(now: Situation): Advice | null {
  const { lately, health, rate, places } = now
  const { samples, apdex } = lately
  const isWell = health.mode !== 'off' && health.state === 'well' && health.ceiling === null
  if (!hasLine(now) || !isWell || samples < SAMPLES_MIN || apdex === null || apdex < APDEX_MIN) return null
  const limit = isFullNow(now) ? 'total_active_users' : 'new_users_per_minute'
  return { rule: 'origin-has-room', apdex, samples, limit, to: Math.ceil((isFullNow(now) ? places : rate) * STEP_UP) }
}

/** The line must also have grown over all of the last minutes: arrivals of a single minute vary by chance. */
function lineGrows({ forecast, rate, minutes, lately }: Situation): Advice | null {
  if (forecast.kind === 'stopped' || minutes < MINUTES_MIN) return null
  const { growsPerMinute, wait } = forecast
  const grewPerMinute = (lately.confirmed - lately.called) / minutes
  const waitMs = wait?.likelyMs ?? Number.POSITIVE_INFINITY
  const least = Math.max(1, rate * GROWS_SHARE)
  if (Math.min(growsPerMinute, grewPerMinute) < least || waitMs < LONG_WAIT_MS) return null
  return { rule: 'line-grows', growsPerMinute, waitMs: Math.min(waitMs, 24 * 60 * 60_000) }
}

function hasLine({ waiting }: Situation): boolean {
  return waiting >= WAITING_MIN
}

function isFullNow({ inside, places }: Situation): boolean {
  return inside >= places * FULL_SHARE
}
