/**
 * The ready visitors of a door: called, and refused because there was no permit. This file decides which of them the
 * door remembers, and what it reports of them.
 */

import { laneOf } from '../line/line.ts'
import { own } from '../own.ts'
import type { Claim, Demand } from '../protocol/messages.ts'
import type { DoorState } from './state.ts'

/** A visitor who has not asked for this long counts as gone. The time allows for one late poll. */
const LEFT_AFTER_MS = 5_000
/** The most ready visitors that are remembered. Further visitors are refused as usual, but not reported. */
const READY_MAX = 20_000
/** The time constant over which claims per second are smoothed. */
const DEMAND_OVER_MS = 2_000

/** Returns the lane in which a visitor stands, as far as this door knows. */
export function laneAt({ snapshot }: DoorState, place: { readonly lane: string; readonly key: number }): string {
  return snapshot ? laneOf(snapshot.lanes, place) : place.lane
}

/** True if the ticket was called from a line. An open room has no line, so nothing is called from it. */
export function isCalled({ snapshot }: DoorState, place: { readonly lane: string; readonly key: number }): boolean {
  if (!snapshot || snapshot.open) return false
  return place.key <= (own(snapshot.lanes, laneOf(snapshot.lanes, place))?.frontierKey ?? Number.NEGATIVE_INFINITY)
}

/** Notes that a refused visitor is ready, or is still ready. */
export function noteReady(door: DoorState, request: Claim, nowMs: number): void {
  const visitor = door.ready.get(request.sid)
  if (visitor) visitor.seenMs = nowMs
  else if (door.ready.size < READY_MAX) {
    door.ready.add({ sid: request.sid, key: request.key, lane: request.lane, seenMs: nowMs })
  }
}

/**
 * Removes visitors who have not asked again. After the room has closed it also removes newcomers who were refused while
 * it was open: they are in line now.
 */
export function pruneReady(door: DoorState, nowMs: number): void {
  const closed = door.snapshot !== null && !door.snapshot.open
  door.ready.prune(visitor => nowMs - visitor.seenMs > LEFT_AFTER_MS || (closed && !isCalled(door, visitor)))
}

export function demandOf(door: DoorState, nowMs: number): Demand[] {
  const lanes = new Map<string, { ready: number; oldestKey: number }>()
  for (const visitor of door.ready) {
    const { key } = visitor
    const lane = laneAt(door, visitor)
    const demand = lanes.get(lane) ?? { ready: 0, oldestKey: Number.POSITIVE_INFINITY }
    demand.ready++
    demand.oldestKey = Math.min(demand.oldestKey, key)
    lanes.set(lane, demand)
  }
  const perSecond = decayedClaims(door, nowMs)
  return [...lanes].map(([lane, demand]) => ({ lane, ...demand, perSecond }))
}

export function countClaim(door: DoorState, nowMs: number): void {
  door.claimsPerSecond = decayedClaims(door, nowMs) + 1_000 / DEMAND_OVER_MS
  door.claimedAtMs = Math.max(door.claimedAtMs, nowMs)
}

function decayedClaims(door: DoorState, nowMs: number): number {
  return door.claimsPerSecond * Math.exp(-Math.max(0, nowMs - door.claimedAtMs) / DEMAND_OVER_MS)
}
