/**
 * The batches of a random line: arrivals of one window are drawn together, and none of them has a place before it has ended.
 *
 * The keys of a batch lie between its start and its end, so that batches follow one another like arrivals do, and a line
 * can change its method with every ticket in hand still good. Nothing here lets the frontier into a batch whose counts are not in:
 * a ticket of it is never called, whatever its key.
 */
import type { Batch } from '../ticket.ts'

/** A place is shown, or called, once the room has the counts of its moment from every edge: a first poll, and a second for each tier. */
export const SETTLED_AFTER_MS = 5_000

/** How newcomers are drawn, as every edge must know it. */
export interface Batches {
  /** When drawing began: no batch begins earlier, or its keys would lie before people who wait already. */
  readonly fromMs: number
  readonly windowMs: number
}

/** What a room remembers of its draws. Plain data, so that it can be stored. */
export interface Draws {
  batches: Batches | null
  /** A batch that was cut short by a change of the settings, until its counts are in. */
  cut: { readonly fromKey: number; readonly untilMs: number } | null
  /** Keys up to here have been given out. */
  untilKey: number
}

/** A change is in force at every edge within this. */
const HEARD_WITHIN_MS = 2_000
/** Keys have three decimals. */
export const KEY_STEP = 0.001

/** The batch of an arrival: windows are aligned to the clock, and the first may be shorter. */
export function batchAt({ fromMs, windowMs }: Batches, atMs: number): Batch {
  const startMs = Math.floor(Math.max(atMs, fromMs) / windowMs) * windowMs
  return { fromKey: Math.max(startMs, fromMs), untilMs: startMs + windowMs }
}

/** The key of a draw that is uniform in [0, 1). */
export function keyIn({ fromKey, untilMs }: Batch, draw: number): number {
  return fromKey + Math.floor((untilMs - fromKey) * draw * 1_000) / 1_000
}

export function newDraws(): Draws {
  return { batches: null, cut: null, untilKey: 0 }
}

/**
 * Takes over what the settings say; `windowMs` is null where places are given by arrival. A change ends the batch of the moment,
 * and drawing begins behind everybody who was called: nobody is drawn before those who wait.
 */
export function follow(draws: Draws, windowMs: number | null, frontierKey: number, nowMs: number): void {
  const { batches } = draws
  if (draws.cut && nowMs >= draws.cut.untilMs) draws.cut = null
  if (windowMs !== (batches?.windowMs ?? null)) {
    if (batches) {
      const { fromKey } = batchAt(batches, nowMs - SETTLED_AFTER_MS)
      draws.cut = {
        fromKey: Math.min(fromKey, draws.cut?.fromKey ?? fromKey),
        untilMs: nowMs + HEARD_WITHIN_MS + SETTLED_AFTER_MS,
      }
    }
    draws.batches = windowMs === null ? null : { fromMs: Math.max(nowMs, Math.floor(frontierKey) + 1), windowMs }
  }
  if (draws.batches) draws.untilKey = Math.max(draws.untilKey, batchAt(draws.batches, nowMs).untilMs)
}

/** Up to here the room has the counts of every edge, so that places can be shown and called. */
export function settledKey({ batches, cut }: Draws, nowMs: number): number {
  const atMs = nowMs - SETTLED_AFTER_MS
  const key = batches && atMs >= batches.fromMs ? batchAt(batches, atMs).fromKey - KEY_STEP : atMs
  return cut ? Math.min(key, cut.fromKey - KEY_STEP) : key
}

/** Up to here everybody has come in while the room is open. */
export function openKey({ batches, cut }: Draws, nowMs: number): number {
  const key = batches ? batchAt(batches, nowMs).fromKey - KEY_STEP : nowMs
  return cut ? Math.min(key, cut.fromKey - KEY_STEP) : key
}
