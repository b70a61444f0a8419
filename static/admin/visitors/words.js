// @ts-check
// Sessions, rate limits and lanes as rows of words. This file neither touches the page nor reads a clock.
import { count, moment, until } from '../words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../../../src/core/session.ts').Session} Session */

/** @param {Session} session @param {number} nowMs @returns {[name: string, value: string][]} */
export function sessionFacts({ sid, lane, admittedMs, expiresMs, ended, returned, endsByTime, isReentry }, nowMs) {
  const left = expiresMs - nowMs
  const isOver = ended !== null || left <= 0
  const how = { left: 'The visitor left', revoked: 'It was ended early', over: 'It is over' }
  return [
    ['ID', sid],
    ['State', isOver ? how[ended ?? 'over'] : `Inside, for ${until(left)} more without a request`],
    ['Let in', moment(admittedMs, nowMs)],
    ['Lane', lane],
    ['Keeps cookies', returned ? 'yes' : 'not known yet'],
    ['Requests prolong it', endsByTime ? 'no' : 'yes'],
    ['Came back at the front', isReentry ? 'yes' : 'no'],
  ]
}

/** Returns a row for each policy: its limit, its mode and its figures. @param {Room} room */
export function limitRows({ settings, figures }) {
  return settings.rate_limits.map(({ name, count: requests, period, burst, mode }) => {
    const found = Object.hasOwn(figures.limits, name) ? figures.limits[name] : undefined
    const { allowed = 0, limited = 0, shadow = 0, near = 0, fallback = 0 } = found ?? {}
    const limit = `${count(requests)} in ${count(period)} s, ${count(burst)} at once`
    return [name, limit, mode, ...[allowed, limited, shadow, near, fallback].map(count)]
  })
}

/**
 * Returns a row for each provider of challenges that has set one. Those that are not of Turnstile are calculations.
 * @param {Room} room
 */
export function challengeRows({ figures: { totals } }) {
  const kinds = ['asked', 'solved', 'wrong', 'expired', 'unavailable']
  const all = kinds.map(kind => totals[`challenge_${kind}`] ?? 0)
  const widgets = kinds.map(kind => totals[`turnstile_${kind}`] ?? 0)
  const work = all.map((value, nth) => Math.max(0, value - (widgets[nth] ?? 0)))
  const rows = /** @type {const} */ ([
    ['Calculation', work],
    ['Turnstile', widgets],
  ])
  return rows
    .filter(([, values]) => values.some(value => value > 0))
    .map(([name, values]) => [name, ...values.map(count)])
}

/** Returns the tickets that came in without a solution, and those that could not, in words. @param {Room} room */
export function unsolvedWords({ figures: { totals } }) {
  const { challenge_waived: waived = 0, challenge_held: held = 0 } = totals
  return `Without a solution ${count(waived)} places counted after a minute, and ${count(held)} tries were too many of one network or of the room.`
}

/** Returns a row for each lane. @param {Room} room */
export function laneRows({ figures }) {
  return figures.lanes.map(({ name, share, waiting, standing, admitted }) => {
    return [name, `${Math.round(100 * share)} %`, ...[waiting, standing, admitted].map(count)]
  })
}
