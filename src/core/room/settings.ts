/** Applies changes of a room's settings: the budget, lanes that come and go, the method, and the starts of events. */

import { callableKey, followEvents } from '../events/events.ts'
import { followShuffling, openKey } from '../line/batches.ts'
import { beginAnew, callEverybody, mergeInto, newLaneLine, newLine } from '../line/line.ts'
import { type LaneShare, servedIn } from '../permits/lanes.ts'
import { MAIN_LANE, SKEW_MS } from '../ticket.ts'
import { restock } from './grants.ts'
import { NO_LANES, type RoomRules, type RoomState } from './state.ts'

export function followSettings(room: RoomState, rules: RoomRules, nowMs: number): void {
  const remaining = rules.remaining ?? null
  if (remaining !== room.stock.set) restock(room, remaining)
  followLanes(room, rules.lanes ?? NO_LANES, nowMs)
  const frontierKey = Math.max(...[...room.lines.values()].map(line => line.state.frontierKey))
  followShuffling(room.draws, rules.shuffleMs ?? null, frontierKey, nowMs)
  const before = room.events.hold
  followEvents(
    room.events,
    rules.event ?? null,
    { untilKey: room.draws.untilKey, seenMs: room.tickedAtMs, frontierKey },
    nowMs,
  )
  const { hold } = room.events
  if (before?.phase !== hold?.phase) room.snapshot = null
  if (before && !hold) for (const line of room.lines.values()) beginAnew(line, nowMs)
  if (hold && room.open) closeForStart(room, rules, nowMs)
}

export function markDirty(room: RoomState, lane: string, chunk: number): void {
  const chunks = room.dirty.get(lane)
  if (chunks) chunks.add(chunk)
  else room.dirty.set(lane, new Set([chunk]))
}

/** Closes an open room for a start: visitors who came before the prequeue are called, and all later ones wait. */
function closeForStart(room: RoomState, rules: RoomRules, nowMs: number): void {
  const key = callableKey(room.events, openKey(room.draws, nowMs))
  for (const line of room.lines.values()) callEverybody(line, key, rules.claimWindowMs, nowMs)
  room.open = false
  room.emptySinceMs = null
  for (const door of room.doors.values()) door.demand = []
}

/** Adds a line for each new lane. The people of a removed lane move into the main line. */
function followLanes(room: RoomState, lanes: readonly LaneShare[], nowMs: number): void {
  // An edge may issue tickets of the new lane with a clock that is behind. A new room has no older tickets at all.
  const sinceKey = openKey(room.draws, nowMs) - SKEW_MS
  const added = () => (room.tickedAtMs === 0 ? newLine(nowMs) : newLaneLine(sinceKey, nowMs))
  for (const { name } of lanes) if (!room.lines.has(name)) room.lines.set(name, added())
  for (const lane of room.lines.keys()) if (servedIn(lanes, lane) !== lane) removeLane(room, lane, nowMs)
}

/** Removes a lane. Its entry in `dirty` then has no line, so the caller deletes its histogram. */
export function removeLane(room: RoomState, lane: string, nowMs: number): void {
  const [main, line] = [room.lines.get(MAIN_LANE), room.lines.get(lane)]
  if (!main || !line) return
  for (const chunk of mergeInto(main, line, nowMs)) markDirty(room, MAIN_LANE, chunk)
  room.lines.delete(lane)
  delete room.turns.of[lane]
  room.dirty.set(lane, new Set())
}
