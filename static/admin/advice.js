// @ts-check
// The room's advice in sentences: the reason with its figures, then an action for the operator. The page does nothing
// by itself.
import { $, list, make } from './dom.js'
import { count, until } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('../../src/core/history/advice.ts').Advice} Advice */

const LIMITS = { new_users_per_minute: 'the rate', total_active_users: 'the places' }

/** @param {Room} room */
export function showAdvice({ figures }) {
  const rows = figures.advice.map(piece => adviceWords(piece, figures.waiting))
  $('advice').hidden = rows.length === 0
  list($('advice'), rows, () => make('li', make('span'), make('strong')))
}

/** @param {Advice} advice @param {number} waiting @returns {[reason: string, act: string]} */
function adviceWords(advice, waiting) {
  switch (advice.rule) {
    case 'sold-out-near':
      return [
        `${count(advice.remaining)} are left of the budget, and ${count(advice.waiting)} wait.`,
        'Write it to the line.',
      ]
    case 'sessions-long':
      return [
        `Every place is taken, and only ${count(advice.there)} of ${count(advice.inside)} inside were there in the last minute.`,
        `A session shorter than ${count(advice.minutes)} min frees the places of visitors who have left.`,
      ]
    case 'rate-unused':
      return [
        `${count(advice.perMinute)} of ${count(advice.rate)} a minute came in, while ${count(waiting)} wait and places are free.`,
        `See whether the doors report. ${percent(advice.showRate)} of those called come.`,
      ]
    case 'no-shows':
      return [
        `Only ${percent(advice.showRate)} of those called come.`,
        'Others take their turns: the line is shorter than it looks.',
      ]
    case 'origin-has-room':
      return [
        `The origin has room: Apdex ${advice.apdex.toFixed(2)} over ${count(advice.samples)} answers, while ${count(waiting)} wait.`,
        `Raise ${LIMITS[advice.limit]} by a tenth, to ${count(advice.to)}, and look again in five minutes.`,
      ]
    case 'line-grows':
      return [
        `The line grows by ${count(advice.growsPerMinute)} a minute, and a newcomer waits ${until(advice.waitMs)}.`,
        'Raise the rate if the origin bears it, or write to the line how long it takes.',
      ]
  }
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(100 * share)} %`
}
