// @ts-check
// The past of the shown room, from the room's own storage. It is read for one of several ranges, and again as time goes
// on.
import { call, pathOf } from './api.js'
import { drawCharts, showMoment } from './charts.js'
import { $, all, input, say, within } from './dom.js'
import { download } from './download.js'
import { showTable } from './history-table.js'
import { chosen, serverMs } from './rooms.js'

/** @typedef {import('./api.js').Room} Room */
/** @typedef {import('../../src/core/history/history.ts').HistoryStep} HistoryStep */
/** @typedef {import('../../src/core/protocol/calls.ts').HistoryMarker} HistoryMarker */
/**
 * `steps` has an entry for each step of the range. An entry is null if nothing is known, or if the room slept.
 * @typedef {{ room: string, fromMs: number, stepMs: number, steps: (HistoryStep | null)[],
 *   markers: HistoryMarker[] }} Past
 */

const MINUTE_MS = 60_000
/**
 * The length of a step in each range, in minutes. A range has about as many steps as fit into a chart.
 * @type {Record<string, number>}
 */
const STEPS = { 15: 1, 60: 1, 360: 1, 1440: 3 }
const READ_EVERY_MS = 15_000
const STEPS_OF_EVENT = 480
const KEPT_MS = 30 * 24 * 60 * MINUTE_MS

/** The room and the range for which the past is shown or being read. */
let wanted = ''
let readAtMs = 0
/** @type {Past | null} */
let past = null

/** Sets up the choice of a range, and the slider that moves the cursor. */
export function historyControls() {
  for (const choice of all('input[name=range]')) choice.addEventListener('change', () => readAgain())
  input('moment').addEventListener('input', () => showMoment(Number(input('moment').value)))
  $('history-csv').addEventListener('click', () => saveCsv())
}

/** Reads the past if the room or the range is another one, or if some seconds have passed. @param {Room} room */
export async function showHistory(room) {
  const event = eventOf(room)
  $('range-event').hidden = event === null
  if (event === null && within($('range-event'), 'input').matches(':checked')) input('range-hour').checked = true
  const span = spanOf(event)
  const what = `${room.name} ${span.name}`
  if (what === wanted && Date.now() - readAtMs < READ_EVERY_MS) return
  if (!what.startsWith(`${past?.room} `)) past = null
  wanted = what
  readAtMs = Date.now()
  const { fromMs, toMs, stepMs } = span
  const answer = await call(`${pathOf(room)}/history?${query(fromMs, toMs, stepMs)}`)
  if (what !== wanted) return
  $('history-none').hidden = answer?.status === 200
  if (answer?.status !== 200) return say('history-none', 'The past could not be read. Trying again by itself.')
  past = {
    room: room.name,
    fromMs,
    stepMs,
    steps: filled(answer.body.steps, fromMs, toMs, stepMs),
    markers: answer.body.markers,
  }
  drawCharts(past)
  showTable(past)
}

/**
 * Returns the chosen range. It begins at the beginning of a step.
 * @param {{ fromMs: number, toMs: number } | null} event
 */
function spanOf(event) {
  const chosen = /** @type {HTMLInputElement} */ (document.querySelector('input[name=range]:checked')).value
  const nowMs = serverMs() + 1
  if (chosen === 'event' && event) {
    const stepMs = Math.max(1, Math.ceil((event.toMs - event.fromMs) / STEPS_OF_EVENT / MINUTE_MS)) * MINUTE_MS
    return { name: 'event', fromMs: Math.floor(event.fromMs / stepMs) * stepMs, toMs: event.toMs, stepMs }
  }
  const minutes = Number(chosen) || 60
  const stepMs = (STEPS[minutes] ?? 1) * MINUTE_MS
  const fromMs = Math.floor((nowMs - minutes * MINUTE_MS) / stepMs) * stepMs
  return { name: String(minutes), fromMs, toMs: nowMs, stepMs }
}

/**
 * Returns the time of the current event or the last one, up to now. Minutes are kept for 30 days.
 * @param {Room} room
 */
function eventOf({ events }) {
  const nowMs = serverMs() + 1
  const begun = events.filter(({ state }) => state === 'prequeueing' || state === 'active' || state === 'over').at(-1)
  if (!begun) return null
  const fromMs = Date.parse(begun.prequeueAt ?? begun.startsAt)
  return nowMs - fromMs > KEPT_MS ? null : { fromMs, toMs: Math.min(nowMs, Date.parse(begun.endsAt)) }
}

function readAgain() {
  readAtMs = 0
  const room = chosen()
  if (room) showHistory(room)
}

/** @param {number} fromMs @param {number} toMs @param {number} stepMs */
function query(fromMs, toMs, stepMs) {
  const times = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
  return new URLSearchParams({ ...times, step: String(stepMs / MINUTE_MS) })
}

/**
 * Returns an entry for each step of the range, null where there is no step.
 * @param {HistoryStep[]} steps @param {number} fromMs @param {number} toMs @param {number} stepMs
 */
function filled(steps, fromMs, toMs, stepMs) {
  const known = new Map(steps.map(step => [step.atMs, step]))
  return Array.from(
    { length: Math.ceil((toMs - fromMs) / stepMs) },
    (_, nth) => known.get(fromMs + nth * stepMs) ?? null,
  )
}

/** Saves the shown range as a file. */
async function saveCsv() {
  const room = chosen()
  if (!room || !past) return
  const toMs = past.fromMs + past.steps.length * past.stepMs
  const path = `${pathOf(room)}/history?${query(past.fromMs, toMs, past.stepMs)}&format=csv`
  const name = `${room.name}-${new Date(past.fromMs).toISOString().slice(0, 16).replace(':', '')}.csv`
  if (!(await download(path, name))) say('history-none', 'The file could not be made. Try again.')
}
