/** The room at the beginning of a rehearsal: with its line, its permits, and what it has learnt of its visitors. */
import { arrivalBucketOf } from '../core/line/arrivals.ts'
import { SETTLED_AFTER_MS } from '../core/line/batches.ts'
import { newLine } from '../core/line/line.ts'
import { newAccount } from '../core/permits/bank.ts'
import { newRoom, type RoomState } from '../core/room/room.ts'
import { MAIN_LANE } from '../core/ticket.ts'
import { MINUTE_MS } from '../core/timing.ts'
import { STEP_MS, type Start, type Turn } from './plan.ts'

/** The only door of a rehearsal. */
export const DOOR = 'd-0'
/** The distance between the keys of people who are in line at the start. Only the order of the keys matters. */
const KEYS_APART_MS = 8
/**
 * The time over which the room has measured how many called visitors turn up. It follows from the half-life of that
 * share.
 */
const LEARNT_OVER_MS = 86_000
const LEARNT_MIN = 50
/** People who were called in this many steps before the start may still be on their way. */
const CALLED_FOR = 5

export function roomAt(start: Start, { ratePerMinute }: Turn): RoomState {
  const { nowMs, waiting, showRate } = start
  const room = newRoom(nowMs)
  const lastKey = nowMs - SETTLED_AFTER_MS - STEP_MS
  const people = Math.round(waiting)
  const frontierKey = start.open ? nowMs : lastKey - people * KEYS_APART_MS
  const line = newLine(nowMs)
  line.state.frontierKey = frontierKey
  const called = Math.max(LEARNT_MIN, (ratePerMinute * LEARNT_OVER_MS) / MINUTE_MS / showRate)
  Object.assign(line.state.control, { called, shown: called * showRate })
  const lately = calledLately(start)
  for (let age = CALLED_FOR; age > 0 && lately > 0; age--)
    line.state.control.recent.push({ atMs: nowMs - age * STEP_MS, called: lately, shown: 0 })
  for (let nth = 1; nth <= people; nth++) line.arrivals.add(arrivalBucketOf(frontierKey + KEYS_APART_MS * nth), 1)
  room.lines.set(MAIN_LANE, line)
  const demand = [{ lane: MAIN_LANE, ready: start.ready, oldestKey: frontierKey, perSecond: 0 }]
  room.doors.set(DOOR, { ...newAccount(nowMs), live: start.inside, demand, applied: undefined })
  room.open = start.open
  Object.assign(room.bank, { banked: start.permits, filledAtMs: nowMs })
  Object.assign(room.stock, { set: start.remaining, spent: 0 })
  room.tickedAtMs = nowMs
  return room
}

/**
 * Returns how many people in line were called in each of the last steps. It is the number of people who came in,
 * divided by the share who turn up.
 */
export function calledLately({ admittedLastMinute, showRate }: Start): number {
  return (admittedLastMinute * STEP_MS) / MINUTE_MS / showRate
}
