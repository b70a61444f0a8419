/** Requests of one isolate that try an origin, or a named upstream, after an outage. */
import type { Memory } from './memory.ts'

/** When each session tried the origin, by its sid. An id of another form is a trial of a named upstream. */
export class Trials {
  readonly #trials: Memory['trials']
  /** When this isolate last blocked all sessions. A trial from before that time belongs to an earlier outage. */
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

  /** Returns when the last trial was, or minus infinity if there was none. */
  lastMs(id: string): number {
    return this.#trials.get(id) ?? Number.NEGATIVE_INFINITY
  }

  has(id: string): boolean {
    return this.#trials.has(id)
  }

  /** True if a session has tried the origin in the present outage. */
  hasTriedNow(sid: string): boolean {
    return this.lastMs(sid) > this.#allBlockedMs
  }
}
