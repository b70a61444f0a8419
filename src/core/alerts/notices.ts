/** Notices: the messages about alerts that receivers get, in words and as data. */
import type { AlertKind, AlertRule } from './rules.ts'

export interface Notice {
  readonly room: string
  /** The name of the rule. */
  readonly alert: string
  readonly when: AlertKind | 'test'
  /** `once` for a kind of alert that is never resolved, such as the start of an event. */
  readonly state: 'firing' | 'resolved' | 'once'
  /** The id of the episode: its firing and its resolution have the same one. */
  readonly episode: string
  /** One line for people to read. */
  readonly text: string
  readonly value: number | null
  readonly threshold: number | null
  readonly atMs: number
}

/** Returns a sentence about what happened. `value` and the threshold are in the unit of the rule. */
export function wordsFor({ when, threshold }: AlertRule, state: 'firing' | 'resolved', value: number | null): string {
  const is = count(value)
  const limit = count(threshold)
  const isOver = state === 'firing'
  switch (when) {
    case 'line_longer_than':
      return isOver ? `${is} people wait in line, more than ${limit}` : `the line is short again: ${is} people wait`
    case 'wait_longer_than':
      return isOver ? `newcomers wait ${is} minutes, more than ${limit}` : `newcomers wait ${is} minutes again`
    case 'rate_unused':
      return isOver ? `${is} % of the rate is unused while people wait` : 'the rate is used again'
    case 'budget_below':
      return isOver ? `${is} admissions are left, fewer than ${limit}` : `${is} admissions are left again`
    case 'origin_slowed':
      return isOver ? 'the origin is slow, and fewer visitors are let in' : 'the origin is no longer slow'
    case 'origin_down':
      return isOver ? 'the origin is down, and no visitor is let in' : 'the origin is no longer down'
    case 'breaker_open':
      return isOver ? `${is} upstreams are shut off` : 'no upstream is shut off any more'
    case 'token_ends':
      return isOver ? `a token of an operator ends in ${is} days` : 'no token of an operator ends soon any more'
    case 'door_silent':
      return isOver ? `${is} doors do not answer the room` : 'every door answers the room again'
    case 'event_started':
    case 'event_ended':
    case 'settings_changed':
      return when
  }
}

/**
 * The waits before the next attempts of a delivery: the first wait, and the longest. Each is four times the one before.
 * The last constant is the time after which no further attempt is made.
 */
const FIRST_RETRY_MS = 5_000
const RETRY_MS_MAX = 2 * 60 * 60_000
const RETRIED_FOR_MS = 24 * 60 * 60_000

/** Returns when to try a delivery again that has failed `failures` times. Returns null once a day has passed. */
export function nextAttemptMs(createdAtMs: number, failures: number, nowMs: number): number | null {
  const waitMs = Math.min(RETRY_MS_MAX, FIRST_RETRY_MS * 4 ** (failures - 1))
  return nowMs + waitMs - createdAtMs > RETRIED_FOR_MS ? null : nowMs + waitMs
}

function count(value: number | null): string {
  return value === null ? 'an unknown number of' : Math.round(value).toLocaleString('en')
}
