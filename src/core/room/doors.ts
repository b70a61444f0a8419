/**
 * How many doors a room has in each region, and to which of them newcomers go. Sessions stay where they are: a door
 * without newcomers empties by itself.
 */

import type { DoorSpread } from '../protocol/messages.ts'

/** The most calls and syncs a second that a door should have. An object handles about 1,000 simple requests. */
export const DOOR_CALLS_TARGET = 300
/** The number of doors is reduced once each door would have less than this share of the target. */
const SHRINK_BELOW = 0.6
/** For this long a smaller number of doors must have been enough. */
const SHRINK_AFTER_MS = 10 * 60_000
/** The number is decided again this often, because a crowd comes within seconds. */
const DECIDED_EVERY_MS = 2_000
/** A busy door reports at least this often. An older measurement is out of date. */
const MEASURED_WITHIN_MS = 15_000

/** The numbers of doors that the settings allow, from 1 to 100. */
export interface DoorRange {
  readonly least: number
  readonly most: number
}

/** The doors of a room as plain data that the caller stores. */
export interface DoorPlan extends DoorSpread {
  count: number
  from: number
  decidedAtMs: number
  /** Since when fewer doors would have been enough. Null while they would not be. */
  calmSinceMs: number | null
}

/** The part of a door that the decision needs. The name of a door is `<region>-<number>`. */
interface DoorLoad {
  readonly callsPerSecond?: number
  readonly reportedAtMs: number
}

export const ONE_DOOR: DoorRange = { least: 1, most: 1 }

export function newDoorPlan(): DoorPlan {
  return { count: 1, from: 0, decidedAtMs: 0, calmSinceMs: null }
}

/** Decides the number of doors again, at most every two seconds. A change of the settings takes effect at once. */
export function followDoors(
  plan: DoorPlan,
  { least, most }: DoorRange,
  doors: ReadonlyMap<string, DoorLoad>,
  nowMs: number,
): void {
  if (plan.count < least || plan.count > most) setCount(plan, Math.min(most, Math.max(least, plan.count)), 0)
  if (Math.abs(nowMs - plan.decidedAtMs) < DECIDED_EVERY_MS) return
  plan.decidedAtMs = nowMs
  const regions = callsByRegion(doors, nowMs)
  const needed = (share: number) =>
    Math.max(...regions.map(calls => Math.ceil(sum(calls) / (DOOR_CALLS_TARGET * share))), 1)
  const wanted = Math.min(most, needed(1))
  if (wanted > plan.count) return setCount(plan, wanted, plan.count)
  // In a quiet region the doors may stay uneven for long. Even then the newcomers of the busiest region must not stay
  // at its new doors.
  if (plan.from > 0 && areEven(busiestOf(regions), plan)) plan.from = 0
  const enough = Math.max(least, Math.min(most, needed(SHRINK_BELOW)))
  plan.calmSinceMs = enough < plan.count ? (plan.calmSinceMs ?? nowMs) : null
  if (plan.calmSinceMs !== null && nowMs - plan.calmSinceMs >= SHRINK_AFTER_MS) setCount(plan, enough, 0)
}

export function spreadOf({ count, from }: DoorPlan): DoorSpread {
  return { count, from }
}

/** Newcomers go to the doors numbered `from` and above. After doors were added, these are the new ones. */
function setCount(plan: DoorPlan, count: number, from: number): void {
  Object.assign(plan, { count, from, calmSinceMs: null })
}

/** Returns the calls a second of each door, by region. Doors that no longer get newcomers are included. */
function callsByRegion(doors: ReadonlyMap<string, DoorLoad>, nowMs: number): readonly (readonly number[])[] {
  const regions = new Map<string, number[]>()
  for (const [name, { callsPerSecond = 0, reportedAtMs }] of doors) {
    if (nowMs - reportedAtMs > MEASURED_WITHIN_MS) continue
    const dash = name.lastIndexOf('-')
    const region = name.slice(0, dash)
    const calls = regions.get(region) ?? []
    calls[Number(name.slice(dash + 1))] = callsPerSecond
    regions.set(region, calls)
  }
  return [...regions.values()]
}

function busiestOf(regions: readonly (readonly number[])[]): readonly number[] {
  return regions.reduce((most, calls) => (sum(calls) > sum(most) ? calls : most), [])
}

/** True if the new doors of a region have as much to do as the old ones. */
function areEven(calls: readonly number[], { from, count }: DoorSpread): boolean {
  const mean = (low: number, high: number) => sum(calls.slice(low, high)) / (high - low)
  return mean(from, count) >= mean(0, from)
}

/** Returns the sum of numbers, some of which may be absent. */
function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + (number ?? 0), 0)
}
