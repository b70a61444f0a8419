// @ts-check
// The alerts of a room: the rules with their state, the receivers with a button for a test, and the latest deliveries.
import { call, isShutOut, pathOf, reason } from '../api.js'
import { announce, list, make, say } from '../dom.js'
import { elementOf } from '../parts.js'
import { chosen, serverMs } from '../rooms.js'
import { moment } from '../words.js'
import { editor } from './editor.js'
import { conditionOf, deliveryOf, stateOfRule } from './words.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('../../../src/core/protocol/alerts.ts').AlertReport} AlertReport */

export const alertsPart = { name: 'alerts', title: 'Alerts', show: showAlerts }

const READ_EVERY_MS = 5_000
const SILENT = 'The alerts could not be read. Trying again by itself.'
const NO_RECEIVERS = 'There is no receiver. The secret ALERT_RECEIVERS names them.'

const rules = make('ul')
const receivers = make('ul')
const deliveries = make('tbody')
const table = make('table', head(['When', 'To', 'Notice', 'Outcome']), deliveries)
const noRules = make('p')
const noReceivers = make('p')
const noDeliveries = make('p')
const note = make('p')
/** @type {ReturnType<typeof editor> | null} */
let rulesEditor = null

let shown = ''
let readAtMs = 0
/** @type {AlertReport | null} */
let report = null

/** @param {Room} room */
function showAlerts(room) {
  const part = elementOf('alerts')
  if (part.children.length === 0) build(part)
  const now = `${room.name} ${room.version}`
  if (!now.startsWith(`${shown.split(' ')[0]} `)) report = null
  if (now !== shown || Date.now() - readAtMs >= READ_EVERY_MS) {
    shown = now
    readAtMs = Date.now()
    read(room)
  }
  rulesEditor?.(room, report?.receivers.map(({ name }) => name) ?? [])
  if (report) write(report)
}

/** @param {HTMLElement} part */
function build(part) {
  rules.className = 'alert-rules'
  receivers.className = 'receivers'
  for (const text of [noRules, noReceivers, noDeliveries]) text.className = 'soft'
  note.setAttribute('role', 'status')
  const form = make('form')
  const tests = make('div', receivers)
  tests.dataset.least = 'admin'
  part.append(make('h1', 'Alerts'), section('Rules in force', noRules, rules), form)
  part.append(section('Receivers', noReceivers, tests, note), section('Deliveries', noDeliveries, table))
  rulesEditor = editor(form)
}

/** @param {string} title @param {...Node} content */
function section(title, ...content) {
  const node = make('section', make('h2', title), ...content)
  node.className = 'card'
  return node
}

/** @param {Room} room */
async function read(room) {
  const answer = await call(`${pathOf(room)}/alerts`)
  if (chosen()?.name !== room.name) return
  if (answer?.status !== 200) return say(note, SILENT)
  if (note.textContent === SILENT) say(note, '')
  report = answer.body
  write(answer.body)
}

/** @param {AlertReport} report */
function write(report) {
  const nowMs = serverMs()
  say(noRules, report.rules.length === 0 ? 'The room has no rules, so no alert is sent.' : '')
  const states = report.rules.map(rule => stateOfRule(rule, nowMs))
  const rows = report.rules.map((rule, at) => [
    rule.name,
    states[at]?.[1] ?? '',
    `${conditionOf(rule)} To ${rule.to.join(', ')}.`,
  ])
  list(rules, rows, () => make('li', make('strong'), make('span'), make('small')))
  for (const [at, row] of [...rules.children].entries()) row.setAttribute('data-alert', states[at]?.[0] ?? 'quiet')
  say(noReceivers, report.receivers.length === 0 ? NO_RECEIVERS : '')
  writeReceivers(report.receivers)
  say(noDeliveries, report.deliveries.length === 0 ? 'Nothing has been sent.' : '')
  table.hidden = report.deliveries.length === 0
  list(
    deliveries,
    report.deliveries.map(one => [moment(one.createdAtMs, nowMs), one.receiver, one.text, deliveryOf(one)]),
    () => make('tr', ...Array.from({ length: 4 }, () => make('td'))),
  )
}

/** @param {AlertReport['receivers']} all */
function writeReceivers(all) {
  const rows = all.map(({ name, format, host }) => [`${name}: ${format} at ${host}`, `Send a test to ${name}`])
  list(receivers, rows, newReceiver)
  for (const [at, button] of receivers.querySelectorAll('button').entries()) button.dataset.receiver = all[at]?.name
}

function newReceiver() {
  const button = /** @type {HTMLButtonElement} */ (make('button'))
  button.type = 'button'
  button.addEventListener('click', () => test(button.dataset.receiver ?? ''))
  return make('li', make('span'), button)
}

/** @param {string} receiver */
async function test(receiver) {
  const room = chosen()
  if (!room) return
  const headers = { 'Content-Type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify({ receiver }) }
  const answer = await call(`${pathOf(room)}/alerts/test`, init)
  if (isShutOut(answer)) return
  const text = answer?.status === 202 ? `A test is on its way to ${receiver}.` : reason(answer, 'receiver')
  say(note, text)
  announce(text)
  await read(room)
}

/** @param {string[]} names */
function head(names) {
  const cells = names.map(name =>
    Object.assign(/** @type {HTMLTableCellElement} */ (make('th', name)), { scope: 'col' }),
  )
  return make('thead', make('tr', ...cells))
}
