/** Applies changes of a room's settings: the budget, lanes that come and go, the method, and the starts of events. */

import { callableKey, followEvents } from '../events/events.ts'
import { follow, openKey } from '../line/batches.ts'
import { beginAnew, callEverybody, countAlso, countNoMore, type Line, newLine } from '../line/line.ts'
import { type LaneShare, servedIn } from '../permits/lanes.ts'
import { MAIN_LANE } from '../ticket.ts'
import { restock } from './grants.ts'
import { NO_LANES, type RoomRules, type RoomState } from './state.ts'

/** A ticket of a removed lane stays valid no longer than this after its last poll. */
const REMOVED_FOR_MS = 25 * 60 * 60_000

export function followSettings(room: RoomState, rules: RoomRules, nowMs: number): void {
  const remaining = rules.remaining ?? null
  if (remaining !== room.stock.set) restock(room, remaining)
  followLanes(room, rules.lanes ?? NO_LANES, nowMs)
  const frontierKey = Math.max(...[...room.lines.values()].map(line => line.state.frontierKey))
  follow(room.draws, rules.shuffleMs ?? null, frontierKey, nowMs)
  const before = room.events.hold
  followEvents(
    room.events,
    rules.event ?? null,
    { untilKey: room.draws.untilKey, seenMs: room.tickedAtMs, frontierKey },
    nowMs,
  )
  const { hold } = room.events
  if (before?.phase !== hold?.phase) room.view = null
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

/** Adds a line for each new lane. A removed lane keeps its line as long as tickets of it may come. */
function followLanes(room: RoomState, lanes: readonly LaneShare[], nowMs: number): void {
  for (const { name } of lanes) if (!room.lines.has(name)) room.lines.set(name, newLine(nowMs))
  if (room.lines.size === 1) return
  for (const [lane, line] of room.lines) {
    const { state } = line
    if (lane === MAIN_LANE) continue
    if (servedIn(lanes, lane) === lane) comeBack(room, line)
    else if (!state.removedAtMs) remove(room, line, nowMs)
    if (state.removedAtMs && nowMs - state.removedAtMs > REMOVED_FOR_MS) {
      room.lines.delete(lane)
      delete room.turns.of[lane]
    }
  }
}

function remove(room: RoomState, line: Line, nowMs: number): void {
  line.state.removedAtMs = nowMs
  const main = room.lines.get(MAIN_LANE)
  if (main) for (const chunk of countAlso(line, main)) markDirty(room, MAIN_LANE, chunk)
}

/** Moves a lane's people from the main line back to its own, so that they are no longer ahead of visitors there. */
function comeBack(room: RoomState, line: Line): void {
  const main = line.state.removedAtMs ? room.lines.get(MAIN_LANE) : undefined
  line.state.removedAtMs = null
  if (main) for (const chunk of countNoMore(line, main)) markDirty(room, MAIN_LANE, chunk)
}
