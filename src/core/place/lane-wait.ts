/**
 * Waits in a room with lanes. A lane's present speed is a poor guide to its waits. The lane may now use shares of lanes
 * that will fill up again. And it will get the shares of lanes that run empty before its visitor's turn.
 *
 * So the lanes are simulated as flows (generalized processor sharing, Parekh and Gallager 1993). Each lane gets its
 * share of the permits while it has people, or takes as many as its newcomers need. The simulation ends when the people
 * ahead are through. Newcomers of this lane stand behind the visitor and do not matter; newcomers of the other lanes
 * do.
 */

import { SETTLED_AFTER_MS } from '../line/batches.ts'
import { aheadOf, total } from '../line/curve.ts'
import type { LaneSnapshot } from '../line/line.ts'
import { longShare } from '../line/speed.ts'
import { divide, type LaneShare } from '../permits/lanes.ts'
import type { Snapshot } from '../protocol/messages.ts'
import { MAIN_LANE } from '../ticket.ts'

/** The rate of a lane's newcomers is measured over this newest part of its line. */
const NEWCOMERS_OVER_MS = 60_000
/** If all people of a lane came within this time, it has no real line: it needs as many permits as it has newcomers. */
const LINE_MIN_MS = 20_000

/** One lane's flow, counted in the permits that its people take. No-shows take none. */
interface Flow {
  readonly people: number
  readonly perSecond: number
}

/** The people ahead of a visitor in one lane, counted in the permits that they take, and the other lanes. */
interface Queue {
  readonly lane: string
  readonly permits: number
  readonly others: ReadonlyMap<string, Flow>
  readonly shares: readonly LaneShare[]
}

/**
 * A longer wait counts as unknown. A lane with a share near 0 is served by what other lanes leave, which cannot be
 * predicted.
 */
const KNOWN_WITHIN_SECONDS = 7 * 24 * 60 * 60

/** Returns the milliseconds until `ahead` people of a lane are through, or null while the room hardly moves. */
export function laneWaitMs(ahead: number, lane: string, snapshot: Snapshot): number | null {
  const lanes = Object.entries(snapshot.lanes)
  const shares = lanes.flatMap(([name, { share = 0 }]): LaneShare[] => (name === MAIN_LANE ? [] : [{ name, share }]))
  const others = new Map(
    lanes.filter(([name]) => name !== lane).map(([name, other]) => [name, flowOf(other, snapshot)]),
  )
  const queue = { lane, permits: ahead * showRateOf(snapshot.lanes[lane]), others, shares }
  const { lately, long } = permitsPerSecond(lanes, snapshot)
  if (lately <= 0 && long <= 0) return null
  const longSeconds = long > 0 ? secondsUntil(queue, long) : 0
  const mix = long > 0 ? longShare(longSeconds) : 0
  if (mix >= 1) return known(longSeconds)
  const mean = lately * (1 - mix) + long * mix
  return mean > 0 ? known(secondsUntil(queue, mean)) : null
}

function known(seconds: number): number | null {
  return seconds <= KNOWN_WITHIN_SECONDS ? seconds * 1_000 : null
}

function secondsUntil({ lane, permits, others, shares }: Queue, perSecond: number): number {
  const people = new Map([...others].map(([name, flow]) => [name, flow.people]))
  let left = permits
  let seconds = 0
  // Each step empties at least one lane, or it is the last step.
  for (let steps = 0; steps <= others.size; steps++) {
    const wanted = new Map(
      [...others].map(([name, flow]) => [name, isWaiting(people, name) ? Number.POSITIVE_INFINITY : flow.perSecond]),
    )
    wanted.set(lane, Number.POSITIVE_INFINITY)
    const served = divide(perSecond, shares, wanted)
    let stepSeconds = left / (served.get(lane) ?? 0)
    for (const [name, flow] of others) {
      const falls = (served.get(name) ?? 0) - flow.perSecond
      if (isWaiting(people, name) && falls > 0) stepSeconds = Math.min(stepSeconds, (people.get(name) ?? 0) / falls)
    }
    seconds += stepSeconds
    left -= stepSeconds * (served.get(lane) ?? 0)
    if (left <= FLOW_MIN) break
    for (const [name, flow] of others) {
      if (!isWaiting(people, name)) continue
      people.set(name, (people.get(name) ?? 0) + stepSeconds * (flow.perSecond - (served.get(name) ?? 0)))
    }
  }
  return seconds
}

/** After rounding, a tiny rest of people may remain who are in fact through. */
const FLOW_MIN = 1e-6

function isWaiting(people: ReadonlyMap<string, number>, lane: string): boolean {
  return (people.get(lane) ?? 0) > FLOW_MIN
}

function flowOf(lane: LaneSnapshot, snapshot: Snapshot): Flow {
  const { calledAhead, curve, frontierKey, speed } = lane
  const shows = showRateOf(lane)
  const toKey = snapshot.settledKey ?? snapshot.asOfMs - SETTLED_AFTER_MS
  if (toKey - frontierKey < LINE_MIN_MS) return { people: 0, perSecond: (speed?.latelyPerSecond ?? 0) * shows }
  const fromKey = Math.max(frontierKey, toKey - NEWCOMERS_OVER_MS)
  const newcomers = aheadOf(curve, toKey) - aheadOf(curve, fromKey)
  return {
    people: (calledAhead + total(curve)) * shows,
    perSecond: ((newcomers * 1_000) / (toKey - fromKey)) * shows,
  }
}

/**
 * The permits per second of all lanes together, lately and in the long run. Until a lane's speed is known, the room's
 * rate stands for both.
 */
function permitsPerSecond(
  lanes: readonly (readonly [string, LaneSnapshot])[],
  snapshot: Snapshot,
): { lately: number; long: number } {
  let lately = 0
  let long = 0
  let isKnown = false
  for (const [, lane] of lanes) {
    if (!lane.speed) continue
    isKnown = true
    lately += lane.speed.latelyPerSecond * showRateOf(lane)
    long += lane.speed.longPerSecond * showRateOf(lane)
  }
  return isKnown ? { lately, long } : { lately: snapshot.ratePerSecond, long: snapshot.ratePerSecond }
}

function showRateOf(lane: LaneSnapshot | undefined): number {
  return lane?.showRate ?? 1
}
