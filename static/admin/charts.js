// @ts-check
// The past as four charts over the same time, with one cursor, drawn by uPlot. Colours are those of the style sheet.
// Lines also differ in form, for readers who do not see colours.
import { $, all, input, make, say, within } from './dom.js'
import { markerWords, momentWords, valueWords } from './history-words.js'
import { serverMs } from './rooms.js'

/** @typedef {import('./history.js').Past} Past */
/** @typedef {import('./history.js').HistoryStep} HistoryStep */
/** @typedef {import('uplot')} Chart */
/**
 * The look of a line.
 * @typedef {{ color: string, dash?: number[], width?: number, steps?: boolean, fill?: boolean, scale?: string }} Look
 */
/**
 * One line of a chart. `of` returns its value in a step, or null if it has none.
 * @typedef {Look & { name: string, unit: 'people' | 'perMinute' | 'minutes' | 'ms' | 'share',
 *   of: (step: HistoryStep, minutes: number) => number | null }} Line
 */

const SYNC = 'past'
const DASHED = [5, 4]
const DOTTED = [2, 3]

/** @type {Record<string, Line[]>} */
const PANELS = {
  people: [
    { name: 'Waiting', color: '--warn', unit: 'people', width: 2, fill: true, of: step => step.waiting },
    { name: 'Inside', color: '--ink', unit: 'people', width: 1.5, of: step => step.inside },
    {
      name: 'Places',
      color: '--edge',
      unit: 'people',
      dash: DASHED,
      steps: true,
      of: step => limit(step.totalActiveUsers),
    },
  ],
  flow: [
    { name: 'Came', color: '--warn', unit: 'perMinute', width: 1.5, of: (step, minutes) => step.arrived / minutes },
    { name: 'Let in', color: '--accent', unit: 'perMinute', width: 2, of: (step, minutes) => step.admitted / minutes },
    {
      name: 'Limited',
      color: '--stop',
      unit: 'perMinute',
      dash: DOTTED,
      of: (step, minutes) => step.limited / minutes,
    },
    {
      name: 'Rate',
      color: '--edge',
      unit: 'perMinute',
      dash: DASHED,
      steps: true,
      of: step => limit(step.ratePerMinute),
    },
  ],
  wait: [
    {
      name: 'Wait of a newcomer',
      color: '--ink',
      unit: 'minutes',
      width: 2,
      fill: true,
      of: ({ waitMs }) => (waitMs === null ? null : waitMs / 60_000),
    },
  ],
  origin: [
    { name: '95 % within', color: '--ink', unit: 'ms', width: 2, of: step => step.p95Ms },
    { name: 'Apdex', color: '--accent', unit: 'share', dash: DOTTED, width: 2, scale: 'share', of: step => step.apdex },
  ],
}

/** A limit of 0 means no limit: a step of an older version has none. @param {number} value */
const limit = value => (value > 0 ? value : null)

/** @type {Map<string, Chart>} */
const charts = new Map()
/** @type {Past | null} */
let shown = null
/** The step under the cursor. Null means the newest step. @type {number | null} */
let cursor = null

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts.values()) chart.destroy()
  charts.clear()
  if (shown) drawCharts(shown)
})

/** @param {Past} past */
export function drawCharts(past) {
  const isSame = shown?.room === past.room && shown.steps.length === past.steps.length && shown.stepMs === past.stepMs
  if (!isSame) cursor = null
  shown = past
  const times = past.steps.map((_, nth) => (past.fromMs + nth * past.stepMs) / 1_000)
  const minutes = past.stepMs / 60_000
  for (const [name, lines] of Object.entries(PANELS)) {
    const values = lines.map(line => past.steps.map(step => (step ? line.of(step, minutes) : null)))
    const data = /** @type {import('uplot').AlignedData} */ ([times, ...values])
    const chart = charts.get(name)
    if (chart) chart.setData(data)
    else charts.set(name, newChart(name, lines, data))
  }
  const slider = input('moment')
  slider.max = String(past.steps.length - 1)
  if (cursor === null) slider.value = slider.max
  showValues()
}

/** Moves the cursor of all charts to a step. @param {number} nth */
export function showMoment(nth) {
  cursor = nth === (shown?.steps.length ?? 0) - 1 ? null : nth
  for (const chart of charts.values()) {
    const left = cursor === null ? -10 : chart.valToPos(chart.data[0]?.[nth] ?? 0, 'x')
    chart.setCursor({ left, top: cursor === null ? -10 : chart.bbox.height / devicePixelRatio / 2 }, false)
  }
  showValues()
}

