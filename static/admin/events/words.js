// @ts-check
// Events in words: their states, times and settings. This file neither touches the page nor reads a clock.
import { short, until } from '../words.js'

/** @typedef {import('../api.js').ScheduledEvent} ScheduledEvent */

/** @type {Record<ScheduledEvent['state'], string>} */
export const STATES = {
  suspended: 'Suspended',
  upcoming: 'To come',
  prequeueing: 'Waiting for the start',
  active: 'On',
  over: 'Over',
}

/** @param {number} ms */
export function inMs(ms) {
  return `in ${until(ms)}`
}

/**
 * Returns the next beginning or end of an event and its time, or null if the event has none.
 * @param {ScheduledEvent} event @param {number} nowMs
 */
export function nextTurn({ state, prequeueAt, startsAt, endsAt }, nowMs) {
  if (state === 'suspended' || state === 'over') return null
  const turns = [
    { what: 'Newcomers wait', at: prequeueAt },
    { what: 'Starts', at: startsAt },
    { what: 'Ends', at: endsAt },
  ]
  const next = turns.find(({ at }) => at !== null && Date.parse(at) > nowMs)
  return next ? { what: next.what, inMs: Date.parse(next.at ?? '') - nowMs } : null
}

/** Returns a countdown: "2 days", "3:05:09", "4:59". @param {number} ms */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000))
  if (seconds >= 172_800) return until(ms)
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  const pad = (/** @type {number} */ value) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`
}

/** Returns a moment in the time zone of the browser, with the name of the zone. @param {string} at */
export function localTime(at) {
  return new Date(at).toLocaleString([], {
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  })
}

/** Returns, in words, the settings that an event overrides. @param {ScheduledEvent} event */
export function insteadWords({ instead }) {
  const set = Object.entries(instead)
  return set.length === 0
    ? 'The settings of the room hold.'
    : set.map(([key, value]) => `${key} ${short(value)}`).join(', ')
}
