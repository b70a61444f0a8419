/**
 * How much slower the shop works than it could. An overloaded shop does not only answer later: it also does less work.
 *
 * Up to the knee a queue costs nothing. Beyond it service times grow with the square of the queue, because requests
 * compete for locks, caches and connections. So throughput falls while demand rises. A slow shop stays slow until its
 * queue has drained: a little less demand does not help it recover.
 */

export interface Slowdown {
  /** How many times longer everything takes; 1 is healthy. */
  readonly factor: number
  readonly atMs: number
}

/** A queue of less work than this costs nothing. */
const KNEE_SECONDS = 0.5
/** At the worst a fifth of the capacity is left: the shop has collapsed, but a small trickle can still drain it. */
const FACTOR_MAX = 5
const RECOVERY_HALF_LIFE_MS = 2_000

export const HEALTHY: Slowdown = { factor: 1, atMs: 0 }

/** Returns the present slowdown. `queuedSeconds`: how long the work in the queue would take at full capacity. */
export function slowedDown(before: Slowdown, queuedSeconds: number, nowMs: number): Slowdown {
  if (queuedSeconds > 0) {
    const beyond = 2 * Math.max(0, queuedSeconds - KNEE_SECONDS)
    return { factor: Math.max(before.factor, Math.min(FACTOR_MAX, 1 + beyond * beyond)), atMs: nowMs }
  }
  const left = 0.5 ** ((nowMs - before.atMs) / RECOVERY_HALF_LIFE_MS)
  return { factor: 1 + (before.factor - 1) * left, atMs: nowMs }
}
