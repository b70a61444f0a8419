/**
 * Checks I11: counts the allowed requests of each session, over all isolates, in a leaky bucket that holds the burst.
 * The bound is written out here: if it came from `core`, it would repeat its mistakes.
 */
import type { Limit } from './scenario.ts'

/** A door that dies forgets only debts that drain within this time. */
const FORGOTTEN_WITHIN_MS = 10_000
/** Leases granted before a door's death end within this time. */
const LEASES_END_WITHIN_MS = 14_000

interface Bucket {
  /** The session was `level` requests ahead of the rate at `atMs`. Since `sinceMs` the bucket was never empty. */
  level: number
  atMs: number
  sinceMs: number
}

export class LimitCheck {
  allowed = 0
  limited = 0
  /** Requests decided by an isolate whose door did not answer. The bound does not cover them. */
  alone = 0
  readonly #intervalMs: number
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()
  /**
   * The deaths of each door. Each has a time, and the sessions with more than ten seconds of debt. The door remembers
   * such debts.
   */
  readonly #deaths = new Map<string, { readonly atMs: number; readonly remembered: ReadonlySet<string> }[]>()

  constructor({ count, periodMs, burst }: Limit) {
    this.#intervalMs = periodMs / count
    this.#burst = burst
  }

  /** Notes an allowed request. Returns by how many requests the session is beyond the bound, 0 when it is within. */
  passes(sid: string, door: string, nowMs: number): number {
    this.allowed++
    const bucket = this.#buckets.get(sid) ?? { level: 0, atMs: nowMs, sinceMs: nowMs }
    this.#buckets.set(sid, bucket)
    const level = this.#levelAt(bucket, nowMs)
    if (level === 0) bucket.sinceMs = nowMs
    bucket.level = level + 1
    bucket.atMs = nowMs
    const most = this.#burst * (1 + this.#deathsSince(sid, door, bucket.sinceMs))
    return bucket.level > most + 1e-6 ? bucket.level - most : 0
  }

  doorDies(door: string, nowMs: number): void {
    const remembered = new Set<string>()
    for (const [sid, bucket] of this.#buckets) {
      // The door may have forgotten a burst at each earlier death. It does not know that part of the debt.
      const known = this.#levelAt(bucket, nowMs) - this.#burst * this.#deathsSince(sid, door, bucket.sinceMs)
      if (known * this.#intervalMs > FORGOTTEN_WITHIN_MS) remembered.add(sid)
    }
    const deaths = this.#deaths.get(door) ?? []
    deaths.push({ atMs: nowMs, remembered })
    this.#deaths.set(door, deaths)
  }

  #levelAt({ level, atMs }: Bucket, nowMs: number): number {
    return Math.max(0, level - (nowMs - atMs) / this.#intervalMs)
  }

  #deathsSince(sid: string, door: string, sinceMs: number): number {
    const deaths = this.#deaths.get(door) ?? []
    return deaths.filter(({ atMs, remembered }) => atMs >= sinceMs - LEASES_END_WITHIN_MS && !remembered.has(sid))
      .length
  }
}
