/**
 * The edge's half of the protocol: the room's last snapshot, and what this isolate has counted since.
 *
 * A decision about a visitor who is not inside needs a snapshot that is at most one second old. A session with a lease
 * needs no snapshot.
 */

import { Tally } from '../tally.ts'
import { SNAPSHOT_FOR_MS } from '../timing.ts'
import { forgetOldSamples } from './health-cells.ts'
import type { EdgeReply, EdgeReport, Snapshot } from './messages.ts'

/** An active isolate gets a new snapshot in the background at this age, so that no request waits for it. */
const NEW_SNAPSHOT_AFTER_MS = 800
/** `on_room_failure` applies once the room has been out of reach for this long. */
const FAILED_AFTER_MS = 60_000

export interface EdgeState<Settings> {
  readonly isolate: string
  readonly tally: Tally
  snapshot: Snapshot | null
  settings: Settings | null
  version: string
  /** When the report that brought the snapshot was sent. */
  snapshotAtMs: number
  /**
   * Since when the room is out of reach, because the door does not answer or cannot reach the room. Null while all is
   * well.
   */
  failingSinceMs: number | null
}

export function newEdge<Settings>(isolate: string): EdgeState<Settings> {
  return {
    isolate,
    tally: new Tally(),
    snapshot: null,
    settings: null,
    version: '',
    snapshotAtMs: Number.NEGATIVE_INFINITY,
    failingSinceMs: null,
  }
}

export function edgeReport(edge: EdgeState<unknown>, nowMs: number): EdgeReport {
  forgetOldSamples(edge.tally, nowMs)
  return { isolate: edge.isolate, version: edge.version, ...edge.tally.report() }
}

/**
 * Applies a door's reply to the report sent at `sentMs`. A reply whose snapshot is older than the present one changes
 * neither snapshot nor settings. Returns the settings that came into force, if any.
 */
export function applyEdgeReply<Settings>(
  edge: EdgeState<Settings>,
  reply: EdgeReply<Settings>,
  sentMs: number,
): Settings | undefined {
  edge.tally.acknowledge(reply.seq)
  edge.failingSinceMs = reply.silentMs > 0 ? sentMs - reply.silentMs : null
  if (edge.snapshot && reply.snapshot.asOfMs < edge.snapshot.asOfMs) return undefined
  edge.snapshot = reply.snapshot
  edge.snapshotAtMs = Math.max(edge.snapshotAtMs, sentMs)
  if (reply.settings !== undefined) edge.settings = reply.settings
  if (reply.settings !== undefined || edge.settings !== null) edge.version = reply.version
  return reply.settings
}

/** Notes that a report was not answered. */
export function noAnswer(edge: EdgeState<unknown>, nowMs: number): void {
  edge.failingSinceMs ??= nowMs
}

/** True if the room has been out of reach for so long that `on_room_failure` applies. */
export function hasFailed(edge: EdgeState<unknown>, nowMs: number): boolean {
  return edge.failingSinceMs !== null && nowMs - edge.failingSinceMs > FAILED_AFTER_MS
}

export function isCurrent(edge: EdgeState<unknown>, nowMs: number): boolean {
  return edge.snapshot !== null && nowMs - edge.snapshotAtMs <= SNAPSHOT_FOR_MS && nowMs >= edge.snapshotAtMs
}

export function wantsNewSnapshot(edge: EdgeState<unknown>, nowMs: number): boolean {
  return nowMs - edge.snapshotAtMs >= NEW_SNAPSHOT_AFTER_MS || nowMs < edge.snapshotAtMs
}
