/**
 * The edge's half of the protocol: the last view of the room, and what this isolate has counted since.
 *
 * A decision about somebody who is not inside needs a view at most a second old; a session with a lease needs none.
 */

import { forgetOldSamples } from '../health/samples.ts'
import { Tally } from '../tally.ts'
import type { EdgeReply, EdgeReport, View } from './messages.ts'

/** A view may decide about a newcomer for this long. */
export const VIEW_FOR_MS = 1_000
/** An active isolate renews its view in the background once it is this old, so that nobody waits for it. */
export const RENEW_AFTER_MS = 800
/** Without a word from the room for this long, `on_room_failure` applies. */
const FAILED_AFTER_MS = 60_000

export interface EdgeState<Settings> {
  readonly isolate: string
  readonly tally: Tally
  view: View | null
  settings: Settings | null
  version: string
  /** When the report was sent that brought the view. */
  viewAtMs: number
  /** Since when the room cannot be reached, directly or from the door; null when all is well. */
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
 * Takes a door's reply to the report sent at `sentMs`. Of two replies the one with the later view counts. Answers the settings that have come into
 * force by it, if any.
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

/** Notes that a report had no answer. */
export function noAnswer(edge: EdgeState<unknown>, nowMs: number): void {
  edge.failingSinceMs ??= nowMs
}

/** True when the room has been out of reach for so long that `on_room_failure` applies. */
export function hasFailed(edge: EdgeState<unknown>, nowMs: number): boolean {
  return edge.failingSinceMs !== null && nowMs - edge.failingSinceMs > FAILED_AFTER_MS
}

export function isCurrent(edge: EdgeState<unknown>, nowMs: number): boolean {
  return edge.view !== null && nowMs - edge.viewAtMs <= VIEW_FOR_MS && nowMs >= edge.viewAtMs
}

export function wantsRenewal(edge: EdgeState<unknown>, nowMs: number): boolean {
  return nowMs - edge.viewAtMs >= RENEW_AFTER_MS || nowMs < edge.viewAtMs
}
