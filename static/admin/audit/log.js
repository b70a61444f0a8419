// @ts-check
// The audit log of a room, newest entry first, with a filter and a file for spreadsheets.
import { call, pathOf, reason } from '../api.js'
import { announce, input, labelled, make, say } from '../dom.js'
import { download } from '../download.js'
import { elementOf } from '../parts.js'
import { chosen, serverMs } from '../rooms.js'
import { moment } from '../words.js'
import { ACTIONS, changesOf, deedOf, proofOf } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../../../src/core/protocol/audit.ts').AuditEntry} AuditEntry */

export const auditPart = { name: 'audit', title: 'Audit', show: showLog }

const PAGE = 50
const FILE_ENTRIES = 10_000
const READ_EVERY_MS = 15_000

const form = make('form')
const list = make('ol')
const note = make('p')
const more = /** @type {HTMLButtonElement} */ (make('button', 'Show older entries'))

/** The room, its version and the filter for which entries are shown or being read. */
let wanted = ''
let readAtMs = 0
/** The filter in force. @type {Record<string, string>} */
let filter = {}
/** @type {AuditEntry[]} */
let entries = []

/** @param {Room} room */
function showLog(room) {
  const part = elementOf('audit')
  if (part.children.length === 0) build(part)
  for (const time of list.querySelectorAll('time')) say(time, moment(Date.parse(time.dateTime), serverMs()))
  const now = JSON.stringify([room.name, room.version, filter])
  // An operator who has loaded older entries must not lose them.
  const isDue = entries.length <= PAGE && Date.now() - readAtMs >= READ_EVERY_MS
  if (now === wanted && !isDue) return
  wanted = now
  readAtMs = Date.now()
  read(room, null)
}

/** @param {HTMLElement} part */
function build(part) {
  form.className = 'card filter'
  form.setAttribute('aria-label', 'Filter of the audit log')
  const action = /** @type {HTMLSelectElement} */ (make('select', make('option', 'everything')))
  for (const [value, words] of Object.entries(ACTIONS)) action.append(new Option(words, value))
  const [apply, save] = [make('button', 'Show'), make('button', 'Save as CSV')]
  apply.className = 'primary'
  Object.assign(save, { type: 'button', onclick: saveFile })
  const buttons = make('p', apply, save)
  buttons.className = 'actions'
  form.append(
    labelled('Person or program', box('audit-actor', 'text')),
    labelled('What', Object.assign(action, { id: 'audit-action' })),
    labelled('From', box('audit-from', 'datetime-local')),
    labelled('Until', box('audit-to', 'datetime-local')),
    buttons,
  )
  form.addEventListener('submit', event => {
    event.preventDefault()
    filter = asked()
    const room = chosen()
    if (room) showLog(room)
  })
  list.className = 'changes audit'
  note.className = 'soft'
  note.setAttribute('role', 'status')
  more.type = 'button'
  more.addEventListener('click', () => {
    const room = chosen()
    if (room) read(room, entries.at(-1)?.id ?? null)
  })
  part.append(make('h1', 'Audit log'), form, note, list, make('p', more))
}

/** @param {string} id @param {string} type */
function box(id, type) {
  return Object.assign(/** @type {HTMLInputElement} */ (make('input')), { id, type })
}

/** Returns the filter as query parameters of the API. */
function asked() {
  /** @param {string} id */
  const time = id => (input(id).value === '' ? '' : new Date(input(id).value).toISOString())
  const action = /** @type {HTMLSelectElement} */ (form.querySelector('select'))
  const all = {
    actor: input('audit-actor').value.trim(),
    action: action.selectedIndex === 0 ? '' : action.value,
    from: time('audit-from'),
    to: time('audit-to'),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

/** Reads the newest entries, or the entries before `beforeId`. @param {Room} room @param {number | null} beforeId */
async function read(room, beforeId) {
  const mine = wanted
  const page = { limit: String(PAGE), ...(beforeId === null ? {} : { before: String(beforeId) }) }
  const answer = await call(`${pathOf(room)}/audit?${new URLSearchParams({ ...filter, ...page })}`)
  if (mine !== wanted) return
  if (answer?.status !== 200) return say(note, refused(answer))
  const found = /** @type {AuditEntry[]} */ (answer.body.entries)
  entries = beforeId === null ? found : [...entries, ...found]
  const none = Object.keys(filter).length > 0 ? 'No entry fits the filter.' : 'Nothing has been done yet.'
  say(note, entries.length === 0 ? none : '')
  more.hidden = found.length === 0 || (found.length < PAGE && beforeId === null)
  list.replaceChildren(...entries.map(itemOf))
  if (beforeId !== null) announce(`${found.length} older entries.`)
}

/** @param {import('../api.js').Answer | null} answer */
function refused(answer) {
  return answer?.status === 422 ? reason(answer, '').trim() : 'The audit log could not be read. Trying again by itself.'
}

/** @param {AuditEntry} entry */
function itemOf(entry) {
  const time = make('time', moment(entry.atMs, serverMs()))
  time.setAttribute('datetime', new Date(entry.atMs).toISOString())
  const lines = changesOf(entry).map(line => {
    const code = make('code', line)
    return make('p', code)
  })
  return make('li', make('p', make('strong', deedOf(entry))), ...lines, make('small', time, ` · ${proofOf(entry)}`))
}

/** Saves the entries that match the filter as a file. */
async function saveFile() {
  const room = chosen()
  if (!room) return
  const query = new URLSearchParams({ ...filter, format: 'csv', limit: String(FILE_ENTRIES) })
  const isMade = await download(`${pathOf(room)}/audit?${query}`, `audit-${room.name}.csv`)
  if (!isMade) say(note, 'The file could not be made. Try again.')
}
