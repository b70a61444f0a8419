/** A room's state, and the settings that its decisions need. Plain data that the caller stores. */

import { type Events, newEvents } from '../events/events.ts'
import type { ScheduledEvent } from '../events/schedule.ts'
import { newOpenMinute, type OpenMinute } from '../history/history.ts'
import { type BatchState, newBatchState } from '../line/batches.ts'
import { type Line, newLine, serves } from '../line/line.ts'
import { newPace, type Pace } from '../line/slowdown.ts'
import type { AdmissionLimits, Bank, DoorAccount } from '../permits/bank.ts'
import { type LaneShare, type LaneTurns, newLaneTurns } from '../permits/lanes.ts'
import type { Demand, Snapshot } from '../protocol/messages.ts'
import type { Applied } from '../tally.ts'
import { MAIN_LANE } from '../ticket.ts'
import { type DoorPlan, type DoorRange, newDoorPlan } from './doors.ts'
import type { Transferred } from './transferred.ts'

export const NO_LANES: readonly LaneShare[] = []

/** Counted places that are in no stored chunk yet. */
interface Unstored {
  /**
   * How often chunks had been stored when these counts came. The next time chunks are stored, the counts are in them.
   */
  readonly after: number
  /**
   * Counts by `line/<lane>/<bucket>` and `gone/<lane>/<bucket>`. The lane is the one in which the places were counted.
   */
  readonly cells: Record<string, number>
  /** An upper bound for the number of these cells. */
  counts: number
}

export interface DoorRecord extends DoorAccount {
  /** Calls and syncs of edges, as the door has measured them. */
  callsPerSecond?: number
  demand: readonly Demand[]
  applied: Applied | undefined
  /** Places that this door has reported and that no stored chunk contains yet; absent if there are none. */
  unstored?: Unstored
}

/** Totals since the room began, for operators. */
export type Totals = Record<string, number>

export interface RoomState {
  readonly generation: number
  open: boolean
  /**
   * Since when the closed room could have opened again. Null while a visitor is ready or waits, an event holds the
   * line, or no permit is available.
   */
  emptySinceMs: number | null
  readonly bank: Bank
  readonly doors: Map<string, DoorRecord>
  /** How many doors the room has in each region. */
  readonly doorPlan: DoorPlan
  readonly lines: Map<string, Line>
  /**
   * The numbers of changed chunks of the histograms, by lane, until the caller takes them to store the chunks. If a
   * lane here has no line, it was removed.
   */
  readonly dirty: Map<string, Set<number>>
  /** How often changed chunks were stored, and when last. */
  readonly chunksStored: { times: number; atMs: number }
  /** The state of the lanes' turns, which decides what lane gets the next permit. */
  readonly turns: LaneTurns
  readonly draws: BatchState
  readonly events: Events
  /** The budget of `remaining`, null for none, and how much of it is spent. */
  readonly stock: { set: number | null; spent: number }
  readonly totals: Totals
  /** Places that went to another browser lately. */
  readonly transferred: Transferred
  /** The current minute of the room's history. */
  readonly history: OpenMinute
  readonly pace: Pace
  /** Since when the room is open, has a line, or is held. */
  phase: LinePhase
  /** 0 in a room that has had no visitor yet. */
  tickedAtMs: number
  /** Called visitors seen since the last tick, by lane. */
  readonly shown: Map<string, number>
  /** Sessions ended per second, smoothed. In a full room permits come at this rate. */
  departuresPerSecond: number
  departedSinceTick: number
  snapshot: Snapshot | null
}

interface LinePhase {
  readonly is: 'open' | 'line' | 'held'
  readonly sinceMs: number
}

/** The settings the room's decisions need. */
export interface RoomRules extends AdmissionLimits {
  readonly claimWindowMs: number
  /** Width of the batches of a random line; null or absent where places are given by arrival. */
  readonly shuffleMs?: number | null
  /** True if refused newcomers do not wait. Then the room opens again as soon as it can. */
  readonly rejects?: boolean
  /** The current event, or the next one; null or absent if none is scheduled. */
  readonly event?: ScheduledEvent | null
  /** The number of visitors who may still come in since this was set; null or absent for no budget. */
  readonly remaining?: number | null
  /** Lanes beside the main one, with their shares of the permits; absent or empty for none. */
  readonly lanes?: readonly LaneShare[]
  /** How many doors the room may have in each region; absent for one. */
  readonly doors?: DoorRange
}

/** Returns the lane whose line a place is in: the lane of its ticket, or the main one if that lane was removed. */
export function lineOf({ lines }: RoomState, lane: string, key: number): string {
  return serves(lines.get(lane)?.state, key) ? lane : MAIN_LANE
}

/** Adds to a total that operators see. */
export function count(room: RoomState, name: string, by: number): void {
  if (by > 0) room.totals[name] = (room.totals[name] ?? 0) + by
}

export function newRoom(nowMs: number): RoomState {
  return {
    generation: nowMs,
    open: true,
    emptySinceMs: null,
    // The first report fills the bank up to its burst, so that a new room admits its first visitors at once.
    bank: { banked: 0, filledAtMs: 0 },
    doors: new Map(),
    doorPlan: newDoorPlan(),
    lines: new Map([[MAIN_LANE, newLine(nowMs)]]),
    dirty: new Map(),
    chunksStored: { times: 0, atMs: 0 },
    turns: newLaneTurns(),
    draws: newBatchState(),
    events: newEvents(),
    stock: { set: null, spent: 0 },
    totals: {},
    transferred: {},
    history: newOpenMinute({}, nowMs),
    pace: newPace(),
    phase: { is: 'open', sinceMs: nowMs },
    tickedAtMs: 0,
    shown: new Map(),
    departuresPerSecond: 0,
    departedSinceTick: 0,
    snapshot: null,
  }
}
