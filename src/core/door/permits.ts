/**
 * Which of a door's permits somebody may use. They are granted for lanes; what one lane has more of than visitors standing serves the
 * others.
 */

import { own } from '../own.ts'
import { type LaneAccount, outIn } from '../permits/bank.ts'
import type { Claim } from '../protocol/messages.ts'
import { MAIN_LANE } from '../ticket.ts'
import { isOlder } from './ready-counts.ts'
import type { DoorState } from './state.ts'
import { usable } from './state.ts'

/** A called visitor asks every two seconds, jitter and the way included: a permit is not kept for longer. */
const STANDING_FOR_MS = 3_000

/**
 * Usable permits are for those of their lane who have stood by longest: there must be more of them than older visitors standing.
 * Beside its own a lane has what others have more of than visitors.
 */
export function isEntitled(door: DoorState, request: Claim, nowMs: number): boolean {
  if (door.standing.size < usable(door)) return true
  const lane = servedAs(door, request.lane)
  const permits = door.lanes ? outIn(door, lane) + spareBeside(door, lane, nowMs) : usable(door)
  if (permits < 1) return false
  // Nearly always enough: not even all who are older need one each.
  if (door.standing.olderThan(request) < permits) return true
  let older = 0
  for (const standing of door.standing) {
    if (!isOlder(standing, request)) break
    if (nowMs - standing.seenMs > STANDING_FOR_MS) continue
    if (door.lanes && servedAs(door, standing.lane) !== lane) continue
    if (++older >= permits) return false
  }
  return true
}

/** The lane whose permits somebody may use: who stands in a lane that was taken away uses those of the main one. */
function servedAs({ view }: DoorState, lane: string): string {
  return own(view?.lanes, lane)?.merged ? MAIN_LANE : lane
}

/** Permits of other lanes for which nobody stands there. */
function spareBeside(door: DoorState, lane: string, nowMs: number): number {
  const waiting = new Map<string, number>()
  for (const standing of door.standing) {
    if (nowMs - standing.seenMs > STANDING_FOR_MS) continue
    const served = servedAs(door, standing.lane)
    waiting.set(served, (waiting.get(served) ?? 0) + 1)
  }
  let spare = 0
  for (const other of [MAIN_LANE, ...Object.keys(door.lanes ?? {})]) {
    if (other !== lane) spare += Math.max(0, outIn(door, other) - (waiting.get(other) ?? 0))
  }
  return spare
}

/** Spends a permit of the visitor's lane, or of the one that has most. */
export function spend(door: DoorState, visitorsLane: string): void {
  if (door.lanes) {
    let lane = servedAs(door, visitorsLane)
    if (outIn(door, lane) < 1) {
      for (const other of [MAIN_LANE, ...Object.keys(door.lanes)]) {
        if (outIn(door, other) > outIn(door, lane)) lane = other
      }
    }
    const account = own(door.lanes, lane)
    if (account) account.gone++
  }
  door.spent++
  if (visitorsLane !== MAIN_LANE) door.tally.add(`admitted/${visitorsLane}`)
}

/** All that are in hand go back to the room. */
export function giveBack(door: DoorState): void {
  door.returned += usable(door)
  for (const lane in door.lanes) {
    const account = door.lanes[lane]
    if (account) account.gone = account.granted
  }
}

/** What of each lane's is spent or returned. */
export function goneIn(lanes: Record<string, LaneAccount>): Record<string, number> {
  return Object.fromEntries(Object.entries(lanes).map(([lane, { gone }]) => [lane, gone]))
}
