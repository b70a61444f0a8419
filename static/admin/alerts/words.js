// @ts-check
// Rules of alerts and their state in words. This file neither touches the page nor reads a clock.
import { ago, count, moment } from '../words.js'

/** @typedef {import('../../../src/core/protocol/alerts.ts').AlertReport} AlertReport */
/** @typedef {import('../../../src/core/alerts/rules.ts').AlertKind} AlertKind */

/**
 * The conditions. Each has words before its limit, and a unit after it if there is one. A moment sends a single notice.
 * @type {Record<AlertKind, { words: string, unit?: string, isMoment?: true }>}
 */
export const CONDITIONS = {
  line_longer_than: { words: 'The line is longer than', unit: 'people' },
  wait_longer_than: { words: 'A newcomer waits longer than', unit: 'minutes' },
  rate_unused: { words: 'More of the rate is unused than', unit: '%' },
  budget_below: { words: 'Fewer are left of the budget than', unit: 'admissions' },
  origin_slowed: { words: 'The origin is slow' },
  origin_down: { words: 'The origin is down' },
  breaker_open: { words: 'An upstream is shut off' },
  door_silent: { words: 'A door does not answer' },
  token_ends: { words: 'A token of an operator ends within', unit: 'days' },
  event_started: { words: 'An event starts', isMoment: true },
  event_ended: { words: 'An event ends', isMoment: true },
  settings_changed: { words: 'A setting is changed live', isMoment: true },
}

/** @param {AlertReport['rules'][number]} rule */
export function conditionOf({ when, threshold, forMs, pauseMs }) {
  const { words, unit, isMoment } = CONDITIONS[when]
  const limit = unit === undefined ? '' : ` ${count(threshold ?? 0)} ${unit}`
  if (isMoment) return `${words}.`
  return `${words}${limit}, for ${count(forMs / 1_000)} s; at most once in ${count(pauseMs / 1_000)} s.`
}

/** @param {AlertReport['rules'][number]} rule @param {number} nowMs @returns {['firing' | 'quiet', string]} */
export function stateOfRule({ when, firedAtMs, lastFiredAtMs, resolvedAtMs, changingSinceMs }, nowMs) {
  if (CONDITIONS[when].isMoment) return ['quiet', 'One notice each time']
  if (firedAtMs !== null) return ['firing', `Firing since ${moment(firedAtMs, nowMs)}`]
  if (changingSinceMs !== null) return ['quiet', `The condition holds, ${ago(nowMs - changingSinceMs)} it began`]
  if (resolvedAtMs !== null) return ['quiet', `Resolved at ${moment(resolvedAtMs, nowMs)}`]
  return ['quiet', lastFiredAtMs === null ? 'Has never fired' : `Quiet; fired at ${moment(lastFiredAtMs, nowMs)}`]
}

/** @type {Record<AlertReport['deliveries'][number]['state'], string>} */
const STATES = { waiting: 'On its way', delivered: 'Delivered', 'given-up': 'Given up' }

/** @param {AlertReport['deliveries'][number]} delivery */
export function deliveryOf({ state, attempts, outcome }) {
  const tries = attempts > 1 ? `, attempt ${attempts}` : ''
  return `${STATES[state]}${tries}${outcome === null ? '' : ` (${outcome})`}`
}
