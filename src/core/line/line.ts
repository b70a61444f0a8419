/**
 * One lane's line: which tickets were called, which have lapsed, and how fast the line moves.
 *
 * The frontier only moves forward, except when a room closes. Then the frontier steps back to just before the oldest
 * refused visitor, so that every refused visitor is in line. A key that has lapsed in all lanes stays lapsed, whatever
 * the settings become: doors rely on this when they delete sessions (decision 0004).
 */

import { own } from '../own.ts'
import { MAIN_LANE } from '../ticket.ts'
import { Arrivals, arrivalBucketOf, BUCKET_MS, chunkOf } from './arrivals.ts'
import { KEY_STEP } from './batches.ts'
import { type Curve, curveOf } from './curve.ts'
import { type Front, frontOf } from './front.ts'
import {
  comingIn,
  type FrontierState,
  hasCalled,
  type LaneLoad,
  newFrontier,
  peopleToCall,
  recordTick,
} from './frontier.ts'
import { measure, newSpeed, type Speed, type SpeedState, speedOf } from './speed.ts'

/** From one snapshot to the next the number of called people never falls below this share of its value. */
const CALLED_FALLS_TO = 0.85
/** The frontier is sampled this many times per claim window. */
const SAMPLES_PER_WINDOW = 64

/** The stored state of a line, beside its histogram. */
export interface LineState {
  frontierKey: number
  lapsedKey: number
  /** Samples of the frontier, oldest first. */
  past: { atMs: number; key: number }[]
  control: FrontierState
  /** Called people who are still to come in, as shown to edges. */
  calledAhead: number
  /** The number of people called since `calledAhead` was counted. Absent in a state of an earlier version. */
  calledSince?: number
  speed: SpeedState
  /** The lane serves keys after this one; absent for the main lane. */
  readonly sinceKey?: number
}

export interface Line {
  readonly state: LineState
  readonly arrivals: Arrivals
}

/** A lane as edges see it. Keys are milliseconds. */
export interface LaneSnapshot {
  /** Every key up to this one is called. */
  readonly frontierKey: number
  /** Every key up to this one was called longer ago than the claim window. */
  readonly lapsedKey: number
  /** Called people who are still to come in. Every waiting visitor stands behind them. */
  readonly calledAhead: number
  readonly curve: Curve
  /** The people at the front one by one; absent in a snapshot of an earlier version. */
  readonly front?: Front
  /** Null until the line has moved for some time. */
  readonly speed: Speed | null
  /**
   * The share of the permits, and the share of called tickets whose visitor turns up. Absent in a room without lanes.
   */
  readonly share?: number
  readonly showRate?: number
  /** The lane serves keys after this one; absent for the main lane. */
  readonly sinceKey?: number
}

/** The most curve pieces of all lanes together, without the main one, and the fewest pieces that each of them gets. */
const LANE_PIECES = 200
const LANE_PIECES_MIN = 20
/** The most people in the fronts of all lanes together, without the main one. */
const LANE_FRONTS = 1_000

export function newLine(nowMs: number): Line {
  return {
    state: {
      frontierKey: nowMs,
      lapsedKey: 0,
      past: [],
      control: newFrontier(nowMs),
      calledAhead: 0,
      speed: newSpeed(nowMs),
    },
    arrivals: new Arrivals(),
  }
}

/** The line of a lane that is added to a room. It serves keys after `sinceKey`, and has called none of them. */
export function newLaneLine(sinceKey: number, nowMs: number): Line {
  const { state, arrivals } = newLine(nowMs)
  return { state: { ...state, frontierKey: sinceKey, lapsedKey: sinceKey, sinceKey }, arrivals }
}

/**
 * True if a lane serves a ticket that has the lane's name and this key. A ticket with an older key is from a removed
 * lane of the same name.
 */
export function serves(lane: { readonly sinceKey?: number } | undefined, key: number): boolean {
  return lane !== undefined && key > (lane.sinceKey ?? Number.NEGATIVE_INFINITY)
}

/** Returns the lane in which a ticket stands. A ticket of a removed lane stands in the main one. */
export function laneOf(
  lanes: Readonly<Record<string, LaneSnapshot>>,
  { lane, key }: { readonly lane: string; readonly key: number },
): string {
  // Operators choose the names of lanes, so a property that every object inherits must not count as a lane.
  return serves(own(lanes, lane), key) ? lane : MAIN_LANE
}

/** Counts confirmed tickets, without those already called: no waiting visitor stands behind them. */
export function confirm(line: Line, bucket: number, bucketEndKey: number, count: number): void {
  if (bucketEndKey > line.state.frontierKey) line.arrivals.add(bucket, count)
}

/**
 * Removes a counted ticket whose visitor took a place in another lane. A ticket that is already called is not removed:
 * it still counts for the show rate.
 */
export function uncount(line: Line, bucket: number, bucketEndKey: number, count: number): void {
  if (bucketEndKey > line.state.frontierKey) line.arrivals.remove(bucket, count)
}

/** Returns how many people have a counted place and are not called yet. */
export function waiting(line: Line): number {
  return line.arrivals.after(line.state.frontierKey)
}

/** A lane's situation. Some tickets behind `settledKey` are not counted yet. */
interface LineLoad extends LaneLoad {
  readonly settledKey: number
}

/**
 * Calls the next visitors of a closed room, and returns how many. The frontier stops at `settledKey`. Beyond it some
 * tickets are not counted yet, and would be called with the others.
 */
