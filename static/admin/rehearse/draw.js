// @ts-check
// Both futures as three charts over the same time, and as a table. The charts are drawn by uPlot.
import { color, newKey, seriesOf, sizeOf } from '../charts.js'
import { make, say } from '../dom.js'
import { valueWords } from '../history-words.js'
import { clock, waitWords } from './words.js'

/** @typedef {import('./words.js').Drawn} Drawn */
/** @typedef {Drawn['future']['moments'][number]} Moment */
/** @typedef {import('uplot')} Chart */
/** @typedef {{ asIs: Drawn, typed: Drawn, names: [string, string] }} Both */

/** @typedef {import('../charts.js').Look} Look */

const AS_IS = { color: '--soft', dash: [5, 4], width: 1.5 }
const TYPED = { color: '--accent', width: 2.25 }
const LIMIT = { color: '--edge', dash: [2, 3], width: 1.25, steps: true }
const ROWS = 12

/**
 * `of` returns the value of a line at a moment.
 * @type {{ title: string, unit: 'people' | 'minutes', of: (moment: Moment) => number | null, hasLimit?: true }[]}
 */
const PANELS = [
  { title: 'Waiting', unit: 'people', of: ({ waiting }) => waiting },
  { title: 'Inside', unit: 'people', of: ({ inside }) => inside, hasLimit: true },
  { title: 'Wait of a newcomer', unit: 'minutes', of: ({ waitMs }) => (waitMs === null ? null : waitMs / 60_000) },
]

/** @type {Chart[]} */
let charts = []
/** @type {Both | null} */
let shown = null
/** The moment under the cursor. */
let cursor = 0

const legends = PANELS.map(() => make('ul'))
const plots = PANELS.map(() => make('div'))
const slider = /** @type {HTMLInputElement} */ (make('input'))
const at = make('p')
const rows = make('tbody')
const head = make('tr')

/** Creates the empty elements for the charts and the table. */
export function newDrawing() {
  const panels = PANELS.map(({ title }, nth) => {
    const [legend, plot] = [/** @type {HTMLElement} */ (legends[nth]), /** @type {HTMLElement} */ (plots[nth])]
    legend.className = 'legend'
    plot.className = 'plot'
    plot.ariaHidden = 'true'
    const panel = make('div', make('h2', title), legend, plot)
    panel.className = 'panel'
    return panel
  })
  const grid = make('div', ...panels)
  grid.className = 'charts'
  Object.assign(slider, { type: 'range', id: 'rehearse-moment', min: '0', value: '0' })
  slider.addEventListener('input', () => moveTo(Number(slider.value), 'slider'))
  const label = /** @type {HTMLLabelElement} */ (make('label', 'Moment'))
  label.htmlFor = slider.id
  const moment = make('p', label, slider)
  moment.className = 'moment'
  at.className = 'soft'
  const scroll = make('section', make('table', make('thead', head), rows))
  scroll.className = 'scroll'
  scroll.ariaLabel = 'Both futures as a table'
  scroll.tabIndex = 0
  const drawing = make('section', grid, at, moment, make('details', make('summary', 'As a table'), scroll))
  drawing.className = 'history rehearse-drawing'
  drawing.ariaLabel = 'Both futures'
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => shown && drawBoth(shown))
  return drawing
}

/** @param {Both} both */
export function drawBoth(both) {
  shown = both
  for (const chart of charts) chart.destroy()
  const { asIs, typed } = both
  const times = typed.future.moments.map(({ atMs }) => atMs / 1_000)
  charts = PANELS.map((panel, nth) => {
    const valuesOf = (/** @type {Drawn} */ { future }) => future.moments.map(panel.of)
    const limits = typed.future.moments.map(({ totalActiveUsers }) => totalActiveUsers)
    const data = [times, valuesOf(asIs), valuesOf(typed), ...(panel.hasLimit ? [limits] : [])]
    return newChart(/** @type {HTMLElement} */ (plots[nth]), panel, /** @type {import('uplot').AlignedData} */ (data))
  })
  slider.max = String(times.length - 1)
  for (const [nth, panel] of PANELS.entries()) {
    const names = [...both.names, ...(panel.hasLimit ? ['Places'] : [])]
    const lines = linesOf(panel)
    legends[nth]?.replaceChildren(...names.map((name, line) => newKey({ name, ...(lines[line] ?? AS_IS) })))
  }
  writeTable(both)
  moveTo(0, 'drawn')
}

