/**
 * The trace of one request, for contributors: the decisions and their reasons. It exists only with the variable DEBUG.
 * It contains no token and no sid.
 */

/** One decision about the request. */
export interface Traced {
  readonly room: string | null
  readonly verdict: string
  readonly why: string | null
  /** The place in line of a waiting visitor. */
  readonly key?: number
  /** The frontier of the visitor's lane, as a key. Null while the lane has no line. */
  readonly frontier?: number | null
  /** The age of the room's snapshot. Null if no door has ever answered. */
  readonly snapshotAgeMs?: number | null
}

export class Trace {
  readonly decisions: Traced[] = []
  #sentMs: number | null = null
  #originMs: number | null = null

  note(decision: Traced): void {
    this.decisions.push(decision)
  }

  noteSent(nowMs: number): void {
    this.#sentMs = nowMs
  }

  noteAnswered(nowMs: number): void {
    if (this.#sentMs !== null) this.#originMs = nowMs - this.#sentMs
  }

  /** How long the origin took to begin its answer. Null if it was not asked. */
  get originMs(): number | null {
    return this.#originMs
  }
}
