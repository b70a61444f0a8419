/**
 * Keeps waits shown after the first ten minutes, to compare them with the real waits. Each visitor has three: the
 * first, the last, and a random one.
 */

import { DOUBLES, newLines } from './lines.ts'

const FROM_MS = 10 * 60_000
/** Shorter waits are all displayed as "less than a minute". */
const SHORT_MS = 30_000

/** One visitor's numbers: how many waits were shown, then the time and the wait of each kept estimate. */
const TIMES = 0
const FIRST = 1
const LAST = 3
const ANY = 5

export class Estimates {
  readonly #fromMs: number
  readonly #numbers: Float64Array
  /**
   * The largest rise between two waits shown in a row for the same place, as a quotient. Waits below SHORT_MS count as
   * SHORT_MS.
   */
  riseMax = 1

  constructor(visitors: number, startMs: number) {
    this.#fromMs = startMs + FROM_MS
    this.#numbers = newLines(visitors)
  }

  /** Reads one number of a visitor's cache line, so that the whole line is in the cache when it is needed. */
  fetch(visitor: number, nowMs: number): number {
    return nowMs < this.#fromMs ? 0 : (this.#numbers[visitor * DOUBLES] as number)
  }

  /** Returns by how much the wait for one place has risen since it was last shown, as a quotient. */
  rise(beforeMs: number, waitMs: number): number {
    const rise = waitMs / Math.max(SHORT_MS, beforeMs)
    this.riseMax = Math.max(this.riseMax, rise)
    return rise
  }

  /** `random`, uniform in [0, 1), gives each of a visitor's estimates the same chance to be kept. */
  shown(visitor: number, waitMs: number, random: number, nowMs: number): void {
    if (nowMs < this.#fromMs) return
    const at = visitor * DOUBLES
    const times = (this.#numbers[at + TIMES] as number) + 1
    this.#numbers[at + TIMES] = times
    if (times === 1) this.#note(at + FIRST, waitMs, nowMs)
    if (random * times < 1) this.#note(at + ANY, waitMs, nowMs)
    this.#note(at + LAST, waitMs, nowMs)
  }

  /**
   * Errors of the estimates of each admitted visitor: relative to the real wait for `any` and `first`, in seconds for
   * the last.
   */
  errors(admittedMs: Float64Array, counts: (visitor: number) => boolean) {
    const any: number[] = []
    const first: number[] = []
    const lastSeconds: number[] = []
    for (let visitor = 0; visitor < admittedMs.length; visitor++) {
      const inMs = admittedMs[visitor] as number
      const at = visitor * DOUBLES
      if (this.#numbers[at + TIMES] === 0 || inMs === 0 || !counts(visitor)) continue
      any.push(this.#shareWrong(at + ANY, inMs))
      first.push(this.#shareWrong(at + FIRST, inMs))
      lastSeconds.push(this.#wrongMs(at + LAST, inMs) / 1_000)
    }
    return { any, first, lastSeconds }
  }

  #note(at: number, waitMs: number, nowMs: number): void {
    this.#numbers[at] = nowMs
    this.#numbers[at + 1] = waitMs
  }

  #shareWrong(at: number, inMs: number): number {
    return this.#wrongMs(at, inMs) / Math.max(1_000, inMs - (this.#numbers[at] as number))
  }

  #wrongMs(at: number, inMs: number): number {
    const realMs = inMs - (this.#numbers[at] as number)
    return Math.abs((this.#numbers[at + 1] as number) - realMs)
  }
}
