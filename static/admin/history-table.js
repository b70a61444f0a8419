// @ts-check
// The past as a table, newest first, with what happened in that time. The table is written only while it is open.
import { $, make } from './dom.js'
import { markerWords, valueWords } from './history-words.js'

/** @typedef {import('./history.js').Past} Past */

/** @type {Past | null} */
let shown = null
/** @type {HTMLDetailsElement | null} */
let details = null

/** @param {Past} past */
export function showTable(past) {
  shown = past
  if (!details) {
    details = /** @type {HTMLDetailsElement} */ ($('history-table'))
    details.addEventListener('toggle', write)
    // A part that scrolls must be reachable by the keyboard.
    $('history-scroll').tabIndex = 0
  }
  write()
}

function write() {
  if (!details?.open || !shown) return
  const { steps, fromMs, stepMs, markers } = shown
  const minutes = stepMs / 60_000
  const rows = steps.flatMap((step, nth) => {
    if (!step) return []
    const head = /** @type {HTMLTableCellElement} */ (make('th', time(fromMs + nth * stepMs)))
    head.scope = 'row'
    const cells = [
      valueWords(step.inside, 'people'),
      valueWords(step.totalActiveUsers, 'people'),
      valueWords(step.waiting, 'people'),
      valueWords(step.arrived / minutes, 'people'),
      valueWords(step.admitted / minutes, 'people'),
      valueWords(step.ratePerMinute, 'people'),
      valueWords(step.limited / minutes, 'people'),
      valueWords(step.waitMs === null ? null : step.waitMs / 60_000, 'minutes'),
      valueWords(step.p95Ms, 'ms'),
      valueWords(step.apdex, 'share'),
    ]
    return [make('tr', head, ...cells.map(text => make('td', text)))]
  })
  $('history-rows').replaceChildren(...rows.reverse())
  const items = markers.map(marker => make('li', make('p', markerWords(marker)), make('small', time(marker.atMs))))
  $('history-markers').replaceChildren(...items.reverse())
  $('history-markers-none').hidden = items.length > 0
}

/** @param {number} ms */
function time(ms) {
  return new Date(ms).toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })
}
