// @ts-check
// The form of a rehearsal: the operator's input, as a question and as the query of a link.
import { make } from '../dom.js'
import { count } from '../words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../../../src/rehearsal/rehearse.ts').Typed} Typed */
/**
 * A field. `hint` explains it, and may depend on the room.
 * @typedef {{ name: string, label: string, type: 'number' | 'time' | 'select', min?: number, max?: number,
 *   step?: string, hint: (room: Room) => string }} Field
 */

const DAY_MS = 86_400_000

/** @type {Record<string, Field[]>} */
const GROUPS = {
  'Under other settings': [
    number('rate', 'New visitors a minute', 0, 1_000_000, ({ settings }) => now(settings.new_users_per_minute)),
    number('places', 'Places inside', 1, 10_000_000, ({ settings }) => now(settings.total_active_users)),
    number('session', 'Minutes of a session', 0.05, 1_440, ({ settings }) => now(settings.session_duration)),
    number('hold', 'Hold the line for minutes', 0, 1_440, ({ settings }) =>
      settings.queue_all ? 'Held now. 0 lets the line go' : 'From the beginning on',
    ),
  ],
  'With another crowd': [
    number(
      'times',
      'Newcomers, times as many',
      0,
      100,
      ({ figures }) => `${count(figures.cameLastMinute)} came in the last minute`,
    ),
    number('burst', 'More visitors at once', 1, 10_000_000, () => 'Within two minutes, as after an announcement'),
    { name: 'at', label: 'They come at', type: 'time', hint: () => 'Empty: at the beginning' },
  ],
  'Before an event': [
    { name: 'event', label: 'Event', type: 'select', hint: () => 'The drawing begins before its doors open' },
    number('people', 'Visitors expected', 1, 10_000_000, () => 'In all'),
    number('early', 'Percent before the doors open', 0, 100, () => 'With a prequeue only. Empty: 70'),
  ],
}
const FIELDS = Object.values(GROUPS).flat()
const EARLY_PERCENT = 70
const PEOPLE = 10_000

/**
 * @param {string} name @param {string} label @param {number} min @param {number} max @param {Field['hint']} hint
 * @returns {Field}
 */
function number(name, label, min, max, hint) {
  return { name, label, type: 'number', min, max, hint }
}

/** @param {number} value */
function now(value) {
  return `Now ${count(value)}`
}

/** Makes the form. @param {() => void} submit @returns {HTMLFormElement} */
export function newForm(submit) {
  const form = /** @type {HTMLFormElement} */ (make('form'))
  form.className = 'rehearse-form card'
  form.autocomplete = 'off'
  for (const [title, fields] of Object.entries(GROUPS)) {
    const group = make('fieldset', make('legend', title), ...fields.map(rowOf))
    group.id = fields.some(({ name }) => name === 'event') ? 'rehearse-before' : ''
    form.append(group)
  }
  const button = /** @type {HTMLButtonElement} */ (make('button', 'Rehearse'))
  button.type = 'submit'
  button.className = 'primary'
  const empty = /** @type {HTMLButtonElement} */ (make('button', 'Empty the form'))
  empty.type = 'reset'
  const actions = make('div', button, empty)
  actions.className = 'actions'
  form.append(actions)
  form.addEventListener('submit', event => {
    event.preventDefault()
    submit()
  })
  return form
}

/** @param {Field} field */
function rowOf({ name, label, type, min, max }) {
  const box = /** @type {HTMLInputElement} */ (make(type === 'select' ? 'select' : 'input'))
  box.id = `rehearse-${name}`
  box.name = name
  if (type !== 'select') box.type = type
  if (type === 'number') Object.assign(box, { min: String(min), max: String(max), step: 'any', inputMode: 'decimal' })
  box.setAttribute('aria-describedby', `${box.id}-hint`)
  const head = /** @type {HTMLLabelElement} */ (make('label', label))
  head.htmlFor = box.id
  const hint = make('p')
  hint.id = `${box.id}-hint`
  hint.className = 'hint'
  const row = make('div', head, box, hint)
  row.className = 'row'
  return row
}

/** Shows the hints, and the events that can be chosen. @param {HTMLFormElement} form @param {Room} room */
export function showForm(form, room) {
  for (const { name, hint } of FIELDS) {
    const where = /** @type {HTMLElement} */ (form.querySelector(`#rehearse-${name}-hint`))
    if (where.textContent !== hint(room)) where.textContent = hint(room)
  }
  const coming = room.events
    .filter(({ state }) => state === 'upcoming' || state === 'prequeueing')
    .map(({ name }) => name)
  const group = /** @type {HTMLElement} */ (form.querySelector('#rehearse-before'))
  group.hidden = coming.length === 0
  const choice = /** @type {HTMLSelectElement} */ (form.querySelector('#rehearse-event'))
  if ([...choice.options].map(({ value }) => value).join() === ['', ...coming].join()) return
  const chosen = choice.value
  choice.replaceChildren(new Option('None: from now on', ''), ...coming.map(name => new Option(name, name)))
  if (coming.includes(chosen)) choice.value = chosen
}

/** Returns the fields with a value, as the query of a link. @param {HTMLFormElement} form */
export function queryOf(form) {
  const filled = [...new FormData(form)].filter(([, value]) => value !== '')
  return new URLSearchParams(filled.map(([name, value]) => [name, String(value)]))
}

/**
 * Fills the form from a link. Fields that the link lacks become empty. Values that do not fit are left out.
 * @param {HTMLFormElement} form @param {URLSearchParams} query
 */
export function fillForm(form, query) {
  for (const { name } of FIELDS) {
    const box = /** @type {HTMLInputElement} */ (form.querySelector(`#rehearse-${name}`))
    box.value = query.get(name) ?? ''
    if (!box.checkValidity()) box.value = ''
  }
}

/**
 * Returns the question that a query stands for.
 * @param {URLSearchParams} query @param {number} nowMs @returns {Typed}
 */
export function typedOf(query, nowMs) {
  const numberOf = (/** @type {string} */ name) => {
    const value = query.get(name)
    return value === null ? undefined : Number(value)
  }
  const burst = numberOf('burst')
  const event = query.get('event')
  const all = {
    ratePerMinute: numberOf('rate'),
    totalActiveUsers: numberOf('places'),
    sessionMinutes: numberOf('session'),
    holdMinutes: numberOf('hold'),
    arrivalsTimes: numberOf('times'),
    burst: burst === undefined ? undefined : { people: burst, atMs: timeOf(query.get('at'), nowMs) },
    event: event
      ? { name: event, people: numberOf('people') ?? PEOPLE, earlyShare: (numberOf('early') ?? EARLY_PERCENT) / 100 }
      : undefined,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/**
 * Returns the next moment that has this time of day.
 * @param {string | null} text such as 18:30 @param {number} nowMs
 */
function timeOf(text, nowMs) {
  const [hours, minutes] = (text ?? '').split(':').map(Number)
  if (hours === undefined || minutes === undefined) return nowMs
  const atMs = new Date(nowMs).setHours(hours, minutes, 0, 0)
  return atMs < nowMs ? atMs + DAY_MS : atMs
}
