/** The parts of pages that wait for their turn at this isolate, with a bound on how many. */

/** Nobody looks at a page that takes longer. */
export const WAITS_MAX_MS = 10_000
/** Each holds a connection: as many as a browser opens for one page, and what an isolate has memory for. */
const OF_SESSION_MAX = 100
const OF_ISOLATE_MAX = 1_000

interface Turn {
  readonly sid: string
  readonly untilMs: number
}

/** Who waits at this isolate, the longest first. */
export class Turns {
  readonly #waiting = new Set<Turn>()

  /** Returns null when too many wait. */
  begin(sid: string, nowMs: number): Turn | null {
    // A request that was cut off never ends its turn.
    for (const turn of this.#waiting) {
      if (turn.untilMs > nowMs) break
      this.#waiting.delete(turn)
    }
    if (this.#waiting.size >= OF_ISOLATE_MAX) return null
    let ofSession = 0
    for (const turn of this.#waiting) if (turn.sid === sid) ofSession++
    if (ofSession >= OF_SESSION_MAX) return null
    const turn = { sid, untilMs: nowMs + 2 * WAITS_MAX_MS }
    this.#waiting.add(turn)
    return turn
  }

  end(turn: Turn): void {
    this.#waiting.delete(turn)
  }
}
