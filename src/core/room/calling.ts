/** Calls the lines of a room: each lane for the permits that it can expect, or all at once while the room is open. */

import { callableKey } from '../events/events.ts'
import { openKey, settledKey } from '../line/batches.ts'
import { comingIn, showRate, supplyOf } from '../line/frontier.ts'
import { callEverybody, callNext, closeAt, waiting } from '../line/line.ts'
import { leaveOut } from '../line/speed.ts'
import { divide, shareOf } from '../permits/lanes.ts'
import type { Demand } from '../protocol/messages.ts'
import { available, left, readyCount, readyIn, sums } from './grants.ts'
import { count, lineOf, NO_LANES, type RoomRules, type RoomState } from './state.ts'

/** A room opens after its lines were empty for this long. By then refused newcomers have had the time to be counted. */
const OPENS_AFTER_MS = 4_000

/** Returns how many people have a counted place, over all lanes. */
export function waitingTotal(room: RoomState): number {
  let people = 0
  for (const line of room.lines.values()) people += waiting(line)
  return people
}

export function callAll(room: RoomState, rules: RoomRules, nowMs: number): void {
  const key = openKey(room.draws, nowMs)
  for (const line of room.lines.values()) callEverybody(line, key, rules.claimWindowMs, nowMs)
}

export function callLines(room: RoomState, rules: RoomRules, nowMs: number): void {
  if (rules.ratePerMinute <= 0) {
    for (const { state } of room.lines.values()) leaveOut(state.speed, nowMs)
    return room.shown.clear()
  }
  const { live, outstanding } = sums(room)
  const permits = outstanding + available(room, rules)
  // Permits in reach are already part of the budget, so only the rest of the budget is still to come.
  const stock = (left(room) ?? Number.POSITIVE_INFINITY) - permits
  const freeCapacity = Math.max(0, Math.min(rules.totalActiveUsers - live - outstanding, stock))
  const whole = {
    ready: 0,
    permits,
    freeCapacity,
    permitsPerSecond: rules.ratePerMinute / 60,
    departuresPerSecond: room.departuresPerSecond,
    shown: 0,
  }
  const parts = room.lines.size > 1 ? expectations(room, rules, supplyOf(whole), nowMs) : null
  let called = 0
  for (const [lane, line] of room.lines) {
    const part = parts?.get(lane) ?? 1
    const load = {
      ready: readyIn(room, rules, lane, nowMs),
      permits: whole.permits * part,
      freeCapacity: whole.freeCapacity * part,
      permitsPerSecond: whole.permitsPerSecond * part,
      departuresPerSecond: whole.departuresPerSecond * part,
      shown: room.shown.get(lane) ?? 0,
      settledKey: callableKey(room.events, settledKey(room.draws, nowMs)),
    }
    called += callNext(line, load, rules.claimWindowMs, nowMs)
  }
  count(room, 'called', called)
  room.shown.clear()
}

/** Closes each line at its oldest refused visitor: that visitor and all later ones are in line. */
export function putInLine(room: RoomState, refused: readonly Demand[]): void {
  for (const { lane, oldestKey } of refused) {
    const line = room.lines.get(lineOf(room, lane, oldestKey))
    if (line) closeAt(line, oldestKey)
  }
}

export function openWhenEmpty(room: RoomState, rules: RoomRules, nowMs: number): void {
  // Before a start the line is held. Just after it, some of the people who waited are not counted yet.
  const empty =
    room.events.hold === null && readyCount(room, nowMs) === 0 && waitingTotal(room) < 1 && available(room, rules) >= 1
  room.emptySinceMs = empty ? (room.emptySinceMs ?? nowMs) : null
  // If refused newcomers do not wait, only called visitors of an earlier line may still be on their way.
  const opensAfterMs = rules.rejects && comingTotal(room) < 1 ? 0 : OPENS_AFTER_MS
  if (room.emptySinceMs === null || nowMs - room.emptySinceMs < opensAfterMs) return
  room.open = true
  room.emptySinceMs = null
  callAll(room, rules, nowMs)
}

/** Returns the share of all future permits that each lane can expect, by its share and its people. */
function expectations(room: RoomState, rules: RoomRules, supply: number, nowMs: number): ReadonlyMap<string, number> {
  const lanes = rules.lanes ?? NO_LANES
  const wanted = new Map<string, number>()
  for (const [lane, line] of room.lines) {
    const { control } = line.state
    const people = comingIn(control, readyIn(room, rules, lane, nowMs)) + waiting(line) * showRate(control)
    wanted.set(lane, people)
  }
  const parts = divide(supply, lanes, wanted)
  let left = supply
  for (const part of parts.values()) left -= part
  // Permits that no lane wants yet are kept for the next newcomers, in any lane.
  const partOf = (lane: string) => ((parts.get(lane) ?? 0) + left * shareOf(lanes, lane)) / supply
  return new Map([...room.lines.keys()].map(lane => [lane, supply > 0 ? partOf(lane) : 0]))
}

/** Returns how many called people are still expected to come in. */
function comingTotal(room: RoomState): number {
  let people = 0
  for (const line of room.lines.values()) people += comingIn(line.state.control, 0)
  return people
}
