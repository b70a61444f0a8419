/** A simulated origin. It has a fixed number of workers. When all of them are busy, requests wait in a queue. */
import type { Random } from '../simulation/random.ts'

export const TARGET_MS = 500
/** The state of an origin. Its usual `speed` is 1. If it is `down`, it gives errors at once, or no answers. */
export interface Condition {
  readonly speed: number
  readonly down: 'no' | 'errors' | 'hangs'
}

export interface Answered {
  readonly atMs: number
  readonly tookMs: number
  readonly ok: boolean
  readonly sid: string
}

const WORKERS = 20
const SERVICE_MS = 150
/** No page takes less work than this. */
const SERVICE_MIN_MS = 50
export const TIMEOUT_MS = 10_000
const ERROR_MS = 5

/** Requests a second that keep all workers busy. */
export const CAPACITY_PER_SECOND = (WORKERS * 1_000) / SERVICE_MS

export class Origin {
  /** The time from which each worker is free. */
  readonly #freeMs = new Float64Array(WORKERS)
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Requests must come in order of time. */
  serve(atMs: number, { speed, down }: Condition): Omit<Answered, 'sid'> {
    if (down === 'errors') return { atMs, tookMs: ERROR_MS, ok: false }
    if (down === 'hangs') return { atMs, tookMs: TIMEOUT_MS, ok: false }
    let worker = 0
    for (let i = 1; i < WORKERS; i++) if (this.#free(i) < this.#free(worker)) worker = i
    const startMs = Math.max(atMs, this.#free(worker))
    // The edge no longer waits for a late answer, but an overloaded server still works on it.
    const serviceMs = (SERVICE_MIN_MS - (SERVICE_MS - SERVICE_MIN_MS) * Math.log(1 - this.#random.next())) / speed
    if (startMs - atMs > 2 * TIMEOUT_MS) return { atMs, tookMs: TIMEOUT_MS, ok: false }
    this.#freeMs[worker] = startMs + serviceMs
    const tookMs = startMs + serviceMs - atMs
    return tookMs > TIMEOUT_MS ? { atMs, tookMs: TIMEOUT_MS, ok: false } : { atMs, tookMs, ok: true }
  }

  #free(worker: number): number {
    return this.#freeMs[worker] ?? 0
  }
}
