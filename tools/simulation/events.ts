/** The last events of a run, kept only when somebody wants to read them. */

export interface Event {
  readonly atMs: number
  readonly text: string
  /** Whom it was about; null for doors and the room. */
  readonly visitor: number | null
}

/** Enough to hold the last minute of a small run; older ones fall out. */
const KEPT = 20_000

export class Events {
  readonly #kept: Event[] = []
  #next = 0

  note(atMs: number, visitor: number | null, text: string): void {
    this.#kept[this.#next] = { atMs, visitor, text }
    this.#next = (this.#next + 1) % KEPT
  }

  /** The last up to a moment, of one visitor and of doors and the room; of everybody when nobody is named. */
  before(untilMs: number, visitor: number | null, count: number): Event[] {
    const inOrder = [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)]
    return inOrder
      .filter(event => event.atMs <= untilMs)
      .filter(event => visitor === null || event.visitor === null || event.visitor === visitor)
      .slice(-count)
  }
}
