/**
 * The times at which the sessions of a door end, in memory. The door counts its live sessions from them. An index in
 * the database would cost a second row at each admission and each renewal.
 */

const SECOND_MS = 1_000

export class SessionEnds {
  /** For each second, how many sessions end in each of its milliseconds, 0 to 999. */
  readonly #seconds = new Map<number, Map<number, number>>()

  add(endMs: number): void {
    const { second, ms } = split(endMs)
    const ends = this.#seconds.get(second) ?? new Map<number, number>()
    this.#seconds.set(second, ends.set(ms, (ends.get(ms) ?? 0) + 1))
  }

  /** Removes one session that ends at `endMs`, if there is one. */
  remove(endMs: number): void {
    const { second, ms } = split(endMs)
    const ends = this.#seconds.get(second)
    const count = ends?.get(ms)
    if (!ends || count === undefined) return
    if (count > 1) ends.set(ms, count - 1)
    else ends.delete(ms)
    if (ends.size === 0) this.#seconds.delete(second)
  }

  /** Removes the sessions that have ended by `nowMs`, and returns their number. */
  removeUntil(nowMs: number): number {
    let ended = 0
    for (const [second, ends] of this.#seconds) {
      if (second * SECOND_MS > nowMs) continue
      for (const [ms, count] of ends) {
        if (second * SECOND_MS + ms > nowMs) continue
        ended += count
        ends.delete(ms)
      }
      if (ends.size === 0) this.#seconds.delete(second)
    }
    return ended
  }

  /** Returns the earliest end, or null when there is none. */
  nextMs(): number | null {
    let next = Number.POSITIVE_INFINITY
    for (const second of this.#seconds.keys()) next = Math.min(next, second)
    const ends = this.#seconds.get(next)
    return ends ? next * SECOND_MS + Math.min(...ends.keys()) : null
  }

  clear(): void {
    this.#seconds.clear()
  }
}

function split(endMs: number): { second: number; ms: number } {
  const second = Math.floor(endMs / SECOND_MS)
  return { second, ms: endMs - second * SECOND_MS }
}
