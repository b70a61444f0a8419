// @ts-check
// Two minutes as a curve, with the newest moment at the right, and the limit of each moment. Times that this page has
// not seen stay empty.
import { $, say, within } from './dom.js'
import { PAST_MS, pastOf } from './past.js'
import { ago, count } from './words.js'

/** @typedef {import('./past.js').Curve} Curve */
/** @typedef {import('./past.js').Sample} Sample */

/** These numbers must match the viewBox of the drawings. */
const [WIDTH, HEIGHT] = [120, 40]
/**
 * A tab in the background reads every 15 seconds. A longer gap than this means that nothing is known of the time
 * between.
 */
const GAP_MS = 20_000

/** @param {string} room @param {Curve} curve */
export function showPast(room, curve) {
  const samples = pastOf(room)
  const [oldest, newest] = [samples[0], samples.at(-1)]
  if (!oldest || !newest) return
  const top = 1.1 * Math.max(1, ...samples.flatMap(sample => [sample[curve].value, sample[curve].limit]))
  /** @type {(value: number) => string} */
  const y = value => (HEIGHT - (HEIGHT * value) / top).toFixed(2)
  const sinceMs = newest.atMs - oldest.atMs
  const drawn = runs(samples).map(run => {
    const x = run.map(({ atMs }) => (WIDTH - (WIDTH * (newest.atMs - atMs)) / PAST_MS).toFixed(2))
    const line = `M${run.map((sample, at) => `${x[at]} ${y(sample[curve].value)}`).join('L')}`
    return { line, area: `${line}V${HEIGHT}H${x[0]}Z`, limit: steps(run, curve, x, y) }
  })
  const chart = $(`${curve}-past`)
  within(chart, '.curve').setAttribute('d', drawn.map(({ line }) => line).join(''))
  within(chart, '.area').setAttribute('d', drawn.map(({ area }) => area).join(''))
  within(chart, '.limit').setAttribute('d', drawn.map(({ limit }) => limit).join(''))
  say(`${curve}-then`, sinceMs < 5_000 ? 'from now on' : `${ago(sinceMs)}: ${count(oldest[curve].value)}`)
  // The text is below the beginning of the curve, as far as there is space.
  const begin = 100 - (100 * sinceMs) / PAST_MS
  $(`${curve}-then`).style.paddingLeft = `max(0px, min(${begin.toFixed(2)}%, 100% - 8.5rem))`
}

/** Returns runs of samples without a gap between them. @param {Sample[]} samples */
function runs(samples) {
  /** @type {Sample[][]} */
  const found = []
  let beforeMs = Number.NEGATIVE_INFINITY
  for (const sample of samples) {
    if (sample.atMs - beforeMs > GAP_MS) found.push([])
    found.at(-1)?.push(sample)
    beforeMs = sample.atMs
  }
  return found
}

/**
 * Draws a limit. It applies until a sample has another limit.
 * @param {Sample[]} run @param {Curve} curve @param {string[]} x @param {(value: number) => string} y
 */
function steps(run, curve, x, y) {
  let isDrawn = false
  const parts = run.map((sample, at) => {
    const { limit } = sample[curve]
    const part = limit === 0 ? '' : isDrawn ? `H${x[at]}V${y(limit)}` : `M${x[at]} ${y(limit)}`
    isDrawn = limit > 0
    return part
  })
  return parts.join('')
}
