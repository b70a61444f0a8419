// @ts-check
// The reports of a room: one for each event, made when it ends, and one for any time. Each can be saved as a page or as
// CSV.
import { call, pathOf } from './api.js'
import { make, say } from './dom.js'
import { download } from './download.js'
import { elementOf } from './parts.js'
import { chosen } from './rooms.js'
import { count } from './words.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('../../src/core/protocol/calls.ts').ReportListed} ReportListed */
/** @typedef {'html' | 'csv'} Form */

export const reportsPart = { name: 'reports', title: 'Reports', show: showReports }

const READ_EVERY_MS = 60_000
const HOUR_MS = 3_600_000

let readAtMs = 0
let shown = ''
const none = make('p', 'The room makes a report when an event ends. No event has ended yet.')
const list = make('ol')
list.className = 'event-list'
const note = make('p')
note.className = 'note'
note.setAttribute('role', 'status')
note.hidden = true
const times = { from: timeInput('from', 2 * HOUR_MS), to: timeInput('to', 0) }
const anyTime = byHand()

/** Reads the list again after a minute, or at once if the room is another one. @param {Room} room */
async function showReports(room) {
  const part = elementOf('reports')
  if (part.children.length === 0) part.append(make('h1', 'Reports'), none, list, note)
  const nowMs = Date.now()
  if (shown === room.name && nowMs - readAtMs < READ_EVERY_MS) return
  if (shown !== room.name) list.replaceChildren(anyTime)
  shown = room.name
  readAtMs = nowMs
  const answer = await call(`${pathOf(room)}/reports`)
  if (answer?.status === 200 && chosen()?.name === room.name) write(answer.body.reports)
}

/** @param {ReportListed[]} reports */
function write(reports) {
  none.hidden = reports.length > 0
  const items = reports.map(({ id, event, fromMs, toMs, admitted }) => {
    const name = event ?? id
    const about = `${local(fromMs)} to ${local(toMs)} · ${count(admitted)} let in`
    const path = (/** @type {Form} */ form) => `reports/${encodeURIComponent(id)}.${form}?`
    const item = make('li', make('h2', name), make('p', about), buttons(` of ${name}`, id, path))
    item.className = 'card'
    return item
  })
  list.replaceChildren(...items, anyTime)
}

/** Creates the form for a report of any time. Times are in the time zone of this browser. */
function byHand() {
  const path = (/** @type {Form} */ form) => {
    const [from, to] = [new Date(times.from.value), new Date(times.to.value)]
    if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return null
    return `reports/span.${form}?from=${from.toISOString()}&to=${to.toISOString()}&`
  }
  const labels = make('p', label('From', times.from), ' ', label('To', times.to))
  const card = make('li', make('h2', 'A report of any time'), labels, buttons(' of this time', 'report', path))
  card.className = 'card'
  return card
}

/** @param {string} of @param {string} name @param {(form: Form) => string | null} path */
function buttons(of, name, path) {
  const made = (/** @type {Form} */ form, /** @type {string} */ text) => {
    const button = make('button', text)
    button.setAttribute('type', 'button')
    button.ariaLabel = text + of
    button.addEventListener('click', () => save(path(form), `${name}.${form}`))
    return button
  }
  const row = make('div', made('html', 'Save the page'), made('csv', 'Save as CSV'))
  row.className = 'actions'
  return row
}

/** @param {string | null} path @param {string} name */
async function save(path, name) {
  const room = chosen()
  if (!room) return
  if (path === null) return explain('Give both times.')
  const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)
  const isSaved = await download(`${pathOf(room)}/${path}zone=${zone}`, `${room.name}-${name}`)
  explain(isSaved ? '' : 'The report could not be made. See that the first time is before the second, and try again.')
}

/** @param {string} text */
function explain(text) {
  note.hidden = text === ''
  say(note, text)
}

/** @param {string} text @param {HTMLElement} input */
function label(text, input) {
  return make('label', `${text} `, input)
}

/** @param {string} name @param {number} agoMs */
function timeInput(name, agoMs) {
  const input = document.createElement('input')
  input.type = 'datetime-local'
  input.id = `report-${name}`
  const at = new Date(Date.now() - agoMs)
  input.value = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
  return input
}

/** @param {number} ms */
function local(ms) {
  return new Date(ms).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })
}
