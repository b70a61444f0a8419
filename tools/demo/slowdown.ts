/**
 * How much slower the shop works than it could: the reason why overrunning it makes it do less, not just later.
 *
 * Up to the knee a queue costs nothing. Beyond it service times grow with the square of the queue (locks, caches and
 * connections that everybody fights for), so throughput falls while demand rises. What has become slow stays slow until the
 * queue has drained: a shop that has been overrun does not recover by a little less demand.
 */

export interface Slowdown {
  /** How many times longer everything takes; 1 is healthy. */
  readonly factor: number
  readonly atMs: number
}

/** Work queued for less than this costs nothing. */
const KNEE_SECONDS = 0.5
/** A fifth of the capacity is left at the worst: collapsed, yet a small trickle can still drain it. */
const FACTOR_MAX = 5
const RECOVERY_HALF_LIFE_MS = 2_000

export const HEALTHY: Slowdown = { factor: 1, atMs: 0 }

/** The slowdown now, from the one before. `queuedSeconds` is the queue in seconds of work at full capacity. */
export function slowedDown(before: Slowdown, queuedSeconds: number, nowMs: number): Slowdown {
  if (queuedSeconds > 0) {
    const beyond = 2 * Math.max(0, queuedSeconds - KNEE_SECONDS)
    return { factor: Math.max(before.factor, Math.min(FACTOR_MAX, 1 + beyond * beyond)), atMs: nowMs }
  }
  const left = 0.5 ** ((nowMs - before.atMs) / RECOVERY_HALF_LIFE_MS)
  return { factor: 1 + (before.factor - 1) * left, atMs: nowMs }
}
