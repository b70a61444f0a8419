/**
 * Whether everybody who asked an upstream lately got a failure and nothing else. Where few ask, as for a payment, that leaves no doubt
 * long before there are enough samples to be graded.
 *
 * It goes by sessions and not by failures: one visitor who tries again and again says no more than once, whichever isolates
 * hear it.
 */
import { type HeardCell, upperMs } from './samples.ts'

/** Plain data, so that it can be stored. */
export interface Streak {
  /** When an answer last arrived, however slow. What was sent before then may have failed for a reason that is gone. */
  answeredMs: number
  /** Of each session that was failed, by its lot: when it sent that request, and when that was heard. */
  failed: Record<number, { readonly sentMs: number; readonly heardMs: number }>
}

/** So many sessions in a row leave no doubt. */
const DEAD_SESSIONS = 5
/** They asked over so long: what goes wrong at one moment may be over at the next. */
const DEAD_OVER_MS = 2_000
/** No session has one of these. */
const PROBE_LOTS = [1_000, 1_001]
/** More need not be remembered. */
const REMEMBERED_MAX = 100
/** Where hardly anybody asks, what failed so long ago may have been something else. */
const FAILED_WITHIN_MS = 120_000

export function newStreak(): Streak {
  return { answeredMs: 0, failed: {} }
}

/** Takes in a cell of the upstream. */
export function follow(streak: Streak, { mark, bucket, sentByMs }: HeardCell, nowMs: number): void {
  switch (mark) {
    case 'complaint':
      note(streak, bucket, sentByMs, nowMs)
      return
    case 'satisfied':
    case 'tolerating':
    case 'answered':
    case 'came-late':
      streak.answeredMs = Math.max(streak.answeredMs, Math.min(nowMs, sentByMs + upperMs(bucket)))
  }
}

/** A probe that fails is believed: it says as much as two sessions, whom nobody takes for one. */
export function probeFailed(streak: Streak, nowMs: number): void {
  for (const lot of PROBE_LOTS) note(streak, lot, nowMs, nowMs)
}

function note(streak: Streak, lot: number, sentMs: number, nowMs: number): void {
  const known = streak.failed[lot]
  if (!known && sessionsIn(streak) >= REMEMBERED_MAX) return
  // The clocks of edges may run ahead, and a timeout is heard later than what failed at once.
  streak.failed[lot] = { sentMs: Math.max(known?.sentMs ?? 0, Math.min(nowMs, sentMs)), heardMs: nowMs }
}

export function isDead(streak: Streak, nowMs: number): boolean {
  forgetBefore(streak, nowMs - FAILED_WITHIN_MS, streak.answeredMs)
  const sent = Object.values(streak.failed).map(({ sentMs }) => sentMs)
  return sent.length >= DEAD_SESSIONS && Math.max(...sent) - Math.min(...sent) >= DEAD_OVER_MS
}

/** Sessions that have complained, whatever was answered since. */
export function sessionsIn({ failed }: Streak): number {
  return Object.keys(failed).length
}

/** Lets go of failures that were heard before then, or of requests that were sent no later than `sentMs`. */
export function forgetBefore({ failed }: Streak, heardMs: number, sentMs = Number.NEGATIVE_INFINITY): void {
  for (const [lot, last] of Object.entries(failed))
    if (last.heardMs < heardMs || last.sentMs <= sentMs) delete failed[Number(lot)]
}
