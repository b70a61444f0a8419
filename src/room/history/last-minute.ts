/** The admissions that doors reported in the last minute, counted in memory. */
import { MINUTE_MS } from '../../core/timing.ts'

export class LastMinute {
  #total: number
  #reported: [atMs: number, count: number][] = []

  /** `total` is the number of admissions so far. */
  constructor(total: number) {
    this.#total = total
  }

  note(total: number, nowMs: number): void {
    if (total > this.#total) this.#reported.push([nowMs, total - this.#total])
    this.#total = total
    this.#reported = this.#reported.filter(([atMs]) => nowMs - atMs < MINUTE_MS)
  }

  sum(nowMs: number): number {
    return this.#reported.reduce((sum, [atMs, count]) => sum + (nowMs - atMs < MINUTE_MS ? count : 0), 0)
  }
}
