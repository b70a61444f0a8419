/**
 * The room's half of the protocol: it applies the reports of doors, moves the frontier with the clock, and grants
 * permits.
 *
 * The caller owns the clock and the storage. Every change that `sync` makes must be durable before its reply leaves.
 */

import { eventsSnapshot, knownKey } from '../events/events.ts'
import { settledKey } from '../line/batches.ts'
import { showRate } from '../line/frontier.ts'
import { countCalledAhead, type LaneSnapshot, type Line, snapshotOf } from '../line/line.ts'
import { followPace, slowedAt } from '../line/slowdown.ts'
import { resetLongRun } from '../line/speed.ts'
import { burstOf, fill, grantedIn, newAccount, outstanding, settle } from '../permits/bank.ts'
import { shareOf } from '../permits/lanes.ts'
import type { Demand, DoorReport } from '../protocol/messages.ts'
import { type Cells, diff } from '../tally.ts'
import { MAIN_LANE } from '../ticket.ts'
import { callAll, callLines, openWhenEmpty, putInLine } from './calling.ts'
import { applyCells, healthIn } from './cells.ts'
import { followDoors, ONE_DOOR, spreadOf } from './doors.ts'
import { grant, left, readyCount, readyIn, silentDoors, sums } from './grants.ts'
import { followSettings } from './settings.ts'
import { count, type DoorRecord, NO_LANES, type RoomRules, type RoomState } from './state.ts'
import { transferredLately } from './transferred.ts'
import { isStoringDue, takeDirty } from './unstored.ts'

export { waitingTotal } from './calling.ts'
export { available, left, readyCount, readyIn, restock, sums } from './grants.ts'
export { removeLane } from './settings.ts'
export { type DoorRecord, newRoom, type RoomRules, type RoomState, type Totals } from './state.ts'
export { addUnstored, isStoringDue, takeDirty } from './unstored.ts'

const NOTHING: ReadonlyMap<string, ReadonlySet<number>> = new Map()

/** The frontier moves at most this often. */
const TICK_MS = 500
/** Departures are smoothed with this half-life. */
const DEPARTURES_HALF_LIFE_MS = 10_000

type SyncOutcome =
  /** The report is older than one that was already applied. Nothing changed, and no answer is due. */
  | { readonly kind: 'stale' }
  /** The report was already applied. The stored answer stands. */
  | { readonly kind: 'repeated'; readonly granted: number; readonly lanes?: Readonly<Record<string, number>> }
  | {
      readonly kind: 'applied'
      readonly granted: number
      /** The part of `granted` for each lane except the main one; absent if there is none. */
      readonly lanes?: Readonly<Record<string, number>>
      /** Chunks of the histogram that must be stored now, by lane. */
      readonly dirty: ReadonlyMap<string, ReadonlySet<number>>
      /** Health samples of the origin that edges reported: cells of `core/protocol/health-cells.ts`. */
      readonly health: Cells
      /** Doors that hold permits and have not reported lately. */
      readonly nudge: readonly string[]
    }

export function sync(room: RoomState, report: DoorReport, rules: RoomRules, nowMs: number): SyncOutcome {
  const door = room.doors.get(report.door) ?? addDoor(room, report.door, nowMs)
  if (report.epoch < door.epoch) return { kind: 'stale' }
  if (report.epoch === door.epoch) {
    if (report.seq < door.seq) return { kind: 'stale' }
    if (report.seq === door.seq) return { kind: 'repeated', ...grantsOf(door) }
  } else door.applied = undefined
  followSettings(room, rules, nowMs)
  const added = diff(door.applied, report)
  door.applied = { seq: report.seq, base: report.base, cells: report.cells }
  // Fill the bank first, with the permits that were outstanding until now: they stop a part of the fill.
  fill(room.bank, sums(room).outstanding, rules, nowMs)
  const liveBefore = door.live
  // An earlier incarnation of the door may have spent its permits without a report. The budget counts them as spent.
  const unreported = report.epoch > door.epoch ? outstanding(door) : 0
  const spent = settle(room.bank, door, report, nowMs)
  room.stock.spent += spent + unreported
  // The door's snapshot is from before the room closed, so the door reports newcomers. They are in line now, not ready.
  const isBehind = report.open && !room.open
  door.demand = isBehind ? [] : report.demand
  if (report.callsPerSecond !== undefined) door.callsPerSecond = report.callsPerSecond
  if (isBehind) putInLine(room, report.demand)
  room.departedSinceTick += spent - (door.live - liveBefore)
  count(room, 'admitted', spent)
  applyCells(room, door, added ?? {}, nowMs)
  tick(room, rules, nowMs)
  if (grant(room, door, rules, nowMs) === 'short' && room.open) closeRoom(room, report.demand, rules, nowMs)
  return {
    kind: 'applied',
    ...grantsOf(door),
    dirty: isStoringDue(room, nowMs) ? takeDirty(room, nowMs) : NOTHING,
    health: healthIn(added ?? {}),
    nudge: silentDoors(room, report.door, nowMs),
  }
}

