/** The figures of a run, by which its controller is judged. */
import { TARGET_MS } from './origin.ts'
import type { Moment } from './run.ts'

export interface HealthFigures {
  /** Requests that the origin served, as a share of those that it could serve, after the room had filled. */
  readonly used: number
  /** Share of the time in which answers were slower than the target allows. */
  readonly overTarget: number
  /** How often per hour the ceiling began to fall after it rose, or to rise after it fell. */
  readonly turnsAnHour: number
  /** Seconds in which the p95 was over twice the target. */
  readonly slowSeconds: number
  /** The largest share by which more sessions could make requests than the origin bears, from `settledSecond` on. */
  readonly overshoot: number
}

const WINDOW = 5
const APDEX_TARGET = 0.85
/** If the ceiling moves by a smaller share than this, the move does not count. */
const MOVED = 0.01

export function figuresOf(moments: readonly Moment[], fromSecond: number, settledSecond = fromSecond): HealthFigures {
  const judged = moments.filter(({ second }) => second >= fromSecond)
  const could = sum(judged.map(moment => moment.capacityPerSecond))
  const windows = windowsOf(judged)
  const settled = judged.filter(({ second, knee }) => second >= settledSecond && knee > 0)
  return {
    used: could === 0 ? 1 : sum(judged.map(moment => moment.served)) / could,
    overTarget: windows.filter(({ apdex }) => apdex < APDEX_TARGET).length / Math.max(1, windows.length),
    turnsAnHour: (turnsOf(judged) * 3_600) / Math.max(1, judged.length),
    slowSeconds: windows.filter(({ p95Ms }) => p95Ms > 2 * TARGET_MS).length * WINDOW,
    overshoot: Math.max(0, ...settled.map(({ inside, share, knee }) => (inside * share) / knee - 1)),
  }
}

function windowsOf(moments: readonly Moment[]): { apdex: number; p95Ms: number }[] {
  const windows: { apdex: number; p95Ms: number }[] = []
  for (let i = 0; i + WINDOW <= moments.length; i += WINDOW) {
    const part = moments.slice(i, i + WINDOW)
    const asked = sum(part.map(moment => moment.asked))
    if (asked === 0) continue
    const took = part.flatMap(moment => moment.tookMs).sort((a, b) => a - b)
    const apdex = sum(part.map(moment => moment.apdexPoints)) / asked
    windows.push({ apdex, p95Ms: took[Math.floor(took.length * 0.95)] ?? 0 })
  }
  return windows
}

function turnsOf(moments: readonly Moment[]): number {
  let turns = 0
  let direction = 0
  let extreme = moments[0]?.ceiling ?? 0
  for (const { ceiling } of moments) {
    const moved = (ceiling - extreme) / Math.max(1, extreme)
    if (Math.sign(moved) === direction && direction !== 0) extreme = ceiling
    else if (Math.abs(moved) > MOVED) {
      if (direction !== 0) turns++
      direction = Math.sign(moved)
      extreme = ceiling
    }
  }
  return turns
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
