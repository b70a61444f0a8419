/** What a room knows, and what its settings say: plain data that the caller stores. */

import { type Events, newEvents } from '../events/events.ts'
import type { ScheduledEvent } from '../events/schedule.ts'
import { type Draws, newDraws } from '../line/batches.ts'
import { type Line, newLine } from '../line/line.ts'
import { newPace, type Pace } from '../line/slowdown.ts'
import type { Bank, DoorAccount, Limits } from '../permits/bank.ts'
import { type LaneShare, newTurns, type Turns } from '../permits/lanes.ts'
import type { Demand, View } from '../protocol/messages.ts'
import type { Applied } from '../tally.ts'
import { MAIN_LANE } from '../ticket.ts'

export const NO_LANES: readonly LaneShare[] = []

export interface Door extends DoorAccount {
  demand: readonly Demand[]
  applied: Applied | undefined
}

/** Figures since the room began, for operators. */
export type Totals = Record<string, number>

export interface RoomState {
  readonly generation: number
  open: boolean
  /** Since when an open room could open again, null while somebody stands or waits. */
  emptySinceMs: number | null
  readonly bank: Bank
  readonly doors: Map<string, Door>
  readonly lines: Map<string, Line>
  /** Chunks of the histograms that have changed since they were last handed out to be stored, by lane. */
  readonly dirty: Map<string, Set<number>>
  /** Whose turn it is where lanes share the permits. */
  readonly turns: Turns
  readonly draws: Draws
  readonly events: Events
  /** The budget of `remaining`, null for none, and what of it is spent. */
  readonly stock: { set: number | null; spent: number }
  readonly totals: Totals
  readonly pace: Pace
  /** 0 for a room that nobody has come to yet. */
  tickedAtMs: number
  /** Called visitors seen since the last tick, per lane. */
  readonly shown: Map<string, number>
  /** Sessions ended per second, smoothed: in a full room that is how fast permits come. */
  departuresPerSecond: number
  departedSinceTick: number
  view: View | null
}

/** The settings the room's decisions need. */
export interface RoomRules extends Limits {
  readonly claimWindowMs: number
  /** Width of the batches of a random line; null or absent where places are given by arrival. */
  readonly shuffleMs?: number | null
  /** Newcomers who are refused do not wait: the room opens again as soon as it can. */
  readonly rejects?: boolean
  /** The event that is on, or the next one; null or absent where none is scheduled. */
  readonly event?: ScheduledEvent | null
  /** So many more may come in since this was set; null or absent for no budget. */
  readonly remaining?: number | null
  /** Lanes beside the main one, with their shares of the permits; absent or empty for none. */
  readonly lanes?: readonly LaneShare[]
}

export function newRoom(nowMs: number): RoomState {
  return {
    generation: nowMs,
    open: true,
    emptySinceMs: null,
    // Filled up to its burst by the first report: a new room lets the first visitors in at once.
    bank: { banked: 0, filledAtMs: 0 },
    doors: new Map(),
    lines: new Map([[MAIN_LANE, newLine(nowMs)]]),
    dirty: new Map(),
    turns: newTurns(),
    draws: newDraws(),
    events: newEvents(),
    stock: { set: null, spent: 0 },
    totals: {},
    pace: newPace(),
    tickedAtMs: 0,
    shown: new Map(),
    departuresPerSecond: 0,
    departedSinceTick: 0,
    view: null,
  }
}
