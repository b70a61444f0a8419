// @ts-check
// The events of a room, soonest first. Each has its countdown, times, settings and draw, and buttons to change it.
import { change, showNote } from '../change.js'
import { make, say } from '../dom.js'
import { button } from '../form/fields.js'
import { elementOf, hrefOf } from '../parts.js'
import { chosen, serverMs } from '../rooms.js'
import { count } from '../words.js'
import { eventCalendar, showCalendar } from './calendar.js'
import { eventEditor, openCopy, openEvent, openNew, showEditor } from './editor.js'
import { countdown, insteadWords, localTime, nextTurn, STATES } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../api.js').ScheduledEvent} ScheduledEvent */

export const eventsPart = { name: 'events', title: 'Events', show: showList }

/** @type {Map<string, HTMLElement>} The shown rows, by the name of the event. */
const rows = new Map()
/** The room and the events that the rows show. */
let listed = ''
const none = make('p', 'No event is planned. An event changes the room from its start to its end, by itself.')
const list = make('ol')
list.className = 'event-list'
const note = make('p')
note.className = 'note'
const ADVICE = 'Look at the list again.'
/** A rehearsal begins with so many visitors, where no draw has counted them. */
const PEOPLE = 10_000

/** @param {Room} room */
function showList(room) {
  const part = elementOf('events')
  if (part.children.length === 0) {
    const add = make(
      'div',
      button('New event', () => withRoom(openNew)),
    )
    add.dataset.changes = 'events'
    addStyle()
    part.append(make('h1', 'Events'), note, add, eventEditor(), none, eventCalendar(showRow), list)
  }
  showEditor(room)
  showNote(part, room, 'events')
  const wanted = JSON.stringify([room.name, room.events])
  if (wanted !== listed) write(room)
  listed = wanted
  showCalendar(room)
  for (const event of room.events) {
    const row = rows.get(event.name)
    if (row) showCountdown(row, event)
  }
}

function addStyle() {
  const style = /** @type {HTMLLinkElement} */ (make('link'))
  style.rel = 'stylesheet'
  style.href = new URL('calendar.css', import.meta.url).href
  document.head.append(style)
}

/** Brings the row of an event into view, and the focus to it. @param {string} name */
function showRow(name) {
  const row = rows.get(name)
  row?.scrollIntoView({ block: 'center' })
  row?.focus({ preventScroll: true })
}

/** @param {Room} room */
function write(room) {
  const { events } = room
  none.hidden = events.length > 0
  rows.clear()
  for (const event of events) rows.set(event.name, rowOf(room, event))
  list.replaceChildren(...rows.values())
}

/** @param {Room} room @param {ScheduledEvent} event */
function rowOf(room, event) {
  const head = make('h2', event.name, make('span', STATES[event.state] ?? ''))
  const next = make('p')
  next.className = 'countdown'
  const facts = [
    ...(event.prequeueAt === null ? [] : [fact('Newcomers wait from', localTime(event.prequeueAt))]),
    fact('Starts', localTime(event.startsAt)),
    fact('Ends', localTime(event.endsAt)),
    fact('Settings meanwhile', insteadWords(event)),
    ...(event.draw
      ? [fact('Commitment of the draw', event.draw.commitment), fact('Entries', count(event.draw.entries))]
      : []),
    ...(event.draw?.seed ? [fact('Seed', event.draw.seed)] : []),
  ]
  const item = make('li', head, next, make('dl', ...facts), actionsOf(event), ...rehearsalOf(room, event))
  item.tabIndex = -1
  item.className = 'card'
  item.dataset.changes = 'events'
  item.dataset.event = event.state
  return item
}

/** Returns a link to the rehearsal of an event that has not begun. @param {Room} room @param {ScheduledEvent} event */
function rehearsalOf(room, { name, state, draw }) {
  if (state !== 'upcoming' && state !== 'prequeueing') return []
  const link = /** @type {HTMLAnchorElement} */ (make('a', 'Rehearse this event'))
  const query = new URLSearchParams({ event: name, people: String(draw?.entries || PEOPLE) })
  link.href = `./${hrefOf(room, 'rehearse')}?${query}`
  const where = make('p', link)
  where.className = 'rehearsal'
  return [where]
}

/** @param {ScheduledEvent} event */
function actionsOf({ name, state }) {
  const isSuspended = state === 'suspended'
  const actions = make(
    'div',
    ...(state === 'over' ? [] : [act('Change', name, openEvent)]),
    act('Copy', name, openCopy),
    ...(state === 'over'
      ? []
      : [act(isSuspended ? 'Resume' : 'Suspend', name, (room, { name }) => suspend(room, name, !isSuspended))]),
    act('Remove', name, (room, event) =>
      save(
        room,
        room.settings.events.filter(other => other !== event),
      ),
    ),
  )
  actions.className = 'actions'
  return actions
}

/** @typedef {Room['settings']['events'][number]} Event */

/** @param {string} verb @param {string} name @param {(room: Room, event: Event) => Promise<unknown>} deed */
function act(verb, name, deed) {
  const node = button(verb, () =>
    withRoom(async room => {
      const event = room.settings.events.find(other => other.name === name)
      if (event) await deed(room, event)
    }),
  )
  node.ariaLabel = `${verb} ${name}`
  return node
}

/** @param {(room: Room) => Promise<unknown>} deed */
function withRoom(deed) {
  const room = chosen()
  if (room) void deed(room)
}

/** @param {Room} room @param {string} name @param {boolean} suspended */
function suspend(room, name, suspended) {
  return save(
    room,
    room.settings.events.map(event => (event.name === name ? { ...event, suspended } : event)),
  )
}

/** @param {Room} room @param {Event[]} events */
function save(room, events) {
  return change(room, { key: 'events', version: room.version, request: { set: { events } }, advice: ADVICE })
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
