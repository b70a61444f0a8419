// @ts-check
// The events of a room: the current and the coming ones, and how many visitors wait for a draw.
import { $, list, make } from './dom.js'
import { inMs, STATES } from './events/words.js'
import { serverMs } from './rooms.js'
import { count } from './words.js'

/** @typedef {import('./api.js').Room} Room */

/** @param {Room} room */
export function showEvents({ events }) {
  $('events-part').hidden = events.length === 0
  const rows = events.map(({ name, state, prequeueAt, startsAt, endsAt, draw }) => [
    `${name} · ${STATES[state]}`,
    [
      ...(prequeueAt === null ? [] : [`newcomers wait from ${when(prequeueAt)}`]),
      `starts ${when(startsAt)}`,
      `ends ${when(endsAt)}`,
      ...(draw ? [`${count(draw.entries)} ${draw.entries === 1 ? 'entry' : 'entries'} in the draw`] : []),
    ].join(' · '),
  ])
  list($('events'), rows, () => make('li', make('p'), make('small')))
}

/** @param {string} at */
function when(at) {
  const ms = Date.parse(at)
  const text = new Date(ms).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })
  return ms > serverMs() ? `${text} (${inMs(ms - serverMs())})` : text
}
