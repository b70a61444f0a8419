/** The last events of a run. They are recorded only for a run that is to be explained. */
import type { Visitor } from './visitor.ts'

export interface Event {
  readonly atMs: number
  readonly text: string
  /** The visitor concerned; null for doors and the room. */
  readonly visitor: Visitor | null
}

/** Enough for the last minute of a small run. Older events are dropped. */
const KEPT = 20_000

export class Events {
  readonly #kept: Event[] = []
  #next = 0

  note(atMs: number, visitor: Visitor | null, text: string): void {
    this.#kept[this.#next] = { atMs, visitor, text }
    this.#next = (this.#next + 1) % KEPT
  }

  /**
   * Returns the last `count` events up to a time: those of one visitor, of doors and of the room. With null all
   * visitors count.
   */
  before(untilMs: number, visitor: Visitor | null, count: number): Event[] {
    const inOrder = [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)]
    return inOrder
      .filter(event => event.atMs <= untilMs)
      .filter(event => visitor === null || event.visitor === null || event.visitor === visitor)
      .slice(-count)
  }
}
