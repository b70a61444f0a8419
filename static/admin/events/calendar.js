// @ts-check
// The events of a room in a calendar of one month, in the time zone of the browser. A phone shows only the list.
import { make, say } from '../dom.js'
import { button } from '../form/fields.js'
import { serverMs } from '../rooms.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../api.js').ScheduledEvent} ScheduledEvent */

const WEEK_DAYS = 7
/** A Monday, from which the names of the days are made. */
const A_MONDAY = new Date(2024, 0, 1)
/** A day shows this many events by name, and the number of the others. */
const NAMED_MAX = 3
/** How many months forward each key turns the calendar. @type {Record<string, number>} */
const MONTHS_OF_KEYS = { PageUp: -1, PageDown: 1 }

const title = make('h2')
const days = make('tbody')
const calendar = make('section')
/** The room for which the month was chosen. */
let chosenFor = ''
let month = new Date(0)
/** The rows that were last written. */
let written = ''
/** @type {ScheduledEvent[]} */
let events = []
/** @type {(name: string) => void} */
let open = () => {}

/** Returns the calendar. `show` gets the name of an event when the operator presses it. */
export function eventCalendar(/** @type {(name: string) => void} */ show) {
  open = show
  const names = Array.from({ length: WEEK_DAYS }, (_, index) => {
    const head = /** @type {HTMLTableCellElement} */ (
      make('th', wordsOf(dayAfter(A_MONDAY, index), { weekday: 'short' }))
    )
    head.scope = 'col'
    return head
  })
  title.id = 'calendar-title'
  title.setAttribute('aria-live', 'polite')
  const table = make('table', make('thead', make('tr', ...names)), days)
  table.setAttribute('aria-labelledby', title.id)
  const turns = make(
    'div',
    turn('Previous month', -1),
    turn('Next month', 1),
    button('This month', () => turnTo(today())),
  )
  turns.className = 'actions'
  const head = make('div', title, turns)
  head.className = 'calendar-head'
  calendar.className = 'calendar'
  calendar.append(head, table)
  calendar.addEventListener('keydown', event => {
    const months = MONTHS_OF_KEYS[event.key]
    if (months === undefined) return
    event.preventDefault()
    turnTo(monthAfter(months))
  })
  return calendar
}

/** Shows the events. The first month is the one of the current or next event. @param {Room} room */
export function showCalendar(room) {
  events = room.events
  calendar.hidden = events.length === 0
  if (chosenFor !== room.name) {
    chosenFor = room.name
    const next = events.find(({ state }) => state !== 'over')
    month = monthOf(next ? new Date(Math.max(serverMs(), Date.parse(next.prequeueAt ?? next.startsAt))) : today())
  }
  write()
}

function write() {
  const wanted = JSON.stringify([month, today().toDateString(), events])
  if (wanted === written) return
  written = wanted
  say(title, wordsOf(month, { month: 'long', year: 'numeric' }))
  const first = dayAfter(month, -((month.getDay() + WEEK_DAYS - 1) % WEEK_DAYS))
  const weeks = []
  for (let monday = first; monday < monthAfter(1); monday = dayAfter(monday, WEEK_DAYS)) {
    const cells = Array.from({ length: WEEK_DAYS }, (_, index) => cellOf(dayAfter(monday, index)))
    weeks.push(make('tr', ...cells))
  }
  days.replaceChildren(...weeks)
}

/** @param {Date} day */
function cellOf(day) {
  const time = /** @type {HTMLTimeElement} */ (make('time', String(day.getDate())))
  time.dateTime = [day.getFullYear(), padded(day.getMonth() + 1), padded(day.getDate())].join('-')
  const cell = /** @type {HTMLTableCellElement} */ (make('td', time))
  if (day.toDateString() === today().toDateString()) cell.ariaCurrent = 'date'
  if (day.getMonth() !== month.getMonth()) cell.className = 'other-month'
  const here = events.filter(event => isOn(event, day))
  const more = here.length - NAMED_MAX
  cell.append(...here.slice(0, NAMED_MAX).map(event => nameOf(event, day)))
  if (more > 0) cell.append(make('small', `${more} more`))
  return cell
}

/** True if an event, or its prequeue, takes place on a day. @param {ScheduledEvent} event @param {Date} day */
function isOn({ prequeueAt, startsAt, endsAt }, day) {
  return Date.parse(prequeueAt ?? startsAt) < dayAfter(day, 1).getTime() && Date.parse(endsAt) > day.getTime()
}

/** @param {ScheduledEvent} event @param {Date} day */
function nameOf({ name, state, startsAt }, day) {
  const starts = new Date(startsAt)
  const isFirst = starts.toDateString() === day.toDateString()
  const time = isFirst ? `${wordsOf(starts, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })} ` : ''
  const node = button(time + name, () => open(name))
  node.dataset.event = state
  return node
}

/** @param {string} words @param {number} months */
function turn(words, months) {
  return button(words, () => turnTo(monthAfter(months)))
}

/** @param {Date} day */
function turnTo(day) {
  month = monthOf(day)
  write()
}

function today() {
  return new Date(serverMs())
}

/** @param {Date} day */
function monthOf(day) {
  return new Date(day.getFullYear(), day.getMonth(), 1)
}

/** @param {number} months */
function monthAfter(months) {
  return new Date(month.getFullYear(), month.getMonth() + months, 1)
}

/**
 * Returns another day. A day on which the clock changes is not 24 hours long.
 * @param {Date} day @param {number} days
 */
function dayAfter(day, days) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days)
}

/** @param {Date} day @param {Intl.DateTimeFormatOptions} form */
function wordsOf(day, form) {
  return day.toLocaleString('en', form)
}

/** @param {number} value */
function padded(value) {
  return String(value).padStart(2, '0')
}
