// @ts-check
// Visitors: one session looked up and ended, and the figures of rate limits, challenges and lanes.
import { call, isShutOut, pathOf, reason } from '../api.js'
import { announce, confirmed, list, make, say } from '../dom.js'
import { button } from '../form/fields.js'
import { elementOf } from '../parts.js'
import { chosen, serverMs } from '../rooms.js'
import { count } from '../words.js'
import { challengeRows, laneRows, limitRows, sessionFacts, unsolvedWords } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('./words.js').Session} Session */

const LIMITS = ['Policy', 'Limit', 'Mode', 'Went on', 'Refused', 'Would be refused', 'Near the limit', 'Decided alone']
const CHALLENGES = ['Challenge', 'Asked', 'Solved', 'Wrong', 'Too late', 'Not tested']
const LANES = ['Lane', 'Share', 'Waiting', 'Standing by', 'Let in']

export const visitorsPart = { name: 'visitors', title: 'Visitors', show: showVisitors }

const box = /** @type {HTMLInputElement} */ (make('input'))
const note = make('p')
const facts = make('dl')
const end = button('End this session', endSession)
const ending = make('div', end)
const limits = make('tbody')
const challenges = make('tbody')
const unsolved = make('p')
const challengesPart = section(
  'Challenges',
  make('p', 'Counted since the room began. Not tested: Cloudflare could not be asked, so the browser calculates.'),
  tableOf(CHALLENGES, challenges),
  unsolved,
)
const lanes = make('tbody')
const lanesPart = section('Lanes', tableOf(LANES, lanes))
/** The session that is shown, and the room to which it belongs. @type {{ room: string, session: Session } | null} */
let shown = null

/** @param {Room} room */
function showVisitors(room) {
  const part = elementOf('visitors')
  if (part.children.length === 0) part.append(make('h1', 'Visitors'), lookUp(), limitsPart(), challengesPart, lanesPart)
  if (shown && shown.room !== room.name) forget('')
  const rows = limitRows(room)
  list(limits, rows, () => make('tr', rowHead(), ...cells(LIMITS.length - 1)))
  const challenged = challengeRows(room)
  list(challenges, challenged, () => make('tr', rowHead(), ...cells(CHALLENGES.length - 1)))
  challengesPart.hidden = challenged.length === 0 && room.settings.challenge.when === 'off'
  say(unsolved, unsolvedWords(room))
  list(lanes, laneRows(room), () => make('tr', rowHead(), ...cells(LANES.length - 1)))
  lanesPart.hidden = room.figures.lanes.length === 0
}

function lookUp() {
  box.id = 'session-id'
  box.autocomplete = 'off'
  box.spellcheck = false
  box.setAttribute('aria-describedby', 'session-hint session-note')
  const label = /** @type {HTMLLabelElement} */ (make('label', 'ID of a session'))
  label.htmlFor = box.id
  const hint = make(
    'p',
    'The origin gets it in the header Waiting-Room-Session. It looks like eu-0.Jx3tQ0aVbPZk1mWn5cYdRg.',
  )
  hint.id = 'session-hint'
  hint.className = 'hint'
  note.id = 'session-note'
  note.className = 'note'
  note.hidden = true
  ending.dataset.least = 'admin'
  ending.hidden = true
  const find = /** @type {HTMLButtonElement} */ (make('button', 'Look up'))
  find.className = 'primary'
  const form = /** @type {HTMLFormElement} */ (make('form', label, box, hint, find))
  form.className = 'look-up'
  form.noValidate = true
  form.addEventListener('submit', event => {
    event.preventDefault()
    void look()
  })
  return section('A session', form, note, facts, ending)
}

/** @param {string} sid */
function sessionPath(sid) {
  const room = chosen()
  return room && `${pathOf(room)}/sessions/${encodeURIComponent(sid)}`
}

async function look() {
  const sid = box.value.trim()
  const path = sessionPath(sid)
  const room = chosen()
  if (!path || !room || sid === '') return forget('Enter the ID of a session.')
  const answer = await call(path)
  if (isShutOut(answer)) return
  if (answer?.status === 404) return forget(`There is no session ${sid} in ${room.name}. It may be over.`)
  if (answer?.status !== 200) return forget(`The session could not be read: ${reason(answer, 'sid')}`)
  shown = { room: room.name, session: answer.body }
  note.hidden = true
  box.removeAttribute('aria-invalid')
  const rows = sessionFacts(answer.body, serverMs())
  list(facts, rows, () => make('div', make('dt'), make('dd')))
  ending.hidden = answer.body.ended !== null || answer.body.expiresMs <= serverMs()
  announce(rows.map(([name, value]) => `${name}: ${value}.`).join(' '))
}

/** Removes the session from the page, and shows why. @param {string} why */
function forget(why) {
  shown = null
  facts.replaceChildren()
  ending.hidden = true
  note.hidden = why === ''
  say(note, why)
  if (why === '') box.removeAttribute('aria-invalid')
  else box.setAttribute('aria-invalid', 'true')
  if (why !== '') announce(why)
}

async function endSession() {
  const room = chosen()
  const path = shown && sessionPath(shown.session.sid)
  if (!room || !shown || !path) return
  const { sid } = shown.session
  const text = `Within ten seconds the visitor needs a new place, whatever is in the cart. ${count(room.figures.waiting)} wait. This cannot be undone.`
  if (!(await confirmed({ title: `End the session ${sid}?`, texts: [text], yes: 'End the session', isDanger: true })))
    return
  const answer = await call(path, { method: 'DELETE' })
  if (isShutOut(answer)) return
  if (answer?.status === 204) {
    await look()
    announce('The session is ended.')
    box.focus()
  } else if (answer?.status === 404) forget(`The session ${sid} is over already.`)
  else forget(reason(answer, 'sid'))
}

function limitsPart() {
  const hint = 'Counted since the room began. A policy in shadow mode refuses nothing, and counts what it would refuse.'
  return section('Rate limits', make('p', hint), tableOf(LIMITS, limits))
}

/** @param {string} title @param {...HTMLElement} children */
function section(title, ...children) {
  const node = make('section', make('h2', title), ...children)
  node.className = 'card visitors'
  return node
}

/** Returns a table that scrolls if it is too wide. @param {string[]} names @param {HTMLElement} body */
function tableOf(names, body) {
  const heads = names.map(name => {
    const head = /** @type {HTMLTableCellElement} */ (make('th', name))
    head.scope = 'col'
    return head
  })
  const scroll = make('div', make('table', make('thead', make('tr', ...heads)), body))
  scroll.className = 'scroll'
  scroll.tabIndex = 0
  scroll.role = 'region'
  scroll.ariaLabel = `Table: ${names.join(', ')}`
  return scroll
}

function rowHead() {
  const head = /** @type {HTMLTableCellElement} */ (make('th'))
  head.scope = 'row'
  return head
}

/** @param {number} length */
function cells(length) {
  return Array.from({ length }, () => make('td'))
}
