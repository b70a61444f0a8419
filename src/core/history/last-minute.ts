/**
 * The flow of the last minute: newcomers who want to come in, and visitors who were let in. Every figure that depends
 * on the arrivals takes them from here, so that no two of them contradict each other.
 *
 * The flow is counted in memory. A room that starts again begins with the minutes that it has stored.
 */
import { MINUTE_MS } from '../timing.ts'
import type { HistoryStep } from './history.ts'

/** Totals since the room began. */
export interface Flow {
  /**
   * Visitors in line who came back once, and newcomers who were let in at once. Robots seldom come back, so they hardly
   * count.
   */
  readonly came: number
  readonly admitted: number
}

/** A stored minute is spread evenly over this many moments. */
const PARTS = 6

export class LastMinute {
  #total: Flow
  #reported: (Flow & { readonly atMs: number })[] = []

  /** `total` is the flow so far. `minutes` are the last minutes, with the one that was open at `storedMs`. */
  constructor(total: Flow, minutes: readonly HistoryStep[] = [], storedMs = 0) {
    this.#total = total
    for (const { atMs, confirmed, admitted, shown } of minutes) {
      const part = { came: (confirmed + Math.max(0, admitted - shown)) / PARTS, admitted: admitted / PARTS }
      const tookMs = Math.min(MINUTE_MS, Math.max(0, storedMs - atMs))
      for (let nth = 1; nth <= PARTS; nth++) this.#reported.push({ atMs: atMs + (nth * tookMs) / PARTS, ...part })
    }
  }

  note(total: Flow, nowMs: number): void {
    const came = Math.max(0, total.came - this.#total.came)
    const admitted = Math.max(0, total.admitted - this.#total.admitted)
    if (came > 0 || admitted > 0) this.#reported.push({ atMs: nowMs, came, admitted })
    this.#total = total
    this.#reported = this.#reported.filter(({ atMs }) => nowMs - atMs < MINUTE_MS)
  }

  /** Returns the flow of the minute before `nowMs`, in whole people. */
  at(nowMs: number): Flow {
    let [came, admitted] = [0, 0]
    for (const report of this.#reported) {
      if (nowMs - report.atMs >= MINUTE_MS) continue
      came += report.came
      admitted += report.admitted
    }
    return { came: Math.round(came), admitted: Math.round(admitted) }
  }
}

export function flowIn(totals: Readonly<Record<string, number>>): Flow {
  const { confirmed = 0, walked_in = 0, admitted = 0 } = totals
  return { came: confirmed + walked_in, admitted }
}
