/** The networks from which scripts come, and how many of their tickets count without a solution at each isolate. */
import { type Quota, spend } from '../../src/core/gcra.ts'
import { UNSOLVED_QUOTA, unsolvedQuota } from '../../src/core/place/challenge.ts'
import type { Edge } from './edges.ts'
import type { Scenario } from './scenario.ts'
import type { Visitor } from './visitor.ts'

export class Networks {
  readonly #count: number
  readonly #ofRoom: Quota
  /** Theoretical arrival times by isolate, and by isolate and network. */
  readonly #tats = new Map<string, number>()

  constructor({ networks = 1, ratePerMinute }: Scenario) {
    this.#count = networks
    this.#ofRoom = unsolvedQuota(ratePerMinute)
  }

  /** Returns how long the ticket of a script must wait before it counts without a solution. */
  unsolvedDelayMs({ number }: Visitor, { state: { isolate } }: Edge, nowMs: number): number {
    const network = `${isolate} ${number % this.#count}`
    const delayMs = Math.max(this.#waitMs(network, UNSOLVED_QUOTA, nowMs), this.#waitMs(isolate, this.#ofRoom, nowMs))
    if (delayMs > 0) return delayMs
    this.#take(network, UNSOLVED_QUOTA, nowMs)
    this.#take(isolate, this.#ofRoom, nowMs)
    return 0
  }

  #waitMs(key: string, quota: Quota, nowMs: number): number {
    const verdict = spend(quota, this.#tats.get(key) ?? 0, 1, nowMs)
    return verdict.allowed ? 0 : verdict.retryAfterMs
  }

  #take(key: string, quota: Quota, nowMs: number): void {
    this.#tats.set(key, spend(quota, this.#tats.get(key) ?? 0, 1, nowMs).tatMs)
  }
}
