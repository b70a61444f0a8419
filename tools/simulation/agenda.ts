/** The events of a run, by the millisecond of virtual time at which they are due. Clocks show whole milliseconds. */
import { Visitor } from './visitor.ts'

/** Times at which visitors come back are rounded up to this. There are then few such times, which saves work. */
const GRID_MS = 50

export class Agenda {
  nowMs: number
  /** The number of visitors who have an appointment. */
  appointments = 0
  readonly #due = new Map<number, (Visitor | (() => void))[]>()
  readonly #visit: (visitor: Visitor) => void

  constructor(startMs: number, visit: (visitor: Visitor) => void) {
    this.nowMs = startMs
    this.#visit = visit
  }

  /** Lets a visitor arrive at exactly this time, without the grid. */
  arrive(visitor: Visitor, atMs: number): void {
    this.appointments++
    this.#add(visitor, atMs)
  }

  /** Sets the time of a visitor's next step, on the grid. A visitor has at most one appointment. */
  appoint(visitor: Visitor, atMs: number): void {
    this.appointments++
    this.#add(visitor, Math.ceil(atMs / GRID_MS) * GRID_MS)
  }

  at(atMs: number, run: () => void): void {
    this.#add(run, atMs)
  }

  /** Runs everything up to `untilMs`. */
  runUntil(untilMs: number): void {
    for (; ; this.nowMs++) {
      // An event may add others that are due at once: the loop reaches them too.
      for (const next of this.#due.get(this.nowMs) ?? []) {
        if (next instanceof Visitor) {
          this.appointments--
          this.#visit(next)
        } else next()
      }
      this.#due.delete(this.nowMs)
      if (this.nowMs >= untilMs) return
    }
  }

  #add(event: Visitor | (() => void), atMs: number): void {
    const dueMs = Math.max(Math.ceil(atMs), this.nowMs)
    const others = this.#due.get(dueMs)
    if (others) others.push(event)
    else this.#due.set(dueMs, [event])
  }
}
