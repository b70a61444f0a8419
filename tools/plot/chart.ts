/** Draws line charts as SVG. The panels stand one above the other, and share one time axis. */

export interface Series {
  readonly name: string
  /** Each point has a time in seconds and a value. The points are in order of time. */
  readonly points: readonly (readonly [seconds: number, value: number])[]
  /** Whether the values are a bound and were not measured. The line is then dashed. */
  readonly isBound?: boolean
}

interface Panel {
  readonly title: string
  readonly series: readonly Series[]
}

const WIDTH = 720
const PANEL_HEIGHT = 150
const LEFT = 64
const RIGHT = 120
const TITLE_HEIGHT = 34
const AXIS_HEIGHT = 28
/** The chart has about so many pixels in width, so more points would not be visible. */
const POINTS_MAX = 600

/** Colours with enough contrast on a light and a dark background. A panel's series take them in this order. */
const STYLE = `text{font:12px system-ui,sans-serif;fill:#565d63}.title{font-weight:600;fill:#22262a}
.grid{stroke:#d9d6cd}.c0{stroke:#2f6f62;fill:#2f6f62}.c1{stroke:#a8601a;fill:#a8601a}.c2{stroke:#4a5f9e;fill:#4a5f9e}.c3{stroke:#9b3d52;fill:#9b3d52}
path{fill:none!important;stroke-width:1.75;stroke-linejoin:round}.bound{stroke-dasharray:4 4;stroke-width:1.25}text.name{stroke:none}
@media(prefers-color-scheme:dark){text{fill:#a9b0b4}.title{fill:#e9e8e4}.grid{stroke:#343a3d}.c0{stroke:#7cc4b3;fill:#7cc4b3}.c1{stroke:#e0a35c;fill:#e0a35c}.c2{stroke:#9db1ea;fill:#9db1ea}.c3{stroke:#e58ba0;fill:#e58ba0}}`

export function chart(panels: readonly Panel[], description: string): string {
  const endSeconds = Math.max(1, ...panels.flatMap(({ series }) => series.map(({ points }) => points.at(-1)?.[0] ?? 0)))
  const height = panels.length * (PANEL_HEIGHT + TITLE_HEIGHT) + AXIS_HEIGHT
  const x = (seconds: number) => LEFT + ((WIDTH - LEFT - RIGHT) * seconds) / endSeconds
  const drawn = panels.map((panel, index) => panelOf(panel, index * (PANEL_HEIGHT + TITLE_HEIGHT) + TITLE_HEIGHT, x))
  const ticks = stepsTo(endSeconds, 6).map(
    seconds =>
      `<text x="${fixed(x(seconds))}" y="${height - 8}" text-anchor="middle">${timeOf(seconds, endSeconds)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(description)}">
<style>${STYLE}</style>
${[...drawn, ...ticks].join('\n')}
</svg>
`
}

function panelOf({ title, series }: Panel, top: number, x: (seconds: number) => number): string {
  const most = Math.max(1, ...series.flatMap(({ points }) => points.map(([, value]) => value)))
  const steps = stepsTo(most, 3)
  const scaleTo = Math.max(most, steps.at(-1) ?? most)
  const y = (value: number) => top + PANEL_HEIGHT - (PANEL_HEIGHT * value) / scaleTo
  const grid = steps.map(
    value =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/><text x="${LEFT - 8}" y="${fixed(y(value) + 4)}" text-anchor="end">${value.toLocaleString('en')}</text>`,
  )
  const lines = series.map(({ points, isBound }, index) => {
    const path = thinned(points).map(
      ([seconds, value], i) => `${i === 0 ? 'M' : 'L'}${fixed(x(seconds))} ${fixed(y(value))}`,
    )
    return `<path class="c${index % 4}${isBound ? ' bound' : ''}" d="${path.join('')}"/>`
  })
  return [
    `<text class="title" x="${LEFT}" y="${top - 12}">${escaped(title)}</text>`,
    ...grid,
    ...lines,
    ...names(series, y),
  ].join('\n')
}

/** Writes the name of each line at the end of the line. Moves names apart if they would overlap. */
function names(series: readonly Series[], y: (value: number) => number): string[] {
  const ends = series
    .map(({ name, points }, index) => ({ name, index, at: y(points.at(-1)?.[1] ?? 0) }))
    .sort((a, b) => a.at - b.at)
  let lowest = Number.NEGATIVE_INFINITY
  return ends.map(({ name, index, at }) => {
    lowest = Math.max(at, lowest + 15)
    return `<text class="name c${index % 4}" x="${WIDTH - RIGHT + 8}" y="${fixed(lowest + 4)}">${escaped(name)}</text>`
  })
}

/** Keeps the highest point of each stretch, so that no peak is lost. */
function thinned(points: Series['points']): Series['points'] {
  const every = Math.ceil(points.length / POINTS_MAX)
  if (every < 2) return points
  const kept: (readonly [number, number])[] = []
  for (let i = 0; i < points.length; i += every) {
    kept.push(points.slice(i, i + every).reduce((highest, point) => (point[1] > highest[1] ? point : highest)))
  }
  return kept
}

/** Round steps from 0 to at least `most`, about `count` of them. */
function stepsTo(most: number, count: number): number[] {
  const rough = most / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find(factor => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step)
}

function timeOf(seconds: number, endSeconds: number): string {
  return endSeconds > 600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`
}

function fixed(value: number): string {
  return value.toFixed(1)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
