/** Requests of one isolate that try an origin, or a named upstream, after an outage. */
import type { Memory } from './memory.ts'

/** An id is the sid of a session that tries the origin. Ids of other forms are trials of a named upstream. */
export class Trials {
  readonly #trials: Memory['trials']
  /** When this isolate last blocked every session. A trial from before that time belongs to an earlier outage. */
  #allBlockedMs = Number.NEGATIVE_INFINITY

  constructor({ trials }: Memory) {
    this.#trials = trials
  }

  note(id: string, nowMs: number): void {
    this.#trials.set(id, nowMs)
  }

  noteAllBlocked(nowMs: number): void {
    this.#allBlockedMs = nowMs
  }

  /** Returns when the last trial was, or minus infinity. */
  lastMs(id: string): number {
    return this.#trials.get(id) ?? Number.NEGATIVE_INFINITY
  }

  has(id: string): boolean {
    return this.#trials.has(id)
  }

  /** Whether a session has tried the origin in the present outage. */
  hasTriedNow(sid: string): boolean {
    return this.lastMs(sid) > this.#allBlockedMs
  }
}
