// @ts-check
// The events of a room, soonest first: countdown, times, own settings and draw.
import { make, say } from '../dom.js'
import { elementOf } from '../parts.js'
import { serverMs } from '../rooms.js'
import { count } from '../words.js'
import { countdown, insteadWords, localTime, nextTurn, STATES } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../api.js').ScheduledEvent} ScheduledEvent */

export const eventsPart = { name: 'events', title: 'Events', show: showList }

/** @type {Map<string, HTMLElement>} The shown rows, by the name of the event. */
const rows = new Map()
/** The room and events of the rows. */
let listed = ''
const none = make('p', 'No event is planned. An event changes the room from its start to its end, by itself.')
const list = make('ol')
list.className = 'event-list'

/** @param {Room} room */
function showList(room) {
  const part = elementOf('events')
  if (part.children.length === 0) part.append(make('h1', 'Events'), none, list)
  const wanted = JSON.stringify([room.name, room.events])
  if (wanted !== listed) write(room)
  listed = wanted
  for (const event of room.events) {
    const row = rows.get(event.name)
    if (row) showCountdown(row, event)
  }
}

/** @param {Room} room */
function write({ events }) {
  none.hidden = events.length > 0
  rows.clear()
  for (const event of events) rows.set(event.name, rowOf(event))
  list.replaceChildren(...rows.values())
}

/** @param {ScheduledEvent} event */
function rowOf(event) {
  const head = make('h2', event.name, make('span', STATES[event.state] ?? ''))
  const next = make('p')
  next.className = 'countdown'
  const facts = [
    ...(event.prequeueAt === null ? [] : [fact('Newcomers wait from', localTime(event.prequeueAt))]),
    fact('Starts', localTime(event.startsAt)),
    fact('Ends', localTime(event.endsAt)),
    fact('Instead', insteadWords(event)),
    ...(event.draw
      ? [fact('Commitment of the draw', event.draw.commitment), fact('Entries', count(event.draw.entries))]
      : []),
    ...(event.draw?.seed ? [fact('Seed', event.draw.seed)] : []),
  ]
  const item = make('li', head, next, make('dl', ...facts))
  item.className = 'card'
  item.dataset.event = event.state
  return item
}

/** @param {string} name @param {string} value */
function fact(name, value) {
  return make('div', make('dt', name), make('dd', value))
}

/** @param {HTMLElement} row @param {ScheduledEvent} event */
function showCountdown(row, event) {
  const next = nextTurn(event, serverMs())
  const where = /** @type {HTMLElement} */ (row.querySelector('.countdown'))
  where.hidden = next === null
  say(where, next ? `${next.what} in ${countdown(next.inMs)}` : '')
}
