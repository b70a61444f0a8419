/** A door's process: what it remembers, what it has stored, and what it is doing. */
import { type DoorState, newDoor as newState } from '../../src/core/door/door.ts'
import { Ledger } from '../../src/core/limits/ledger.ts'
import { MemoryDebts } from './debts.ts'
import { START_MS } from './scenario.ts'
import { MemorySessions } from './sessions.ts'

export interface Door {
  state: DoorState
  readonly sessions: MemorySessions
  readonly debts: MemoryDebts
  ledger: Ledger
  epoch: number
  /** When the report was sent whose answer contained the present snapshot. */
  heardAtMs: number
  ticking: boolean
  alarmAtMs: number
  /** A report to the room is under way. */
  inFlight: boolean
  /** Functions to call once the room has answered. */
  waiting: (() => void)[]
}

export function newDoor(index: number): Door {
  const debts = new MemoryDebts()
  return {
    state: newState(`d${index}`, 1, START_MS),
    sessions: new MemorySessions(),
    debts,
    ledger: new Ledger(debts),
    epoch: 1,
    heardAtMs: Number.NEGATIVE_INFINITY,
    ticking: false,
    alarmAtMs: Number.POSITIVE_INFINITY,
    inFlight: false,
    waiting: [],
  }
}
