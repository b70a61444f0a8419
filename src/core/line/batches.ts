/**
 * The batches of a random line. Arrivals of one window are drawn together, and none of them has a place before the
 * window ends.
 *
 * The keys of a batch lie between its start and its end. So batches follow one another as arrivals do, and a line can
 * change its method while every ticket stays valid. The frontier never enters a batch before all its counts have
 * arrived: no ticket of that batch is called earlier, whatever its key.
 */
import type { Batch } from '../ticket.ts'
import { IN_FORCE_WITHIN_MS } from '../timing.ts'

/**
 * A place is shown or called this long after its arrival or its draw. By then the room has the counts of every edge:
 * the time allows for a first poll, and one second for each tier.
 */
export const SETTLED_AFTER_MS = 5_000

/** How newcomers are drawn. Every edge must use the same values. */
export interface Batches {
  /** When drawing began. No batch begins earlier: its keys could lie ahead of people who already wait. */
  readonly fromMs: number
  readonly windowMs: number
}

/** A room's draws, as plain data that can be stored. */
export interface BatchState {
  batches: Batches | null
  /** A batch that a change of the settings cut short. It is kept until its counts have arrived. */
  cut: { readonly fromKey: number; readonly untilMs: number } | null
  /** Keys up to this one may have been given out. */
  untilKey: number
}

/** The smallest difference between two keys: keys have three decimals. */
export const KEY_STEP = 0.001

/** Returns the batch of an arrival. Windows are aligned to the clock, and the first one may be shorter. */
export function batchAt({ fromMs, windowMs }: Batches, atMs: number): Batch {
  const startMs = Math.floor(Math.max(atMs, fromMs) / windowMs) * windowMs
  return { fromKey: Math.max(startMs, fromMs), untilMs: startMs + windowMs }
}

/** Returns the key for `draw`, a number that is uniform in [0, 1). */
export function keyIn({ fromKey, untilMs }: Batch, draw: number): number {
  return fromKey + Math.floor((untilMs - fromKey) * draw * 1_000) / 1_000
}

export function newBatchState(): BatchState {
  return { batches: null, cut: null, untilKey: 0 }
}

/**
 * Applies the settings; `windowMs` is null where places are given by arrival. A change ends the current batch. Drawing
 * then begins now at the earliest, and behind every key that was called.
 */
export function followShuffling(draws: BatchState, windowMs: number | null, frontierKey: number, nowMs: number): void {
  const { batches } = draws
  if (draws.cut && nowMs >= draws.cut.untilMs) draws.cut = null
  if (windowMs !== (batches?.windowMs ?? null)) {
    if (batches) {
      const { fromKey } = batchAt(batches, nowMs - SETTLED_AFTER_MS)
      draws.cut = {
        fromKey: Math.min(fromKey, draws.cut?.fromKey ?? fromKey),
        untilMs: nowMs + IN_FORCE_WITHIN_MS + SETTLED_AFTER_MS,
      }
    }
    draws.batches = windowMs === null ? null : { fromMs: Math.max(nowMs, Math.floor(frontierKey) + 1), windowMs }
  }
  if (draws.batches) draws.untilKey = Math.max(draws.untilKey, batchAt(draws.batches, nowMs).untilMs)
}

/** Returns the last key for which the room has the counts of every edge. Places up to it can be shown and called. */
export function settledKey({ batches, cut }: BatchState, nowMs: number): number {
  const atMs = nowMs - SETTLED_AFTER_MS
  const key = batches && atMs >= batches.fromMs ? batchAt(batches, atMs).fromKey - KEY_STEP : atMs
  return cut ? Math.min(key, cut.fromKey - KEY_STEP) : key
}

/** Returns the last key that counts as called while the room is open. */
export function openKey({ batches, cut }: BatchState, nowMs: number): number {
  const key = batches ? batchAt(batches, nowMs).fromKey - KEY_STEP : nowMs
  return cut ? Math.min(key, cut.fromKey - KEY_STEP) : key
}
