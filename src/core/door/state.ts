/** The state of one incarnation of a door, beside its sessions: plain data in memory, which may be lost at any time. */

import type { LaneAccount } from '../permits/bank.ts'
import type { Snapshot } from '../protocol/messages.ts'
import { type Applied, Tally } from '../tally.ts'
import { type CallMeter, newCallMeter } from './call-meter.ts'
import { ReadyVisitors } from './ready-visitors.ts'

/** The totals of a report. */
interface ReportedTotals {
  /** The permits granted when the report was made, and how many more permits the ready visitors needed. */
  readonly granted: number
  readonly needed: number
  readonly spent: number
  readonly returned: number
  readonly live: number
}

export interface DoorState {
  readonly name: string
  readonly epoch: number
  granted: number
  spent: number
  returned: number
  /** Permits for lanes other than the main one; absent if there were none. */
  lanes?: Record<string, LaneAccount>
  /** When a permit was last granted or spent. */
  movedAtMs: number
  /**
   * True if claims must not ask the room before the next sync, because its last answer left ready visitors without
   * permits.
   */
  exhausted: boolean
  readonly ready: ReadyVisitors
  /**
   * True after the door refused a visitor who did not count as called here. An edge may know more, and perhaps no
   * isolate reports to this door. So the door must ask for a newer snapshot itself.
   */
  hasRefused: boolean
  readonly tally: Tally
  /** The totals of the newest report, and those of the newest report that the room has answered. */
  reported: ReportedTotals & { readonly seq: number }
  answered: ReportedTotals
  /** The last report of each isolate, and when it came. The oldest report is first. */
  readonly isolates: Map<string, Applied & { readonly atMs: number }>
  snapshot: Snapshot | null
  claimsPerSecond: number
  readonly calls: CallMeter
  claimedAtMs: number
}

export function newDoor(name: string, epoch: number, nowMs: number): DoorState {
  return {
    name,
    epoch,
    granted: 0,
    spent: 0,
    returned: 0,
    movedAtMs: nowMs,
    exhausted: false,
    ready: new ReadyVisitors(),
    hasRefused: false,
    tally: new Tally(),
    reported: { seq: 0, granted: 0, needed: 0, spent: 0, returned: 0, live: -1 },
    answered: { granted: 0, needed: 0, spent: 0, returned: 0, live: -1 },
    isolates: new Map(),
    snapshot: null,
    claimsPerSecond: 0,
    calls: newCallMeter(nowMs),
    claimedAtMs: nowMs,
  }
}

export function usable(door: DoorState): number {
  return door.granted - door.spent - door.returned
}
