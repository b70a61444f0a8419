// @ts-check
// The checklist on the page. Ticks are kept in this browser, separately for each room and its next event.
import { make, say, within } from '../dom.js'
import { elementOf } from '../parts.js'
import { chosen, news, reading, serverMs } from '../rooms.js'
import { nextEvent } from './checks.js'
import { PHASES } from './items.js'

/** @typedef {import('../api.js').Room} Room */
/** @typedef {import('./items.js').Item} Item */

const STORED = 'antesala-ticks'
const READY_EVERY_MS = 10_000
const MARKS = { good: 'Good', bad: 'To do', look: 'Look', done: 'Done', open: 'To do' }

export const checklistPart = { name: 'checklist', title: 'Checklist', show: showChecklist }

/** @type {Map<string, HTMLElement>} */
const rows = new Map()
/** @type {string[] | null} */
let readyProblems = null
let readyAtMs = 0

/** @param {Room} room */
function showChecklist(room) {
  const part = elementOf('checklist')
  if (part.children.length === 0) part.append(...build())
  void readReadiness()
  const ticks = readTicks()
  const seen = { room, nowMs: serverMs(), aheadMs: reading.aheadMs, you: reading.you, readyProblems }
  let open = 0
  for (const { items } of PHASES)
    for (const item of items) {
      const row = /** @type {HTMLElement} */ (rows.get(item.id))
      const result = item.check?.(seen)
      const isTicked = ticks.includes(tickOf(room, item))
      const state = !result || result.state === 'look' ? (isTicked ? 'done' : (result?.state ?? 'open')) : result.state
      row.dataset.result = state
      say(within(row, '.mark'), MARKS[state])
      say(within(row, 'small'), result?.why ?? '')
      const box = /** @type {HTMLInputElement} */ (within(row, 'input'))
      box.hidden = result !== undefined && result.state !== 'look'
      box.checked = isTicked
      if (state !== 'good' && state !== 'done') open++
    }
  const event = nextEvent(room)
  const about = event ? `For ${event.name}` : 'For the next event'
  say(
    within(part, '#checklist-sum'),
    `${about}: ${open === 0 ? 'nothing is open.' : `${open} ${open === 1 ? 'point is' : 'points are'} open.`}`,
  )
}

function build() {
  const sum = make('p')
  sum.id = 'checklist-sum'
  const hint = 'The dashboard checks what it can, each second. Tick the rest by hand: ticks stay in this browser.'
  const phases = PHASES.map(({ title, items }) => {
    const section = make('section', make('h2', title), make('ul', ...items.map(rowOf)))
    section.className = 'card phase'
    return section
  })
  return [make('h1', 'Checklist'), sum, make('p', hint), ...phases]
}

/** @param {Item} item */
function rowOf(item) {
  const box = /** @type {HTMLInputElement} */ (make('input'))
  box.type = 'checkbox'
  box.addEventListener('change', () => {
    const room = chosen()
    if (room) tick(room, item, box.checked)
  })
  const mark = make('span')
  mark.className = 'mark'
  const row = make('li', make('label', box, mark, make('span', item.text)), make('small'))
  rows.set(item.id, row)
  return row
}

/** @param {Room} room @param {Item} item */
function tickOf(room, { id }) {
  return `${room.name} ${nextEvent(room)?.name ?? ''} ${id}`
}

/** @returns {string[]} */
function readTicks() {
  try {
    const ticks = JSON.parse(localStorage.getItem(STORED) ?? '[]')
    return Array.isArray(ticks) ? ticks.filter(text => typeof text === 'string') : []
  } catch {
    return []
  }
}

/** @param {Room} room @param {Item} item @param {boolean} isTicked */
function tick(room, item, isTicked) {
  const own = tickOf(room, item)
  const others = readTicks().filter(text => text !== own)
  localStorage.setItem(STORED, JSON.stringify(isTicked ? [...others, own].slice(-1_000) : others))
  news()
}

/** Asks the edge whether it can serve, at most every ten seconds. */
async function readReadiness() {
  if (Date.now() - readyAtMs < READY_EVERY_MS) return
  readyAtMs = Date.now()
  try {
    const response = await fetch(new URL('../readyz', location.href), { cache: 'no-store' })
    const { reasons } = await response.json()
    readyProblems = response.ok ? [] : (reasons ?? [`The edge answered ${response.status}`])
  } catch {
    readyProblems = null
  }
  news()
}
