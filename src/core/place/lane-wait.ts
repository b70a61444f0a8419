/**
 * Waits in a room with lanes. How fast a lane moves now says little of its wait: it may have the shares of lanes that fill up again,
 * and it will have the shares of those that run empty before its visitor's turn.
 *
 * So the lanes are followed as if they flowed (generalized processor sharing, Parekh and Gallager 1993): each gets its share of the
 * permits as long as it has people or takes what comes in, until the people ahead are through. Newcomers of this lane
 * stand behind and do not matter; those of the others do.
 */

import { SETTLED_AFTER_MS } from '../line/batches.ts'
import { aheadOf, total } from '../line/curve.ts'
import type { LaneView } from '../line/line.ts'
import { longShare } from '../line/speed.ts'
import { divide, type LaneShare } from '../permits/lanes.ts'
import type { View } from '../protocol/messages.ts'
import { MAIN_LANE } from '../ticket.ts'

/** Newcomers of a lane are counted in the newest part of its line. */
const NEWCOMERS_OVER_MS = 60_000
/** A lane whose people came in so short a time has no line to speak of: it takes what comes in. */
const LINE_MIN_MS = 20_000

/** Of one lane, in the permits its people take: no-shows take none. */
interface Flow {
  readonly people: number
  readonly perSecond: number
}

/** A share of nothing, or next to it, is served by what the others leave, and nobody knows how much that will be. */
const KNOWN_WITHIN_SECONDS = 7 * 24 * 60 * 60

/** Milliseconds until `ahead` people of a lane are through, null while nothing moves, or hardly anything. */
export function laneWaitMs(ahead: number, lane: string, view: View): number | null {
  const lanes = Object.entries(view.lanes).filter(([, other]) => !other.merged)
  const shares = lanes.flatMap(([name, { share = 0 }]): LaneShare[] => (name === MAIN_LANE ? [] : [{ name, share }]))
  const others = new Map(lanes.filter(([name]) => name !== lane).map(([name, other]) => [name, flowOf(other, view)]))
  const own = view.lanes[lane]
  const permits = ahead * showRateOf(own)
  const { lately, long } = permitsPerSecond(lanes, view)
  if (lately <= 0 && long <= 0) return null
  const longSeconds = long > 0 ? secondsUntil(permits, lane, others, shares, long) : 0
  const mix = long > 0 ? longShare(longSeconds) : 0
  if (mix >= 1) return known(longSeconds)
  const mean = lately * (1 - mix) + long * mix
  return mean > 0 ? known(secondsUntil(permits, lane, others, shares, mean)) : null
}

function known(seconds: number): number | null {
  return seconds <= KNOWN_WITHIN_SECONDS ? seconds * 1_000 : null
}

function secondsUntil(
  permits: number,
  lane: string,
  others: ReadonlyMap<string, Flow>,
  shares: readonly LaneShare[],
  perSecond: number,
): number {
  const people = new Map([...others].map(([name, flow]) => [name, flow.people]))
  let left = permits
  let seconds = 0
  // Each step empties a lane at least, or is the last one.
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

/** Rounding leaves a little of what is through. */
const FLOW_MIN = 1e-6

function isWaiting(people: ReadonlyMap<string, number>, lane: string): boolean {
  return (people.get(lane) ?? 0) > FLOW_MIN
}

function flowOf(lane: LaneView, view: View): Flow {
  const { calledAhead, curve, frontierKey, speed } = lane
  const shows = showRateOf(lane)
  const toKey = view.settledKey ?? view.asOfMs - SETTLED_AFTER_MS
  if (toKey - frontierKey < LINE_MIN_MS) return { people: 0, perSecond: (speed?.latelyPerSecond ?? 0) * shows }
  const fromKey = Math.max(frontierKey, toKey - NEWCOMERS_OVER_MS)
  const newcomers = aheadOf(curve, toKey) - aheadOf(curve, fromKey)
  return {
    people: (calledAhead + total(curve)) * shows,
    perSecond: ((newcomers * 1_000) / (toKey - fromKey)) * shows,
  }
}

/** All lanes together, lately and in the long run; what the room promises until they have moved. */
function permitsPerSecond(
  lanes: readonly (readonly [string, LaneView])[],
  view: View,
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
  return isKnown ? { lately, long } : { lately: view.ratePerSecond, long: view.ratePerSecond }
}

function showRateOf(lane: LaneView | undefined): number {
  return lane?.showRate ?? 1
}
