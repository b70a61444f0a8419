/**
 * The edge's half of the protocol: the room's last view, and what this isolate has counted since.
 *
 * A decision about a visitor who is not inside needs a view that is at most one second old. A session with a lease
 * needs no view.
 */

import { forgetOldSamples } from '../health/samples.ts'
import { Tally } from '../tally.ts'
import { VIEW_FOR_MS } from '../timing.ts'
import type { EdgeReply, EdgeReport, View } from './messages.ts'

/** An active isolate renews its view in the background at this age, so that no request waits for it. */
export const RENEW_AFTER_MS = 800
/** `on_room_failure` applies once the room has been out of reach for this long. */
const FAILED_AFTER_MS = 60_000

export interface EdgeState<Settings> {
  readonly isolate: string
  readonly tally: Tally
  view: View | null
  settings: Settings | null
  version: string
  /** When the report that brought the view was sent. */
  viewAtMs: number
  /**
   * Since when the room is out of reach: the door does not answer, or cannot reach the room. Null while all is well.
   */
  failingSinceMs: number | null
}

export function newEdge<Settings>(isolate: string): EdgeState<Settings> {
  return {
    isolate,
    tally: new Tally(),
    view: null,
    settings: null,
    version: '',
    viewAtMs: Number.NEGATIVE_INFINITY,
    failingSinceMs: null,
  }
}

export function edgeReport(edge: EdgeState<unknown>, nowMs: number): EdgeReport {
  forgetOldSamples(edge.tally, nowMs)
  return { isolate: edge.isolate, version: edge.version, ...edge.tally.report() }
}

/**
 * Applies a door's reply to the report sent at `sentMs`. A reply whose view is older than the present one changes
 * neither view nor settings. Returns the settings that came into force, if any.
 */
export function applyEdgeReply<Settings>(
  edge: EdgeState<Settings>,
  reply: EdgeReply<Settings>,
  sentMs: number,
): Settings | undefined {
  edge.tally.acknowledge(reply.seq)
  edge.failingSinceMs = reply.silentMs > 0 ? sentMs - reply.silentMs : null
  if (edge.view && reply.view.asOfMs < edge.view.asOfMs) return undefined
  edge.view = reply.view
  edge.viewAtMs = Math.max(edge.viewAtMs, sentMs)
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
  return edge.view !== null && nowMs - edge.viewAtMs <= VIEW_FOR_MS && nowMs >= edge.viewAtMs
}

export function wantsRenewal(edge: EdgeState<unknown>, nowMs: number): boolean {
  return nowMs - edge.viewAtMs >= RENEW_AFTER_MS || nowMs < edge.viewAtMs
}