function grantsOf(door: DoorRecord): { granted: number; lanes?: Record<string, number> } {
  const lanes = grantedIn(door)
  return lanes ? { granted: door.granted, lanes } : { granted: door.granted }
}

/**
 * Advances to `nowMs`: fills the bank, moves the frontier, opens the room. `sync` calls it; an extra call does no harm.
 */
export function tick(room: RoomState, rules: RoomRules, nowMs: number): void {
  fill(room.bank, sums(room).outstanding, rules, nowMs)
  followSettings(room, rules, nowMs)
  const tookMs = Math.max(0, nowMs - room.tickedAtMs)
  if (tookMs < TICK_MS && room.snapshot) return
  measureDepartures(room, tookMs)
  followDoors(room.doorPlan, rules.doors ?? ONE_DOOR, room.doors, nowMs)
  if (room.open) callAll(room, rules, nowMs)
  else {
    callLines(room, rules, nowMs)
    openWhenEmpty(room, rules, nowMs)
  }
  room.tickedAtMs = Math.max(room.tickedAtMs, nowMs)
  takeSnapshot(room, rules, nowMs)
}

/** Fills the bank up to `turnMs`, when the limits change. Up to then the former limits apply. */
export function fillUpTo(room: RoomState, rules: RoomRules, turnMs: number): void {
  fill(room.bank, sums(room).outstanding, rules, turnMs)
}

function addDoor(room: RoomState, name: string, nowMs: number): DoorRecord {
  const door: DoorRecord = { ...newAccount(nowMs), demand: [], applied: undefined }
  room.doors.set(name, door)
  return door
}

/** Closes an open room when a claim is refused: the oldest refused visitor and all later ones are in line. */
function closeRoom(room: RoomState, demand: readonly Demand[], rules: RoomRules, nowMs: number): void {
  room.open = false
  room.emptySinceMs = null
  putInLine(room, demand)
  // Refused newcomers are in line now like all others, so they are not ready.
  for (const door of room.doors.values()) door.demand = []
  takeSnapshot(room, rules, nowMs)
}

function measureDepartures(room: RoomState, tookMs: number): void {
  if (tookMs <= 0) return
  const decay = 0.5 ** (tookMs / DEPARTURES_HALF_LIFE_MS)
  const lately = Math.max(0, room.departedSinceTick) / (tookMs / 1_000)
  room.departuresPerSecond = room.departuresPerSecond * decay + lately * (1 - decay)
  room.departedSinceTick = 0
}

/** Makes a new snapshot of the room, and remembers what it shows: the next one must not differ too much. */
function takeSnapshot(room: RoomState, rules: RoomRules, nowMs: number): void {
  const { live, outstanding: unspent } = sums(room)
  const soldOut = left(room) === 0
  const full = live + unspent >= rules.totalActiveUsers
  if (followPace(room.pace, rules, full, nowMs)) {
    for (const { state } of room.lines.values()) resetLongRun(state.speed)
  }
  for (const [lane, line] of room.lines) countCalledAhead(line, readyFor(room, rules, lane, nowMs))
  const held = rules.ratePerMinute <= 0 || soldOut
  const is = held ? 'held' : room.open ? 'open' : 'line'
  if (is !== room.phase.is) room.phase = { is, sinceMs: nowMs }
  room.snapshot = {
    asOfMs: nowMs,
    generation: room.generation,
    open: room.open,
    held,
    ...(held ? { heldSinceMs: room.phase.sinceMs } : {}),
    soldOut,
    full,
    slowed: slowedAt(room.pace, nowMs),
    ratePerSecond: rules.ratePerMinute / 60,
    batches: room.draws.batches,
    settledKey: knownKey(room.events, settledKey(room.draws, nowMs)),
    events: eventsSnapshot(room.events, nowMs),
    ...(room.doorPlan.count > 1 ? { doors: spreadOf(room.doorPlan) } : {}),
    ...transferredLately(room.transferred, nowMs),
    lanes: laneSnapshots(room, rules),
  }
}

/** Returns how many visitors of a lane are ready. A room with one line has no shares. */
function readyFor(room: RoomState, rules: RoomRules, lane: string, nowMs: number): number {
  return room.lines.size === 1 ? readyCount(room, nowMs) : readyIn(room, rules, lane, nowMs)
}

function laneSnapshots(room: RoomState, rules: RoomRules): Record<string, LaneSnapshot> {
  const beside = room.lines.size - 1
  const snapshotIn = (lane: string, line: Line): LaneSnapshot => {
    if (beside === 0) return snapshotOf(line)
    const snapshot = snapshotOf(line, lane === MAIN_LANE ? 0 : beside)
    return { ...snapshot, share: shareOf(rules.lanes ?? NO_LANES, lane), showRate: showRate(line.state.control) }
  }
  return Object.fromEntries([...room.lines].map(([lane, line]) => [lane, snapshotIn(lane, line)]))
}

/** Returns the most permits that may be banked or outstanding at once. Operators see it among the figures. */
export function burst(rules: RoomRules): number {
  return burstOf(rules.ratePerMinute)
}
