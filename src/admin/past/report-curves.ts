/** The curves of a report as SVG paths, over the time of the report. */
import type { HistoryStep } from '../../core/history/history.ts'
import type { SpanFigures } from '../../core/history/report.ts'
import type { RoomReport } from '../../core/protocol/calls.ts'
import { MINUTE_MS } from '../../core/timing.ts'

const WIDTH = 720
const HEIGHT = 120

interface Line {
  readonly name: string
  /** The CSS class that gives the line its colour. */
  readonly look: 'first' | 'second' | 'limit'
  readonly of: (step: HistoryStep) => number | null
}

interface Panel {
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
}

/** One panel, as the template of the page needs it. */
interface Curves {
  readonly title: string
  readonly top: string
  readonly from: string
  readonly to: string
  readonly lines: readonly { readonly name: string; readonly look: string; readonly path: string }[]
}

/** Returns the panels that have at least one line with a value. */
export function curvesOf({ figures, ...span }: Reported, moment: (ms: number) => string): readonly Curves[] {
  const { steps, stepMs } = figures
  const perMinute = MINUTE_MS / stepMs
  const panels: readonly Panel[] = [
    {
      title: 'People',
      unit: '',
      lines: [
        { name: 'waiting', look: 'first', of: step => step.waiting },
        { name: 'inside', look: 'second', of: step => step.inside },
        { name: 'places', look: 'limit', of: step => step.totalActiveUsers },
      ],
    },
    {
      title: 'Let in a minute',
      unit: '',
      lines: [
        { name: 'came', look: 'first', of: step => step.arrived * perMinute },
        { name: 'let in', look: 'second', of: step => step.admitted * perMinute },
        { name: 'the rate', look: 'limit', of: step => step.ratePerMinute },
      ],
    },
    {
      title: 'The origin: 95 % of answers within',
      unit: ' ms',
      lines: [{ name: 'p95', look: 'second', of: step => step.p95Ms }],
    },
  ]
  // Steps begin at whole multiples of their length.
  const [fromMs, toMs] = [Math.floor(span.fromMs / stepMs) * stepMs, Math.ceil(span.toMs / stepMs) * stepMs]
  return panels.flatMap(({ title, unit, lines }) => {
    // A limit far above all numbers of people would press their curves flat, so the height of the panel is bounded.
    const highest = (look: boolean) =>
      Math.max(
        0,
        ...lines.filter(line => (line.look !== 'limit') === look).flatMap(({ of }) => steps.map(step => of(step) ?? 0)),
      )
    const people = highest(true)
    if (people === 0) return []
    const top = Math.min(Math.max(people, highest(false)), 1.5 * people)
    const drawn = lines.map(({ name, look, of }) => ({
      name,
      look,
      path: pathOf(steps, of, { fromMs, toMs, stepMs, top }),
    }))
    const words = `${Math.round(top).toLocaleString('en')}${unit}`
    return [{ title, top: words, from: moment(fromMs), to: moment(toMs), lines: drawn }]
  })
}

type Reported = Pick<RoomReport, 'fromMs' | 'toMs'> & { readonly figures: Pick<SpanFigures, 'steps' | 'stepMs'> }

interface Frame {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
  readonly top: number
}

/**
 * Returns the path of a line. It has a gap where the value is unknown, where the room slept, and where a limit is above
 * the panel.
 */
function pathOf(steps: readonly HistoryStep[], of: Line['of'], { fromMs, toMs, stepMs, top }: Frame): string {
  let path = ''
  let before: number | null = null
  for (const step of steps) {
    const value = of(step)
    if (value === null || value > top) {
      before = null
      continue
    }
    const x = (ms: number) => ((WIDTH * (ms - fromMs)) / (toMs - fromMs)).toFixed(1)
    const y = (HEIGHT * (1 - value / top)).toFixed(1)
    path += `${before === step.atMs ? 'L' : 'M'}${x(step.atMs)} ${y}H${x(step.atMs + stepMs)}`
    before = step.atMs + stepMs
  }
  return path
}
