/**
 * The trace of one request, for contributors: what was decided, and why. It exists only with the variable DEBUG. It
 * contains no token and no sid.
 */

/** One decision about the request. */
export interface Traced {
  readonly room: string | null
  readonly verdict: string
  readonly why: string | null
  /** The place in line, of a visitor who waits. */
  readonly key?: number
  /** How far the visitor's lane has been called, as a key. Null while it has no line. */
  readonly frontier?: number | null
  /** The age of the room's snapshot. Null while no door has ever answered. */
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

  /** How long the origin took to begin its answer. Null when it was not asked. */
  get originMs(): number | null {
    return this.#originMs
  }
}
