/**
 * The places that went to another browser lately. Snapshots name them, so that the first browser learns of it with its
 * next poll, without a call to any object. When a place is no longer named, its door still refuses the old ticket.
 */

/** A page polls at least every five minutes. A tab in the background may be a little later. */
const NAMED_FOR_MS = 15 * 60_000
/** The most places in a snapshot: the newest ones, 10 KB. Every edge gets them each second. */
const NAMED_MAX = 500

interface Named {
  readonly transfers: number
  readonly atMs: number
}

/** By the short name of the place. The oldest is first. */
export type Transferred = Record<string, Named>

/** Notes the nth transfer of a place. A late report changes nothing. */
export function noteTransfer(transferred: Transferred, id: string, transfers: number, nowMs: number): void {
  if (!Number.isSafeInteger(transfers) || transfers < 1) return
  const named = { transfers: Math.max(transfers, transferred[id]?.transfers ?? 0), atMs: nowMs }
  delete transferred[id]
  transferred[id] = named
  const ids = Object.keys(transferred)
  for (const old of ids.slice(0, Math.max(0, ids.length - NAMED_MAX))) delete transferred[old]
}

/** Returns the part of a snapshot about transfers. It is empty if no place was transferred lately. */
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
