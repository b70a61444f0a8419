// @ts-check
// The form of one event: a new one, a copy, or an existing one. The API takes the whole list of events. So on saving,
// the event is put into the list that is in force then.
import { change } from '../change.js'
import { make } from '../dom.js'
import { button, fieldFor } from '../form/fields.js'
import { bare, templateOf } from '../form/kinds.js'
import { clearProblems, showProblems } from '../form/problems.js'
import { readSchema } from '../form/schema.js'
import { fromField, toField, zone } from '../form/times.js'
import { chosen, reading, serverMs } from '../rooms.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {Room['settings']['events'][number]} Event */
/**
 * `before` is the name under which the event is in the list, or null for a new event.
 * @typedef
 * {{ title: string, event: Event, before: string | null }} Opened
 */

const ADVICE = 'Your event is kept here: look at the list again, then save it.'
const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
const TIMES = /** @type {const} */ (['prequeue_start_time', 'event_start_time', 'event_end_time'])
const LABELS = {
  name: 'Name',
  description: 'Description',
  prequeue_start_time: 'Newcomers wait from',
  event_start_time: 'Starts',
  event_end_time: 'Ends',
  shuffle_at_event_start: 'Draw those who wait by lot',
  suspended: 'Suspended',
  total_active_users: 'Places inside',
  new_users_per_minute: 'New visitors a minute',
  session_duration: 'Minutes of a session',
  disable_session_renewal: 'Requests do not prolong a session',
  queueing_method: 'How places are given',
  message: 'Message to everyone in line',
  custom_page_html: 'Page of your own',
}
/**
 * Only admins may set these. An operator may give an event a rate, a message, and at most as many places as the room.
 */
const OF_ADMINS = ['session_duration', 'disable_session_renewal', 'queueing_method', 'custom_page_html']

const form = /** @type {HTMLFormElement} */ (make('form'))
form.className = 'card editor'
form.noValidate = true
form.hidden = true
form.dataset.changes = 'events'

/** The room to which the form belongs. */
let roomName = ''
/** Returns the form, which stays hidden until an event is opened. */
export function eventEditor() {
  return form
}

/** Hides the form if another room is shown. @param {Room} room */
export function showEditor(room) {
  if (room.name !== roomName) form.hidden = true
}

/** @param {Room} room */
export function openNew(room) {
  const start = new Date(serverMs() + DAY_MS)
  start.setHours(10, 0, 0, 0)
  const at = (/** @type {number} */ ms) => fromField(toField(new Date(start.getTime() + ms).toISOString()), '')
  const times = { prequeue_start_time: at(-1_800_000), event_start_time: at(0), event_end_time: at(DAY_MS / 2) }
  return open(room, times, { title: 'New event', before: null })
}

/** @param {Room} room @param {Event} event */
export function openEvent(room, event) {
  return open(room, event, { title: `Change ${event.name}`, before: event.name })
}

/** Opens a copy of an event, one week later and with a new name. @param {Room} room @param {Event} event */
export function openCopy(room, event) {
  const later = TIMES.map(key => {
    const at = event[key]
    return [key, at === null ? null : fromField(toField(new Date(Date.parse(at) + WEEK_MS).toISOString()), '')]
  })
  const names = room.settings.events.map(({ name }) => name)
  let number = 2
  while (names.includes(`${event.name}-${number}`)) number++
  const copy = { ...event, ...Object.fromEntries(later), name: `${event.name}-${number}`, suspended: false }
  return open(room, copy, { title: `Copy of ${event.name}`, before: null })
}

/** @param {Room} room @param {object} given @param {{ title: string, before: string | null }} opened */
async function open(room, given, { title, before }) {
  const schema = await readSchema()
  const node = schema?.properties.events && bare(schema.properties.events).items
  if (!node) return false
  roomName = room.name
  let event = /** @type {Event} */ ({ .../** @type {object} */ (templateOf(node)), ...given })
  const spec = { path: 'event', label: title, node, isRequired: true, labels: LABELS, lock: lockFor(room, before) }
  const fields = fieldFor(spec, event, value => {
    event = /** @type {Event} */ (value)
  })
  const hint = make(
    'p',
    `Times are those of ${zone()}. Where a field of the event is empty, the setting of the room holds.`,
  )
  hint.className = 'hint'
  const save = /** @type {HTMLButtonElement} */ (make('button', 'Save the event'))
  save.className = 'primary'
  const actions = make('div', save, button('Cancel', close))
  actions.className = 'actions'
  form.replaceChildren(fields, hint, actions)
  const base = { events: JSON.stringify(room.settings.events), version: room.version }
  form.onsubmit = submitted => {
    submitted.preventDefault()
    void saveEvent(event, before, base)
  }
  form.hidden = false
  const first = /** @type {HTMLElement | null} */ (form.querySelector('input'))
  first?.focus()
  return true
}

function close() {
  form.hidden = true
  form.replaceChildren()
}

/** @param {Event} event @param {string | null} before @param {{ events: string, version: string }} base */
async function saveEvent(event, before, base) {
  const room = chosen()
  if (!room) return
  clearProblems(form)
  const { events } = room.settings
  const isSame = JSON.stringify(events) === base.events
  const found = events.findIndex(({ name }) => name === before)
  const index = found < 0 ? events.length : found
  const request = { set: { events: found < 0 ? [...events, event] : events.with(index, event) } }
  const settle = (/** @type {Room} */ now, /** @type {boolean} */ isMade) => {
    if (isMade) return close()
    base.events = JSON.stringify(now.settings.events)
    base.version = now.version
  }
  const version = isSame ? room.version : base.version
  const answer = await change(room, { key: 'events', version, request, advice: ADVICE, settle })
  if (answer?.status !== 422) return
  const own = `events[${index}]`
  /** @type {import('../form/problems.js').Problem[]} */
  const problems = answer.body.problems ?? []
  showProblems(
    form,
    problems.map(({ path, message }) => ({ path: path.replace(own, 'event'), message })),
  )
}

/**
 * Returns a function that decides whether a field is locked for the operator's role, and why.
 * @param {Room} room @param {string | null} before
 */
function lockFor(room, before) {
  const { you } = reading
  const isAdmin = you?.role === 'admin'
  return (/** @type {string} */ path) => {
    const key = path.replace('event.', '')
    if (isAdmin || !OF_ADMINS.includes(key)) return undefined
    const kept = room.settings.events.find(({ name }) => name === before)
    return kept ? 'an admin can change this' : 'an admin can set this'
  }
}
