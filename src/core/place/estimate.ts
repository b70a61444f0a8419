/**
 * What a waiting visitor is told: a position that never rises, a wait as a range, and when to ask again.
 *
 * The wait is people ahead over the measured speed of the frontier in tickets, so no-shows are already in it.
 */

const POLL_MIN_MS = 2_000
const POLL_MAX_MS = 60_000
/** The front of the line polls this often even while nothing moves, so that a released room fills at once. */
const FRONT_POLL_MAX_MS = 4_000
const FRONT_PEOPLE_MIN = 100
const FRONT_MS = 10_000
/** The very next hear of their call at once, also in a line that stands still. */
const NEXT_PEOPLE = 10
/** Polls spread by this share to both sides, so that a crowd that came at once does not stay in step. */
const JITTER = 0.2
/** The range shown around an estimate: half of all waits end inside it. */
const RANGE = { low: 0.85, high: 1.2 }

/** Milliseconds, or unknown while the line does not move. */
export interface Wait {
  readonly likelyMs: number
  readonly lowMs: number
  readonly highMs: number
}

/** Expected wait behind `ahead` people at `speedPerSecond` tickets. */
export function waitOf(ahead: number, speedPerSecond: number): Wait | null {
  if (speedPerSecond <= 0) return null
  return waitRange((ahead / speedPerSecond) * 1_000)
}

export function waitRange(likelyMs: number): Wait {
  return { likelyMs, lowMs: likelyMs * RANGE.low, highMs: likelyMs * RANGE.high }
}

/**
 * Milliseconds until the next poll: a tenth of the expected wait within 2 to 60 s, at most 5 s at the front and 2 s for the next
 * few. `random` is uniform in [0, 1).
 */
export function pollAfterMs(ahead: number, speedPerSecond: number, ratePerSecond: number, random: number): number {
  const wait = waitOf(ahead, speedPerSecond)
  const calm = wait ? Math.min(POLL_MAX_MS, Math.max(POLL_MIN_MS, wait.likelyMs / 10)) : POLL_MAX_MS
  const front = Math.max(FRONT_PEOPLE_MIN, (ratePerSecond * FRONT_MS) / 1_000)
  const most = ahead < NEXT_PEOPLE ? POLL_MIN_MS : ahead <= front ? FRONT_POLL_MAX_MS : POLL_MAX_MS
  const base = Math.min(calm, most)
  return base * (1 - JITTER + 2 * JITTER * random)
}
