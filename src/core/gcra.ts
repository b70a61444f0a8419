/**
 * The generic cell rate algorithm, after ITU-T I.371 and redis-cell: one theoretical arrival time per key says all.
 *
 * In any window Δ at most ⌊Δ / intervalMs⌋ + burst cells pass. A clock that goes back makes it stricter, never looser.
 */

/** One cell each `intervalMs`, and `burst` at once after a rest (redis-cell's `max_burst` + 1). */
export interface Quota {
  readonly intervalMs: number
  readonly burst: number
}

/**
 * `count` cells a period. The interval is rounded up to a 1,024th of a millisecond: then every sum of intervals and times is exact in
 * floating point, and no rounding ever lets a cell through early.
 */
export function quotaOf(count: number, periodMs: number, burst: number): Quota {
  return { intervalMs: Math.ceil((periodMs / count) * 1_024) / 1_024, burst }
}

/** The verdict on a spend, with the theoretical arrival time to keep. A refusal leaves it as it was. */
export type Spend =
  | { readonly allowed: true; readonly tatMs: number; readonly remaining: number }
  | { readonly allowed: false; readonly tatMs: number; readonly retryAfterMs: number }

/**
 * Spends `cost` cells of a quota whose theoretical arrival time is `tatMs` (0 when never used). `retryAfterMs` is
 * exact: the same spend is refused one millisecond earlier and allowed then. A cost above the burst can never pass and
 * is answered with an infinite `retryAfterMs`.
 */
export function spend(quota: Quota, tatMs: number, cost: number, nowMs: number): Spend {
  const toleranceMs = quota.intervalMs * quota.burst
  if (cost > quota.burst) return { allowed: false, tatMs, retryAfterMs: Number.POSITIVE_INFINITY }
  const nextMs = Math.max(tatMs, nowMs) + quota.intervalMs * cost
  if (nextMs - nowMs > toleranceMs) {
    return { allowed: false, tatMs, retryAfterMs: Math.ceil(nextMs - toleranceMs - nowMs) }
  }
  return { allowed: true, tatMs: nextMs, remaining: Math.floor((toleranceMs - (nextMs - nowMs)) / quota.intervalMs) }
}
