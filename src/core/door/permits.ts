/**
 * Which of a door's permits a visitor may use. Permits are granted for lanes. Permits that one lane does not need for
 * its ready visitors serve the others.
 */

import { own } from '../own.ts'
import { type LaneAccount, outstandingIn } from '../permits/bank.ts'
import type { Claim } from '../protocol/messages.ts'
import { MAIN_LANE } from '../ticket.ts'
import { laneAt } from './ready.ts'
import { isOlder } from './ready-visitors.ts'
import type { DoorState } from './state.ts'
import { usable } from './state.ts'

/** A called visitor asks about every two seconds. No permit is kept for a visitor who has not asked for this long. */
const READY_FOR_MS = 3_000

/**
 * True if the visitor may take a permit: its lane must have more usable permits than ready visitors who are older. A
 * lane may use its own permits, and the permits that other lanes do not need for their ready visitors.
 */
export function isEntitled(door: DoorState, request: Claim, nowMs: number): boolean {
  if (door.ready.size < usable(door)) return true
  const lane = laneAt(door, request)
  const permits = door.lanes ? outstandingIn(door, lane) + spareBeside(door, lane, nowMs) : usable(door)
  if (permits < 1) return false
  // This first test is nearly always enough: a permit remains even if every older visitor takes one.
  if (door.ready.olderThan(request) < permits) return true
  let older = 0
  for (const visitor of door.ready) {
    if (!isOlder(visitor, request)) break
    if (nowMs - visitor.seenMs > READY_FOR_MS) continue
    if (door.lanes && laneAt(door, visitor) !== lane) continue
    if (++older >= permits) return false
  }
  return true
}

/** Returns how many permits the other lanes hold beyond what their ready visitors need. */
function spareBeside(door: DoorState, lane: string, nowMs: number): number {
  const waiting = new Map<string, number>()
  for (const visitor of door.ready) {
    if (nowMs - visitor.seenMs > READY_FOR_MS) continue
    const served = laneAt(door, visitor)
    waiting.set(served, (waiting.get(served) ?? 0) + 1)
  }
  let spare = 0
  for (const other of [MAIN_LANE, ...Object.keys(door.lanes ?? {})]) {
    if (other !== lane) spare += Math.max(0, outstandingIn(door, other) - (waiting.get(other) ?? 0))
  }
  return spare
}

/** Spends a permit of the visitor's lane. If that lane has none, it spends one of the lane with the most permits. */
export function spendPermit(door: DoorState, request: Claim): void {
  const visitorsLane = laneAt(door, request)
  if (door.lanes) {
    let lane = visitorsLane
    if (outstandingIn(door, lane) < 1) {
      for (const other of [MAIN_LANE, ...Object.keys(door.lanes)]) {
        if (outstandingIn(door, other) > outstandingIn(door, lane)) lane = other
      }
    }
    const account = own(door.lanes, lane)
    if (account) account.gone++
  }
  door.spent++
  if (visitorsLane !== MAIN_LANE) door.tally.add(`admitted/${visitorsLane}`)
}

/** Returns all usable permits to the room. */
export function returnPermits(door: DoorState): void {
  door.returned += usable(door)
  for (const lane in door.lanes) {
    const account = door.lanes[lane]
    if (account) account.gone = account.granted
  }
}

/** Returns how many permits of each lane were spent or returned. */
export function goneIn(lanes: Record<string, LaneAccount>): Record<string, number> {
  return Object.fromEntries(Object.entries(lanes).map(([lane, { gone }]) => [lane, gone]))
}
