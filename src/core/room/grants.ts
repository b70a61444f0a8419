/**
 * Permits over doors and lanes: what can be granted now, which doors lack permits, and which lane has its turn.
 *
 * A door's demand is used for a few seconds only. Its account of permits stands until its next report.
 */

import { ownOr } from '../own.ts'
import { grantable, newLaneAccount, outstanding, outstandingIn } from '../permits/bank.ts'
import { allot, servedIn, take } from '../permits/lanes.ts'
import { MAIN_LANE } from '../ticket.ts'
import { type DoorRecord, NO_LANES, type RoomRules, type RoomState } from './state.ts'

/** A door's demand counts for this long after the report that contained it. */
const DEMAND_FOR_MS = 3_000
/** A door that holds permits and has not reported for this long is asked to report. */
const SILENT_AFTER_MS = 6_000
/** An open room grants permits ahead of demand for this long: until the door's next sync, and a little more. */
const AHEAD_SECONDS = 2
/**
 * A lane may claim back the permits that it left to others in this many seconds, because its demand is reported only
 * once a second.
 */
const SLACK_SECONDS = 10
const SLACK_MIN = 5

/**
 * Starts a new budget. Outstanding permits count against it. Permits spent before must be reported by now, or they
 * would count against it too.
 */
export function restock(room: RoomState, remaining: number | null): void {
  Object.assign(room.stock, { set: remaining, spent: 0 })
}

/** Returns the admissions left in the budget, outstanding permits included; null without a budget. */
export function left({ stock }: RoomState): number | null {
  return stock.set === null ? null : Math.max(0, stock.set - stock.spent)
}

/** Returns the permits that can be granted now: what the rate, the capacity and the budget allow. */
export function available(room: RoomState, rules: RoomRules): number {
  const { live, outstanding } = sums(room)
  return Math.max(
    0,
    Math.min(grantable(room.bank, live, outstanding, rules), (left(room) ?? Number.POSITIVE_INFINITY) - outstanding),
  )
}

/** Returns the live sessions and the outstanding permits, over all doors. */
export function sums(room: RoomState): { live: number; outstanding: number } {
  let live = 0
  let unspent = 0
  for (const door of room.doors.values()) {
    live += door.live
    unspent += outstanding(door)
  }
  return { live, outstanding: unspent }
}

/** Returns how many called visitors are ready, over all doors that reported lately. */
export function readyCount(room: RoomState, nowMs: number): number {
  let people = 0
  for (const door of room.doors.values()) people += readyAt(door, nowMs)
  return people
}

/** Returns how many ready visitors are served from the share of `lane`. */
export function readyIn(room: RoomState, rules: RoomRules, lane: string, nowMs: number): number {
  let people = 0
  for (const door of room.doors.values()) people += readyByLane(door, rules, nowMs).get(lane) ?? 0
  return people
}

/**
 * Grants this door what it needs. Lanes are served by their shares, and in each lane the ready visitors first. If there
 * is not enough for all doors, each gets its proportion, and the door with the oldest visitor is rounded up. An open
 * room also grants what newcomers will need until the door's next sync. Returns `short` if ready visitors lack permits.
 */
