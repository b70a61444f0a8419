/**
 * The permits of a room: a bucket that fills at the operator's rate, and an account of what every door holds.
 *
 * Invariants, whatever arrives: banked + out <= burst after every fill, so admissions in any window are at most the
 * rate's integral plus one burst (I1); a grant is made only while live + out is below the total, so both together never
 * exceed it (I2). Nothing is taken back by a clock: only a door's report moves a permit.
 */

import { own } from '../own.ts'
import { MAIN_LANE } from '../ticket.ts'

/** What the operator and the origin's health allow now. */
export interface Limits {
  /** Permits per minute, 0 while the room is held. */
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
}

export interface Bank {
  banked: number
  filledAtMs: number
}

/** Permits of one life of a door, in totals. */
export interface Granted {
  granted: number
  spent: number
  returned: number
  /** Of `granted`, what was meant for each lane beside the main one, and what of it is `gone`: spent or returned. Absent without lanes. */
  lanes?: Record<string, LaneAccount>
}

/** What the room knows of one door. `spent` and `returned` are totals of `epoch`, as the door reports them. */
export interface DoorAccount extends Granted {
  epoch: number
  seq: number
  live: number
  heardAtMs: number
}

export interface LaneAccount {
  granted: number
  gone: number
}

/** Seconds of the rate that may be banked or out at once. */
const BURST_SECONDS = 5
const BURST_MIN = 3

/** The most permits that may be unspent at once. */
export function burstOf(ratePerMinute: number): number {
  return Math.max(BURST_MIN, (ratePerMinute / 60) * BURST_SECONDS)
}

/** Permits granted to a door and neither spent nor returned. */
export function outOf(account: Granted): number {
  return account.granted - account.spent - account.returned
}

/** What of it is meant for one lane; the main lane's is what no other has. */
export function outIn(account: Granted, lane: string): number {
  const { lanes } = account
  if (lane !== MAIN_LANE) return outOfLane(own(lanes, lane))
  let out = outOf(account)
  for (const name in lanes) out -= outOfLane(lanes[name])
  return out
}

function outOfLane(lane: LaneAccount | undefined): number {
  return lane ? lane.granted - lane.gone : 0
}

/** Permits granted so far in lanes beside the main one, undefined where there were none. */
export function grantedIn({ lanes }: DoorAccount): Record<string, number> | undefined {
  return lanes && Object.fromEntries(Object.entries(lanes).map(([lane, { granted }]) => [lane, granted]))
}

export function newLaneAccount(): LaneAccount {
  return { granted: 0, gone: 0 }
}

export function newAccount(nowMs: number): DoorAccount {
  return { epoch: 0, seq: 0, granted: 0, spent: 0, returned: 0, live: 0, heardAtMs: nowMs }
}

/** Fills the bank up to now. A permit that is out stops the fill it would have used. A clock that goes back fills nothing. */
export function fill(bank: Bank, out: number, limits: Limits, nowMs: number): void {
  const tookMs = Math.max(0, nowMs - bank.filledAtMs)
  bank.filledAtMs = Math.max(bank.filledAtMs, nowMs)
  const room = Math.max(0, burstOf(limits.ratePerMinute) - out)
  bank.banked = Math.min(room, bank.banked + (tookMs * limits.ratePerMinute) / 60_000)
}

/** Whole permits that can be granted now, `live` and `out` summed over all doors. */
export function grantable(bank: Bank, live: number, out: number, limits: Limits): number {
  if (limits.ratePerMinute <= 0) return 0
  // A sum of many small fills may stand a hair under a whole permit; a hair is less than one in a million years of filling.
  return Math.max(0, Math.min(Math.floor(bank.banked + 1e-9), limits.totalActiveUsers - live - out))
}

/**
 * Applies what a door says of its permits, and answers how many it has spent since it last said so. A higher epoch is a new life
 * of the door: what was out is lost to the rate, and not counted for places, for its `live` is the truth.
 */
export function settle(
  bank: Bank,
  account: DoorAccount,
  report: {
    epoch: number
    seq: number
    spent: number
    returned: number
    live: number
    gone?: Readonly<Record<string, number>>
  },
  nowMs: number,
): number {
  if (report.epoch > account.epoch) {
    Object.assign(account, { epoch: report.epoch, granted: 0, spent: 0, returned: 0 })
    delete account.lanes
  }
  for (const [name, gone] of Object.entries(report.gone ?? {})) {
    const lane = own(account.lanes, name)
    if (lane) lane.gone = Math.max(lane.gone, gone)
  }
  const spent = Math.max(0, report.spent - account.spent)
  const returned = Math.max(0, report.returned - account.returned)
  account.spent += spent
  account.returned += returned
  account.seq = report.seq
  account.live = report.live
  account.heardAtMs = Math.max(account.heardAtMs, nowMs)
  bank.banked += returned
  return spent
}