/** @param {string} name @param {Line[]} lines @param {import('uplot').AlignedData} data @returns {Chart} */
function newChart(name, lines, data) {
  const place = within($(`past-${name}`), '.plot')
  const hasShare = lines.some(({ scale }) => scale === 'share')
  const axis = {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  const unit = lines[0]?.unit ?? 'people'
  /** @type {import('uplot').Options} */
  const options = {
    ...sizeOf(place),
    padding: [8, hasShare ? 0 : 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: SYNC, setSeries: false }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
    scales: {
      y: { range: (_, __, max) => [0, Math.max(unit === 'people' || unit === 'perMinute' ? 4 : 1, (max ?? 1) * 1.1)] },
      ...(hasShare ? { share: { range: [0, 1] } } : {}),
    },
    axes: [
      { ...axis, size: 28, values: (_, ticks) => ticks.map(clock) },
      { ...axis, size: 54, values: (_, ticks) => ticks.map(tick => valueWords(tick, unit, true)) },
      ...(hasShare
        ? [
            {
              ...axis,
              scale: 'share',
              side: 1,
              size: 36,
              grid: { show: false },
              values: (/** @type {Chart} */ _, /** @type {number[]} */ ticks) => ticks.map(tick => tick.toFixed(1)),
            },
          ]
        : []),
    ],
    series: [{}, ...lines.map(seriesOf)],
    hooks: {
      setCursor: [chart => followCursor(chart)],
      draw: [chart => drawMarkers(chart)],
    },
  }
  const chart = /** @type {Chart} */ (new /** @type {any} */ (globalThis).uPlot(options, data, place))
  new ResizeObserver(() => chart.root.isConnected && chart.setSize(sizeOf(place))).observe(place)
  return chart
}

/** @param {Look} look @returns {import('uplot').Series} */
export function seriesOf({ color: name, width = 1.25, dash, steps, fill, scale = 'y' }) {
  const stroke = color(name)
  const { paths } = /** @type {any} */ (globalThis).uPlot
  return {
    stroke,
    width,
    scale,
    points: { show: false },
    ...(dash ? { dash } : {}),
    ...(fill ? { fill: `color-mix(in srgb, ${stroke} 14%, transparent)` } : {}),
    ...(steps ? { paths: paths.stepped({ align: 1 }) } : {}),
  }
}

/** @param {HTMLElement} place */
export function sizeOf(place) {
  return { width: Math.max(200, place.clientWidth), height: Math.max(100, place.clientHeight) }
}

/** @param {Chart} chart */
function followCursor({ cursor: { idx, left } }) {
  const next = idx === null || idx === undefined || (left ?? -1) < 0 ? null : idx
  if (next === cursor) return
  cursor = next
  input('moment').value = next === null ? input('moment').max : String(next)
  showValues()
}

/**
 * Draws a line for each marker: a full line for a change, and other kinds for decisions and events.
 * @param {Chart} chart
 */
function drawMarkers(chart) {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  for (const { atMs, kind } of shown?.markers ?? []) {
    const x = Math.round(chart.valToPos(atMs / 1_000, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = ctx.fillStyle = color(kind === 'change' ? '--accent' : kind === 'decision' ? '--stop' : '--warn')
    ctx.setLineDash(kind === 'change' ? [] : kind === 'decision' ? [4, 4] : [1, 3])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    const size = 4 * devicePixelRatio
    ctx.beginPath()
    ctx.moveTo(x - size, bbox.top)
    ctx.lineTo(x + size, bbox.top)
    ctx.lineTo(x, bbox.top + 1.5 * size)
    ctx.fill()
  }
  ctx.restore()
}

/** Shows the values of the step under the cursor, or of the newest one with values, and the events of that step. */
function showValues() {
  if (!shown) return
  const { steps, stepMs, fromMs, markers } = shown
  const nth =
    cursor ??
    Math.max(
      0,
      steps.findLastIndex(step => step !== null),
    )
  const step = steps[nth] ?? null
  const atMs = fromMs + nth * stepMs
  for (const [name, lines] of Object.entries(PANELS)) {
    const legend = within($(`past-${name}`), '.legend')
    while (legend.children.length < lines.length) legend.append(newKey(lines[legend.children.length]))
    for (const [index, line] of lines.entries()) {
      const value = step ? line.of(step, stepMs / 60_000) : null
      say(within(/** @type {Element} */ (legend.children[index]), 'b'), valueWords(value, line.unit))
    }
  }
  const then = markers.filter(marker => marker.atMs >= atMs && marker.atMs < atMs + stepMs).map(markerWords)
  say('moment-text', momentWords(atMs, cursor === null, then, serverMs()))
  input('moment').ariaValueText = `${clock(atMs / 1_000)}: ${all('#charts .legend li')
    .map(({ textContent }) => textContent)
    .join(', ')}${then.length > 0 ? `. ${then.join(' ')}` : ''}`
}

/**
 * Returns the legend of a line: a sample of it, its name and its value.
 * @param {(Look & { name: string }) | undefined} line
 */
export function newKey(line) {
  const sample = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', 'M0 5h20')
  path.style.stroke = `var(${line?.color})`
  path.style.strokeWidth = String(line?.width ?? 1.25)
  path.style.strokeDasharray = line?.dash?.join(' ') ?? ''
  sample.setAttribute('viewBox', '0 0 20 10')
  sample.setAttribute('aria-hidden', 'true')
  sample.append(path)
  return make('li', sample, `${line?.name ?? ''} `, make('b'))
}

/** @param {string} name */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** @param {number} seconds */
function clock(seconds) {
  return new Date(seconds * 1_000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
}
