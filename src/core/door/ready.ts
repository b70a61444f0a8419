/** Called visitors who stand by at a door, refused for want of a permit: whom it remembers, and what it says of them. */

import { own } from '../own.ts'
import type { Claim, Demand } from '../protocol/messages.ts'
import type { DoorState } from './state.ts'

/** A poll may be late once; who has not asked for this long has left. */
const LEFT_AFTER_MS = 5_000
/** Standing visitors remembered. Beyond it the door still refuses, it only reports fewer. */
const STANDING_MAX = 20_000
/** Claims per second are smoothed over this. */
const DEMAND_OVER_MS = 2_000

/** Called from a line, which nobody is in an open room. */
export function isCalled({ view }: DoorState, { lane, key }: { lane: string; key: number }): boolean {
  if (!view || view.open) return false
  return key <= (own(view.lanes, lane)?.frontierKey ?? Number.NEGATIVE_INFINITY)
}

/** Refused: the visitor stands by, or still does. */
export function stand(door: DoorState, request: Claim, nowMs: number): void {
  const standing = door.standing.get(request.sid)
  if (standing) standing.seenMs = nowMs
  else if (door.standing.size < STANDING_MAX) {
    door.standing.add({ sid: request.sid, key: request.key, lane: request.lane, seenMs: nowMs })
  }
}

/** Forgets who has not asked again, and newcomers who were refused when the room closed: they are in line now. */
export function forgetWhoLeft(door: DoorState, nowMs: number): void {
  const closed = door.view !== null && !door.view.open
  door.standing.forget(standing => nowMs - standing.seenMs > LEFT_AFTER_MS || (closed && !isCalled(door, standing)))
}

export function demandOf(door: DoorState, nowMs: number): Demand[] {
  const lanes = new Map<string, { standing: number; oldestKey: number }>()
  for (const { lane, key } of door.standing) {
    const demand = lanes.get(lane) ?? { standing: 0, oldestKey: Number.POSITIVE_INFINITY }
    demand.standing++
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
