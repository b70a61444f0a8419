/**
 * The permits of a room: a bucket that fills at the operator's rate, and an account for every door.
 *
 * Invariants, whatever arrives:
 * - After every fill `banked` is at most the burst minus the outstanding permits, or 0. So the admissions of any window
 *   are at most the rate's integral plus one burst (I1).
 * - A grant never raises live sessions plus outstanding permits above the total (I2).
 *
 * No clock takes an outstanding permit back: only a door's report changes its account.
 */

import { own } from '../own.ts'
import { MAIN_LANE } from '../ticket.ts'

/** The limits that the operator and the origin's health allow now. */
export interface AdmissionLimits {
  /** Permits per minute, 0 while the room admits no one. */
  readonly ratePerMinute: number
  readonly totalActiveUsers: number
}

export interface Bank {
  banked: number
  filledAtMs: number
}

/** The permits of one incarnation of a door, as totals since it began. */
interface Granted {
  granted: number
  spent: number
  returned: number
  /**
   * The part of these totals for each lane except the main one; absent without lanes. `gone` means spent or returned.
   */
  lanes?: Record<string, LaneAccount>
}

/** The room's account of one door. `spent` and `returned` are totals of `epoch`, as the door reports them. */
export interface DoorAccount extends Granted {
  epoch: number
  seq: number
  live: number
  reportedAtMs: number
}

export interface LaneAccount {
  granted: number
  gone: number
}

/** Permits of this many seconds may be banked or outstanding at once. */
const BURST_SECONDS = 5
const BURST_MIN = 3

/** Returns the most permits that may be unspent at once. */
export function burstOf(ratePerMinute: number): number {
  return Math.max(BURST_MIN, (ratePerMinute / 60) * BURST_SECONDS)
}

/** Returns the outstanding permits of a door: granted, and neither spent nor returned. */
export function outstanding(account: Granted): number {
  return account.granted - account.spent - account.returned
}

/** Returns the outstanding permits for one lane. The main lane has all permits that no other lane has. */
export function outstandingIn(account: Granted, lane: string): number {
  const { lanes } = account
  if (lane !== MAIN_LANE) return outstandingOfLane(own(lanes, lane))
  let main = outstanding(account)
  for (const name in lanes) main -= outstandingOfLane(lanes[name])
  return main
}

function outstandingOfLane(lane: LaneAccount | undefined): number {
  return lane ? lane.granted - lane.gone : 0
}

/** Returns the permits granted so far for each lane except the main one, or undefined if there were none. */
export function grantedIn({ lanes }: DoorAccount): Record<string, number> | undefined {
  return lanes && Object.fromEntries(Object.entries(lanes).map(([lane, { granted }]) => [lane, granted]))
}

export function newLaneAccount(): LaneAccount {
  return { granted: 0, gone: 0 }
}

export function newAccount(nowMs: number): DoorAccount {
  return { epoch: 0, seq: 0, granted: 0, spent: 0, returned: 0, live: 0, reportedAtMs: nowMs }
}

/**
 * Fills the bank up to `nowMs`. Outstanding permits count against the burst, so they stop part of the fill. A clock
 * that goes back fills nothing.
 */
export function fill(bank: Bank, unspent: number, limits: AdmissionLimits, nowMs: number): void {
  const tookMs = Math.max(0, nowMs - bank.filledAtMs)
  bank.filledAtMs = Math.max(bank.filledAtMs, nowMs)
  const room = Math.max(0, burstOf(limits.ratePerMinute) - unspent)
  bank.banked = Math.min(room, bank.banked + (tookMs * limits.ratePerMinute) / 60_000)
}

/**
 * Returns the whole permits that can be granted now. `live` and `unspent`, the outstanding permits, are sums over all
 * doors.
 */
export function grantable(bank: Bank, live: number, unspent: number, limits: AdmissionLimits): number {
  if (limits.ratePerMinute <= 0) return 0
  // The sum of many small fills may be just below a whole permit because of rounding. So 1e-9 permits are lent in
  // advance. Then `banked` falls below 0 by as much, and the next fill makes up for it.
  return Math.max(0, Math.min(Math.floor(bank.banked + 1e-9), limits.totalActiveUsers - live - unspent))
}

/**
 * Applies a door's report of its permits, and returns how many it has spent since its last report. A higher epoch is a
 * new incarnation of the door. The permits that the earlier one held are lost to the rate. They no longer count for
 * `total_active_users`, because `live` is exact.
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
  account.reportedAtMs = Math.max(account.reportedAtMs, nowMs)
  bank.banked += returned
  return spent
}
