/**
 * Detects an upstream that has lately failed every session that asked it. Where few sessions ask, as for a payment,
 * this is certain long before there are enough samples for a grade.
 *
 * It counts sessions, not failures: a visitor who tries again and again counts once, at whichever isolates.
 */
import { type HeardCell, upperMs } from './samples.ts'

/** Plain data, so that it can be stored. */
export interface Streak {
  /** When an answer last arrived, however slow. A request sent before may have failed for a reason that is gone. */
  answeredMs: number
  /** For each failed session, by its lot: when it sent its last failed request, and when the report of it came. */
  failed: Record<number, { readonly sentMs: number; readonly heardMs: number }>
}

/** This many failed sessions in a row prove an outage. */
const DEAD_SESSIONS = 5
/** Their requests must be spread over at least this time: a fault of one moment may be over at the next. */
const DEAD_OVER_MS = 2_000
/** Lots that no session has. */
const PROBE_LOTS = [1_000, 1_001]
/** At most this many failed sessions are remembered. */
const REMEMBERED_MAX = 100
/** Where few sessions ask, an older failure may have had another cause. */
const FAILED_WITHIN_MS = 120_000

export function newStreak(): Streak {
  return { answeredMs: 0, failed: {} }
}

/** Ingests a cell of the upstream. */
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

/** A failed probe is reliable, so it counts as two different sessions. */
export function probeFailed(streak: Streak, nowMs: number): void {
  for (const lot of PROBE_LOTS) note(streak, lot, nowMs, nowMs)
}

function note(streak: Streak, lot: number, sentMs: number, nowMs: number): void {
  const known = streak.failed[lot]
  if (!known && sessionsIn(streak) >= REMEMBERED_MAX) return
  // The clocks of edges may run ahead, and a timeout is reported later than an immediate failure.
  streak.failed[lot] = { sentMs: Math.max(known?.sentMs ?? 0, Math.min(nowMs, sentMs)), heardMs: nowMs }
}

export function isDead(streak: Streak, nowMs: number): boolean {
  forgetBefore(streak, nowMs - FAILED_WITHIN_MS, streak.answeredMs)
  const sent = Object.values(streak.failed).map(({ sentMs }) => sentMs)
  return sent.length >= DEAD_SESSIONS && Math.max(...sent) - Math.min(...sent) >= DEAD_OVER_MS
}

/** Returns the number of sessions with a remembered failure. */
export function sessionsIn({ failed }: Streak): number {
  return Object.keys(failed).length
}

/** Drops failures that were reported before `heardMs`, or whose request was sent at `sentMs` or before. */
export function forgetBefore({ failed }: Streak, heardMs: number, sentMs = Number.NEGATIVE_INFINITY): void {
  for (const [lot, last] of Object.entries(failed))
    if (last.heardMs < heardMs || last.sentMs <= sentMs) delete failed[Number(lot)]
}
