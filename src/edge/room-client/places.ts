/** Places in line, in the memory of one isolate: which were counted, which were given up, and when each may poll. */
import { placeIdOf, type Ticket } from '../../core/ticket.ts'
import type { Memory } from './memory.ts'

export class Places {
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** Returns true when this isolate meets `what` for the first time, so that it is counted only once. */
  countOnce(what: string): boolean {
    if (this.#memory.counted.has(what)) return false
    this.#memory.counted.set(what, true)
    return true
  }

  wasCounted(what: string): boolean {
    return this.#memory.counted.has(what)
  }

  noteLeft(ticket: Ticket): void {
    this.#memory.left.set(placeIdOf(ticket), true)
  }

  /**
   * True if a place was given up at this isolate. Other isolates learn this from the door, once the place is called.
   */
  hasLeft(ticket: Ticket): boolean {
    return this.#memory.left.size > 0 && this.#memory.left.has(placeIdOf(ticket))
  }

  /** Returns the milliseconds until a visitor may poll again. Returns 0 or less if a poll may come now. */
  pollsInMs({ sid }: Ticket, nowMs: number): number {
    return (this.#memory.polls.get(sid) ?? 0) - nowMs
  }

  notePoll({ sid }: Ticket, nextMs: number): void {
    this.#memory.polls.set(sid, nextMs)
  }
}
