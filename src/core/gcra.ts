/**
 * The generic cell rate algorithm, after ITU-T I.371 and redis-cell. Its whole state is one theoretical arrival time a
 * key.
 *
 * In any window at most floor(windowMs / intervalMs) + burst cells pass. A clock that goes back makes the limit
 * stricter, never looser.
 */

/** One cell per `intervalMs`, and `burst` cells at once after a rest (redis-cell's `max_burst` + 1). */
export interface Quota {
  readonly intervalMs: number
  readonly burst: number
}

/**
 * Returns the quota of `count` cells a period. The interval is rounded up to a 1,024th of a millisecond. Then every sum
 * of intervals and times is exact in floating point, and rounding never lets a cell through early.
 */
export function quotaOf(count: number, periodMs: number, burst: number): Quota {
  return { intervalMs: Math.ceil((periodMs / count) * 1_024) / 1_024, burst }
}

/** The result of a spend, with the theoretical arrival time to keep. A refusal leaves that time unchanged. */
export type Spend =
  | { readonly allowed: true; readonly tatMs: number; readonly remaining: number }
  | { readonly allowed: false; readonly tatMs: number; readonly retryAfterMs: number }

/**
 * Spends `cost` cells of a quota whose theoretical arrival time is `tatMs` (0 if it was never used). `retryAfterMs` is
 * exact: the same spend is still refused one millisecond earlier. A cost above the burst can never pass; its
 * `retryAfterMs` is infinite.
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
