/**
 * Permits over doors and lanes: what can be granted now, who lacks some, and whose turn it is.
 *
 * A door's demand is believed for some seconds only; its permits are believed until it reports.
 */

import { ownOr } from '../own.ts'
import { grantable, newLaneAccount, outIn, outOf } from '../permits/bank.ts'
import { allot, servedIn, take } from '../permits/lanes.ts'
import { MAIN_LANE } from '../ticket.ts'
import { type Door, NO_LANES, type RoomRules, type RoomState } from './state.ts'

/** A door's demand is believed this long after it was reported. */
const DEMAND_FOR_MS = 3_000
/** A door that has held permits in silence for this long is asked to report. */
const SILENT_AFTER_MS = 6_000
/** Permits an open room grants ahead of demand cover a door until its next sync and a little more. */
const AHEAD_SECONDS = 2
/** A lane may claim what it left to others for this long: who stands there is heard of once a second. */
const SLACK_SECONDS = 10
const SLACK_MIN = 5

/** Begins a budget anew. Permits that are out count against it: what was spent of them before must have been heard of. */
export function restock(room: RoomState, remaining: number | null): void {
  Object.assign(room.stock, { set: remaining, spent: 0 })
}

/** How many more may come in by the budget, permits out included; null without one. */
export function left({ stock }: RoomState): number | null {
  return stock.set === null ? null : Math.max(0, stock.set - stock.spent)
}

/** Permits that can be granted now: what the rate, the places and the budget allow. */
export function available(room: RoomState, rules: RoomRules): number {
  const { live, out } = sums(room)
  return Math.max(0, Math.min(grantable(room.bank, live, out, rules), (left(room) ?? Number.POSITIVE_INFINITY) - out))
}

/** Live sessions and permits out, over all doors. */
export function sums(room: RoomState): { live: number; out: number } {
  let live = 0
  let out = 0
  for (const door of room.doors.values()) {
    live += door.live
    out += outOf(door)
  }
  return { live, out }
}

/** Called visitors standing by, over all doors heard of lately. */
export function standing(room: RoomState, nowMs: number): number {
  let people = 0
  for (const door of room.doors.values()) people += standingAt(door, nowMs)
  return people
}

/** Those of them who are served under the share of one lane. */
export function standingIn(room: RoomState, rules: RoomRules, lane: string, nowMs: number): number {
  let people = 0
  for (const door of room.doors.values()) people += standingByLane(door, rules, nowMs).get(lane) ?? 0
  return people
}

/**
 * Grants this door what it needs: lanes by their shares, and in each lane its standing visitors first, in proportion when there is
 * not enough for all doors, the one with the oldest visitor rounded up; then, in an open room, what newcomers will need until its
 * next sync.
 */
export function grant(room: RoomState, door: Door, rules: RoomRules, nowMs: number): 'enough' | 'short' {
  const lanes = rules.lanes ?? NO_LANES
  const most = available(room, rules)
  const needed = new Map([...room.doors.values()].map(other => [other, needs(other, rules, nowMs)]))
  const own = needed.get(door) ?? new Map<string, number>()
  const everybody = new Map(own)
  for (const [other, lacking] of needed) {
    if (other === door) continue
    for (const [lane, need] of lacking) everybody.set(lane, (everybody.get(lane) ?? 0) + need)
  }
  const slack = Math.max(SLACK_MIN, (rules.ratePerMinute / 60) * SLACK_SECONDS)
  const allotted = allot(room.turns, lanes, everybody, most, slack)
  const given = new Map<string, number>()
  let granted = 0
  let lacked = 0
  for (const [lane, need] of own) {
    const all = everybody.get(lane) ?? 0
    const part = allotted.get(lane) ?? 0
    const share = all <= part ? need : (part * need) / all
    const lot = Math.min(need, isOldest(needed, door, rules, lane) ? Math.ceil(share) : Math.floor(share))
    given.set(lane, lot)
    granted += lot
    lacked += need
  }
  if (lanes.length > 0) {
    take(room.turns, lanes, everybody, given, slack)
    noteLanes(door, given)
  }
  const enough = granted >= lacked
  if (room.open) {
    const perSecond = door.demand.reduce((sum, demand) => sum + demand.perSecond, 0)
    const spare = Math.floor((most - granted) / (2 * room.doors.size))
    granted += Math.max(0, Math.min(spare, Math.ceil(perSecond * AHEAD_SECONDS) - outOf(door)))
  }
  door.granted += granted
  room.bank.banked -= granted
  return enough ? 'enough' : 'short'
}

export function silentDoors(room: RoomState, reporting: string, nowMs: number): string[] {
  const silent: string[] = []
  for (const [name, door] of room.doors) {
    if (name !== reporting && outOf(door) > 0 && nowMs - door.heardAtMs > SILENT_AFTER_MS) silent.push(name)
  }
  return silent
}

function noteLanes(door: Door, given: ReadonlyMap<string, number>): void {
  for (const [lane, lot] of given) {
    if (lane === MAIN_LANE || lot === 0) continue
    door.lanes ??= {}
    ownOr(door.lanes, lane, newLaneAccount).granted += lot
  }
}

/** Permits a door lacks for the visitors who stand there, by lane. What one lane has too many of serves the others. */
function needs(door: Door, rules: RoomRules, nowMs: number): Map<string, number> {
  const lacking = new Map<string, number>()
  const standing = standingByLane(door, rules, nowMs)
  let spare = outOf(door)
  for (const [lane, people] of standing) {
    const out = outIn(door, lane)
    spare -= Math.min(out, people)
    if (people > out) lacking.set(lane, people - out)
  }
  for (const [lane, need] of lacking) {
    const covered = Math.min(need, Math.max(0, spare))
    spare -= covered
    lacking.set(lane, need - covered)
  }
  return lacking
}

function standingAt(door: Door, nowMs: number): number {
  if (nowMs - door.heardAtMs > DEMAND_FOR_MS) return 0
  return door.demand.reduce((sum, demand) => sum + demand.standing, 0)
}

/** Who stands at a door, by the lane under whose share they are served. */
function standingByLane(door: Door, { lanes = NO_LANES }: RoomRules, nowMs: number): Map<string, number> {
  const people = new Map<string, number>()
  if (nowMs - door.heardAtMs > DEMAND_FOR_MS) return people
  for (const { lane, standing } of door.demand) {
    const served = servedIn(lanes, lane)
    people.set(served, (people.get(served) ?? 0) + standing)
  }
  return people
}

/** What each door lacks, by lane. */
type Needs = ReadonlyMap<Door, ReadonlyMap<string, number>>

/** Whether nobody of a lane who needs a permit has stood by longer than this door's. */
function isOldest(needed: Needs, door: Door, rules: RoomRules, lane: string): boolean {
  const oldest = oldestKeyAt(door, rules, lane)
  for (const [other, lacking] of needed) {
    if (other === door || (lacking.get(lane) ?? 0) <= 0) continue
    if (oldestKeyAt(other, rules, lane) < oldest) return false
  }
  return true
}

function oldestKeyAt(door: Door, { lanes = NO_LANES }: RoomRules, lane: string): number {
  let oldest = Number.POSITIVE_INFINITY
  for (const demand of door.demand) {
    if (servedIn(lanes, demand.lane) === lane) oldest = Math.min(oldest, demand.oldestKey)
  }
  return oldest
}