export function grant(room: RoomState, door: DoorRecord, rules: RoomRules, nowMs: number): 'enough' | 'short' {
  const lanes = rules.lanes ?? NO_LANES
  const most = available(room, rules)
  const needed = new Map([...room.doors.values()].map(other => [other, needs(other, rules, nowMs)]))
  const own = needed.get(door) ?? new Map<string, number>()
  const all = new Map(own)
  for (const [other, lacking] of needed) {
    if (other === door) continue
    for (const [lane, need] of lacking) all.set(lane, (all.get(lane) ?? 0) + need)
  }
  const slack = Math.max(SLACK_MIN, (rules.ratePerMinute / 60) * SLACK_SECONDS)
  const wanted = { lanes, byLane: all, slack }
  const allotted = allot(room.turns, wanted, most)
  const given = new Map<string, number>()
  let granted = 0
  let lacked = 0
  for (const [lane, need] of own) {
    const total = all.get(lane) ?? 0
    const part = allotted.get(lane) ?? 0
    const share = total <= part ? need : (part * need) / total
    const lot = Math.min(need, isOldest(needed, door, rules, lane) ? Math.ceil(share) : Math.floor(share))
    given.set(lane, lot)
    granted += lot
    lacked += need
  }
  if (lanes.length > 0) {
    take(room.turns, wanted, given)
    noteLanes(door, given)
  }
  const enough = granted >= lacked
  if (room.open) {
    const perSecond = door.demand.reduce((sum, demand) => sum + demand.perSecond, 0)
    const spare = Math.floor((most - granted) / (2 * room.doors.size))
    granted += Math.max(0, Math.min(spare, Math.ceil(perSecond * AHEAD_SECONDS) - outstanding(door)))
  }
  door.granted += granted
  room.bank.banked -= granted
  return enough ? 'enough' : 'short'
}

export function silentDoors(room: RoomState, reporting: string, nowMs: number): string[] {
  const silent: string[] = []
  for (const [name, door] of room.doors) {
    if (name !== reporting && outstanding(door) > 0 && nowMs - door.reportedAtMs > SILENT_AFTER_MS) silent.push(name)
  }
  return silent
}

function noteLanes(door: DoorRecord, given: ReadonlyMap<string, number>): void {
  for (const [lane, lot] of given) {
    if (lane === MAIN_LANE || lot === 0) continue
    door.lanes ??= {}
    ownOr(door.lanes, lane, newLaneAccount).granted += lot
  }
}

/**
 * Returns, by lane, how many permits a door lacks for its ready visitors. Surplus permits of one lane serve the others.
 */
function needs(door: DoorRecord, rules: RoomRules, nowMs: number): Map<string, number> {
  const lacking = new Map<string, number>()
  const ready = readyByLane(door, rules, nowMs)
  let spare = outstanding(door)
  for (const [lane, people] of ready) {
    const inHand = outstandingIn(door, lane)
    spare -= Math.min(inHand, people)
    if (people > inHand) lacking.set(lane, people - inHand)
  }
  for (const [lane, need] of lacking) {
    const covered = Math.min(need, Math.max(0, spare))
    spare -= covered
    lacking.set(lane, need - covered)
  }
  return lacking
}

function readyAt(door: DoorRecord, nowMs: number): number {
  if (nowMs - door.reportedAtMs > DEMAND_FOR_MS) return 0
  return door.demand.reduce((sum, demand) => sum + demand.ready, 0)
}

/** Returns how many visitors are ready at a door, by the lane whose share serves them. */
function readyByLane(door: DoorRecord, { lanes = NO_LANES }: RoomRules, nowMs: number): Map<string, number> {
  const people = new Map<string, number>()
  if (nowMs - door.reportedAtMs > DEMAND_FOR_MS) return people
  for (const { lane, ready } of door.demand) {
    const served = servedIn(lanes, lane)
    people.set(served, (people.get(served) ?? 0) + ready)
  }
  return people
}

/** The permits that each door lacks, by lane. */
type Needs = ReadonlyMap<DoorRecord, ReadonlyMap<string, number>>

/** True if this door has the oldest ready visitor among the doors that lack a permit for this lane. */
function isOldest(needed: Needs, door: DoorRecord, rules: RoomRules, lane: string): boolean {
  const oldest = oldestKeyAt(door, rules, lane)
  for (const [other, lacking] of needed) {
    if (other === door || (lacking.get(lane) ?? 0) <= 0) continue
    if (oldestKeyAt(other, rules, lane) < oldest) return false
  }
  return true
}

function oldestKeyAt(door: DoorRecord, { lanes = NO_LANES }: RoomRules, lane: string): number {
  let oldest = Number.POSITIVE_INFINITY
  for (const demand of door.demand) {
    if (servedIn(lanes, demand.lane) === lane) oldest = Math.min(oldest, demand.oldestKey)
  }
  return oldest
}
