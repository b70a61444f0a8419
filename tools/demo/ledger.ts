/** Statistics of the shop: counts, latencies of the last minute, and visitors. */
import { quantile } from '../simulation/order.ts'

export interface ShopStats {
  requests: number
  /** By HTTP status; `aborted` for clients that went away first. */
  perStatus: Record<string, number>
  pagesServed: number
  /** Work done, in plain pages: an order is worth several. */
  workDone: number
  orders: number
  /** Orders spoiled by the broken configurator. */
  spoiled: number
  carts: number
  inFlight: number
  queued: number
  /** How many times longer everything takes than in a healthy shop. */
  slowdown: number
  /**
   * Pages of the last 60 s, served or timed out. Pages refused at once are left out: they would make the shop look
   * fast.
   */
  latencyP50Ms: number
  latencyP95Ms: number
  visitors: number
}

export interface Seen {
  requests: number
  /** Unix time. */
  readonly firstAtMs: number
  /** The session in the waiting room's header at the visitor's first request. */
  readonly session: string | null
}

const LATENCY_WINDOW_MS = 60_000
/** Bounds the memory of an overloaded minute. */
const LATENCIES_MAX = 100_000
/** Bounds the memory of a long run. Visitors beyond this are served, but not listed. */
const VISITORS_MAX = 200_000

export class Ledger {
  requests = 0
  pagesServed = 0
  workDone = 0
  orders = 0
  spoiled = 0
  carts = 0
  inFlight = 0
  readonly #perStatus = new Map<string, number>()
  readonly #visitors = new Map<string, Seen>()
  #latencies: { atMs: number; tookMs: number }[] = []

  arrived(visitor: string | null, session: string | null, nowMs: number): void {
    this.requests++
    this.inFlight++
    if (visitor === null) return
    const seen = this.#visitors.get(visitor)
    if (seen) seen.requests++
    else if (this.#visitors.size < VISITORS_MAX) {
      this.#visitors.set(visitor, { requests: 1, firstAtMs: nowMs, session })
    }
  }

  answered(status: number | 'aborted'): void {
    this.inFlight--
    this.#perStatus.set(`${status}`, (this.#perStatus.get(`${status}`) ?? 0) + 1)
  }

  waited(tookMs: number, nowMs: number): void {
    if (this.#latencies.length >= LATENCIES_MAX) this.#latencies = this.#latencies.slice(LATENCIES_MAX / 2)
    this.#latencies.push({ atMs: nowMs, tookMs })
  }

  /** `capacity`: the state of the threads, which the ledger does not have. */
  stats(capacity: { queued: number; slowdown: number }, nowMs: number): ShopStats {
    this.#latencies = this.#latencies.filter(({ atMs }) => atMs > nowMs - LATENCY_WINDOW_MS)
    const sorted = this.#latencies.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
    return {
      requests: this.requests,
      perStatus: Object.fromEntries(this.#perStatus),
      pagesServed: this.pagesServed,
      workDone: this.workDone,
      orders: this.orders,
      spoiled: this.spoiled,
      carts: this.carts,
      inFlight: this.inFlight,
      queued: capacity.queued,
      slowdown: Number(capacity.slowdown.toFixed(2)),
      latencyP50Ms: Math.round(quantile(sorted, 0.5)),
      latencyP95Ms: Math.round(quantile(sorted, 0.95)),
      visitors: this.#visitors.size,
    }
  }

  visitors(): Record<string, Seen> {
    return Object.fromEntries(this.#visitors)
  }

  /** Resets everything but the requests under way, which have yet to end. */
  reset(): void {
    this.requests = 0
    this.pagesServed = 0
    this.workDone = 0
    this.orders = 0
    this.spoiled = 0
    this.carts = 0
    this.#perStatus.clear()
    this.#visitors.clear()
    this.#latencies = []
  }
}