/** @param {typeof PANELS[number]} panel @returns {Look[]} */
function linesOf({ hasLimit }) {
  return [AS_IS, TYPED, ...(hasLimit ? [LIMIT] : [])]
}

/**
 * @param {HTMLElement} place @param {typeof PANELS[number]} panel @param {import('uplot').AlignedData} data
 * @returns {Chart}
 */
function newChart(place, panel, data) {
  const axis = {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  const highest = Math.max(1, ...[1, 2].flatMap(line => [...(data[line] ?? [])].map(value => value ?? 0)))
  /** @type {import('uplot').Options} */
  const options = {
    ...sizeOf(place),
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: 'rehearsal', setSeries: false },
      drag: { x: false, y: false },
      y: false,
      points: { size: 7 },
    },
    // The scale ignores the limit of places: a limit far above all people would press the other lines flat.
    scales: { y: { range: () => [0, Math.max(panel.unit === 'people' ? 4 : 1, highest * 1.15)] } },
    axes: [
      { ...axis, size: 28, values: (_, ticks) => ticks.map(tick => clock(tick * 1_000, tick * 1_000)) },
      { ...axis, size: 54, values: (_, ticks) => ticks.map(tick => valueWords(tick, panel.unit, true)) },
    ],
    series: [{}, ...linesOf(panel).map(seriesOf)],
    hooks: {
      setCursor: [
        ({ cursor: { idx, left } }) => (left ?? -1) >= 0 && typeof idx === 'number' && moveTo(idx, 'pointer'),
      ],
    },
  }
  const chart = /** @type {Chart} */ (new /** @type {any} */ (globalThis).uPlot(options, data, place))
  new ResizeObserver(() => chart.root.isConnected && chart.setSize(sizeOf(place))).observe(place)
  return chart
}

/**
 * Shows the values at a moment. `by` is what has moved.
 * @param {number} nth @param {'drawn' | 'slider' | 'pointer'} by what has moved
 */
function moveTo(nth, by) {
  if (!shown || (by === 'pointer' && nth === cursor)) return
  cursor = nth
  const { asIs, typed } = shown
  const moments = [asIs.future.moments[nth], typed.future.moments[nth]]
  const atMs = moments[1]?.atMs ?? 0
  if (by === 'slider') {
    for (const chart of charts) chart.setCursor({ left: chart.valToPos(atMs / 1_000, 'x'), top: 10 }, false)
  }
  slider.value = String(nth)
  for (const [panel, { of, unit, hasLimit }] of PANELS.entries()) {
    const values = moments.map(moment => valueWords(moment ? of(moment) : null, unit))
    if (hasLimit) values.push(valueWords(moments[1]?.totalActiveUsers ?? null, 'people'))
    for (const [line, key] of [...(legends[panel]?.querySelectorAll('b') ?? [])].entries()) say(key, values[line] ?? '')
  }
  say(at, clock(atMs, typed.fromMs))
  const words = legends.map(
    (legend, panel) =>
      `${PANELS[panel]?.title}: ${[...legend.children].map(({ textContent }) => textContent).join(', ')}`,
  )
  slider.ariaValueText = `${clock(atMs, typed.fromMs)}. ${words.join('. ')}`
}

/** @param {Both} both */
function writeTable({ asIs, typed, names }) {
  const [first, second] = names.map(name => name.toLowerCase())
  const titles = [
    'Time',
    ...['Waiting', 'Inside', 'Wait'].flatMap(title => [`${title}, ${first}`, `${title}, ${second}`]),
  ]
  head.replaceChildren(...titles.map(title => Object.assign(make('th', title), { scope: 'col' })))
  const { length } = typed.future.moments
  const every = Math.max(1, Math.floor(length / ROWS))
  const picked = typed.future.moments.flatMap((_, nth) => (nth % every === 0 || nth === length - 1 ? [nth] : []))
  rows.replaceChildren(
    ...picked.map(nth => {
      const [before, after] = [asIs.future.moments[nth], typed.future.moments[nth]]
      const people = (/** @type {'waiting' | 'inside'} */ key) =>
        [before, after].map(moment => valueWords(moment?.[key] ?? null, 'people'))
      const waits = [before, after].map(moment => waitWords(moment?.waitMs ?? null))
      const cells = [...people('waiting'), ...people('inside'), ...waits].map(text => make('td', text))
      return make('tr', Object.assign(make('th', clock(after?.atMs ?? 0, typed.fromMs)), { scope: 'row' }), ...cells)
    }),
  )
}
