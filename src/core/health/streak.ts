/**
 * Whether everybody who asked an upstream lately got a failure and nothing else. Where few ask, as for a payment, that leaves no doubt
 * long before there are enough samples to be graded.
 *
 * It goes by sessions and not by failures: one visitor who tries again and again says no more than once, whichever isolates
 * hear it.
 */
import type { readCell } from './samples.ts'

/** Plain data, so that it can be stored. */
export interface Streak {
  /** When the last request was sent that got an answer, however slow. */
  answeredMs: number
  /** By the lot of a session, when it last sent one that failed. */
  failedMs: Record<number, number>
}

/** So many sessions in a row leave no doubt. */
const DEAD_SESSIONS = 4
/** Where hardly anybody asks, what failed so long ago may have been something else. */
const FAILED_WITHIN_MS = 60_000

export function newStreak(): Streak {
  return { answeredMs: 0, failedMs: {} }
}

/** Takes in a cell of the upstream. An answer clears who failed before it was asked for. */
export function follow(streak: Streak, { mark, bucket, sentByMs }: NonNullable<ReturnType<typeof readCell>>): void {
  const { failedMs } = streak
  if (mark === 'complaint') failedMs[bucket] = Math.max(failedMs[bucket] ?? 0, sentByMs)
  else if (mark === 'satisfied' || mark === 'tolerating' || mark === 'answered')
    streak.answeredMs = Math.max(streak.answeredMs, sentByMs)
}

/** Forgets failures that say nothing of now, and counts the sessions of the others. */
export function isDead({ answeredMs, failedMs }: Streak, nowMs: number): boolean {
  const sinceMs = Math.max(answeredMs, nowMs - FAILED_WITHIN_MS)
  for (const lot in failedMs) if ((failedMs[lot] ?? 0) <= sinceMs) delete failedMs[lot]
  return Object.keys(failedMs).length >= DEAD_SESSIONS
}
