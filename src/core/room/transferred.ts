/**
 * The places that went to another browser lately. Snapshots name them, so that the browser which had a place before
 * learns of it with its next poll, without a call to any object. A place that is not named any more is still refused by
 * its door.
 */

/** A page polls at least each five minutes, and a tab in the background a little later. */
const NAMED_FOR_MS = 15 * 60_000
/** The most places that a snapshot names, the newest ones: 10 KB. Every edge gets them each second. */
const NAMED_MAX = 500

interface Named {
  readonly transfers: number
  readonly atMs: number
}

/** By the short names of places, the oldest first. */
export type Transferred = Record<string, Named>

/** Notes that a place was transferred for the nth time. A late report changes nothing. */
export function noteTransfer(transferred: Transferred, id: string, transfers: number, nowMs: number): void {
  if (!Number.isSafeInteger(transfers) || transfers < 1) return
  const named = { transfers: Math.max(transfers, transferred[id]?.transfers ?? 0), atMs: nowMs }
  delete transferred[id]
  transferred[id] = named
  const ids = Object.keys(transferred)
  for (const old of ids.slice(0, Math.max(0, ids.length - NAMED_MAX))) delete transferred[old]
}

/** Returns the part of a snapshot about transfers: nothing when no place was transferred lately. */
export function transferredLately(
  transferred: Transferred,
  nowMs: number,
): { readonly transferred?: Readonly<Record<string, number>> } {
  for (const [id, { atMs }] of Object.entries(transferred)) {
    if (nowMs - atMs > NAMED_FOR_MS) delete transferred[id]
  }
  const named = Object.entries(transferred).map(([id, { transfers }]) => [id, transfers] as const)
  return named.length === 0 ? {} : { transferred: Object.fromEntries(named) }
}
