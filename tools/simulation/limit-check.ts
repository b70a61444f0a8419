/**
 * I11: the requests of each session that a limit has let on, over all isolates, as a leaky bucket that the burst may fill. The bound
 * is written out here: taken from `core` it would follow its mistakes.
 */
import type { Limit } from './scenario.ts'

/** A door that dies forgets debts that drain within this, and no others. */
const FORGOTTEN_WITHIN_MS = 10_000
/** Leases of before a door's death end within this. */
const LEASES_END_WITHIN_MS = 14_000

interface Bucket {
  /** Requests ahead of the rate, and since when there were any. */
  level: number
  atMs: number
  sinceMs: number
}

export class LimitCheck {
  allowed = 0
  limited = 0
  /** Decided by an isolate whose door did not answer: the bound does not speak of them. */
  alone = 0
  readonly #intervalMs: number
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()
  /** Of each door, when it died and what each of its sessions owed more than ten seconds for by then. */
  readonly #deaths = new Map<string, { readonly atMs: number; readonly remembered: ReadonlySet<string> }[]>()

  constructor({ count, periodMs, burst }: Limit) {
    this.#intervalMs = periodMs / count
    this.#burst = burst
  }

  /** Notes a request let on; answers by how much the session is beyond the bound, 0 when it is not. */
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
      // Of what it forgot at an earlier death the door knows nothing any more.
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
