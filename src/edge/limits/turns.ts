/** The parts of pages that wait for their turn at this isolate. Their number is bounded. */

/** The longest wait for a turn. No visitor stays on a page that takes longer than 10 s to load. */
export const WAITS_MAX_MS = 10_000
/**
 * The most parts of pages that may wait: each holds a connection. A session may have as many as a browser opens for one
 * page, and an isolate as many as its memory allows.
 */
const OF_SESSION_MAX = 100
const OF_ISOLATE_MAX = 1_000

interface Turn {
  readonly sid: string
  readonly untilMs: number
}

/** The parts that wait at this isolate. The one that has waited for longest is first. */
export class Turns {
  readonly #waiting = new Set<Turn>()

  /** Returns a turn, or null when too many parts wait. */
  begin(sid: string, nowMs: number): Turn | null {
    // A request that was cut off never ends its turn. So old turns are dropped.
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
