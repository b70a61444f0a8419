/** The events of a run, in order of virtual time. */
import { Queue } from './queue.ts'
import { Visitor } from './visitor.ts'

interface Timer {
  readonly dueMs: number
  readonly run: () => void
}

export class Agenda {
  nowMs: number
  /** Visitors with an appointment. */
  appointments = 0
  readonly #due = new Queue<Timer | Visitor>()
  readonly #visit: (visitor: Visitor) => void

  constructor(startMs: number, visit: (visitor: Visitor) => void) {
    this.nowMs = startMs
    this.#visit = visit
  }

  /** Sets a visitor's next step. Each visitor has at most one appointment. */
  appoint(visitor: Visitor, atMs: number): void {
    this.appointments++
    visitor.dueMs = Math.max(atMs, this.nowMs)
    this.#due.add(visitor)
  }

  at(atMs: number, run: () => void): void {
    this.#due.add({ dueMs: Math.max(atMs, this.nowMs), run })
  }

  /** Runs everything up to `untilMs`. */
  runUntil(untilMs: number): void {
    for (let next = this.#due.take(untilMs); next; next = this.#due.take(untilMs)) {
      this.nowMs = next.dueMs
      if (next instanceof Visitor) {
        this.appointments--
        this.#visit(next)
      } else next.run()
    }
    this.nowMs = untilMs
  }
}