export function callNext(line: Line, load: LineLoad, claimWindowMs: number, nowMs: number): number {
  const { state } = line
  const { settledKey } = load
  const people = peopleToCall(state.control, load, nowMs)
  const { key, passed } = line.arrivals.advance(state.frontierKey, people, settledKey + KEY_STEP)
  recordTick(state.control, passed, load.shown, nowMs)
  state.calledSince = (state.calledSince ?? 0) + passed
  state.frontierKey = Math.max(state.frontierKey, Math.min(key, settledKey))
  measure(state.speed, passed, nowMs)
  remember(state, claimWindowMs, nowMs)
  return passed
}

/** Resets the measurements. After a hold, or in an open room, older values no longer describe the line. */
export function beginAnew({ state }: Line, nowMs: number): void {
  state.control = newFrontier(nowMs)
  state.speed = newSpeed(nowMs)
}

/** Calls every ticket up to `key`, as in an open room. If places are given by arrival, `key` is the present time. */
export function callEverybody(line: Line, key: number, claimWindowMs: number, nowMs: number): void {
  const { state } = line
  state.frontierKey = Math.max(state.frontierKey, key)
  state.calledAhead = 0
  beginAnew(line, nowMs)
  remember(state, claimWindowMs, nowMs)
}

/**
 * Closes the line of a room that was open: no ticket in the bucket of `key`, or behind it, counts as called. Keys have
 * three decimals. Doors report their refused visitors one after another, so the line may close several times, each time
 * earlier. Once the line has called a ticket, its order stands and nothing changes. The frontier never steps back
 * before `lapsedKey`: a lapsed ticket that comes back stays called, and the line does not wait for it.
 */
export function closeAt(line: Line, key: number): void {
  const { state } = line
  if (hasCalled(state.control)) return
  const behindMost = Math.max(state.lapsedKey, arrivalBucketOf(key) * BUCKET_MS - KEY_STEP)
  state.frontierKey = Math.min(state.frontierKey, behindMost)
  for (const sample of state.past) sample.key = Math.min(sample.key, state.frontierKey)
}

/**
 * Moves the people of a removed lane into the main line, where their keys decide. Those whom the main line has passed
 * are called at once. No visitor may miss a turn by the move. So no more keys lapse for one claim window, and only keys
 * that had lapsed in both lines stay lapsed. Doors have deleted sessions of no other keys (decision 0004). Returns the
 * numbers of the changed chunks.
 */
export function mergeInto(main: Line, removed: Line, nowMs: number): Set<number> {
  const chunks = new Set<number>()
  let called = 0
  removed.arrivals.forEach(removed.state.frontierKey, (startKey, endKey, count) => {
    if (endKey <= main.state.frontierKey) {
      called += count
      return
    }
    const bucket = arrivalBucketOf(startKey)
    main.arrivals.add(bucket, Math.round(count))
    chunks.add(chunkOf(bucket))
  })
  recordTick(main.state.control, called, 0, nowMs)
  main.state.calledSince = (main.state.calledSince ?? 0) + called
  main.state.lapsedKey = Math.min(main.state.lapsedKey, removed.state.lapsedKey)
  main.state.past = []
  return chunks
}

/**
 * Counts the called people who are still to come in, once for each snapshot. `ready` of them were refused a moment ago.
 *
 * Ready visitors are seen only every other second, and a shown place never rises again. So the count must fall slowly:
 * after a short dip the places shown would stay too low. And the count rises only by the people who were called.
 * Otherwise a visitor who polls just after a rise would get the number of the visitor behind.
 */
export function countCalledAhead({ state }: Line, ready: number): void {
  const coming = Math.max(comingIn(state.control, ready), state.calledAhead * CALLED_FALLS_TO)
  state.calledAhead = Math.min(coming, state.calledAhead + (state.calledSince ?? 0))
  state.calledSince = 0
}

/** Returns the lane's snapshot. `lanes` is 0 for the main lane, otherwise the number of lanes beside the main one. */
export function snapshotOf({ state, arrivals }: Line, lanes = 0): LaneSnapshot {
  return {
    frontierKey: state.frontierKey,
    lapsedKey: state.lapsedKey,
    calledAhead: state.calledAhead,
    curve: curveOf(arrivals, state.frontierKey, piecesFor(lanes)),
    front: frontOf(arrivals, state.frontierKey, lanes === 0 ? undefined : Math.floor(LANE_FRONTS / lanes)),
    speed: speedOf(state.speed),
    ...(state.sinceKey === undefined ? {} : { sinceKey: state.sinceKey }),
  }
}

function piecesFor(lanes: number): number | undefined {
  return lanes === 0 ? undefined : Math.max(LANE_PIECES_MIN, Math.floor(LANE_PIECES / lanes))
}

/** Samples the frontier. Every key that the frontier had already passed one claim window ago now lapses. */
function remember(state: LineState, claimWindowMs: number, nowMs: number): void {
  const newest = state.past.at(-1)
  if (!newest || nowMs - newest.atMs >= claimWindowMs / SAMPLES_PER_WINDOW) {
    state.past.push({ atMs: nowMs, key: state.frontierKey })
  }
  while (state.past.length > 0 && (state.past[0] as { atMs: number }).atMs <= nowMs - claimWindowMs) {
    state.lapsedKey = Math.max(state.lapsedKey, (state.past.shift() as { key: number }).key)
  }
}
