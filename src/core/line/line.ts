/**
 * One lane's line: which tickets were called, which have lapsed, and how fast the line moves.
 *
 * The frontier only moves forward, except when a room closes. Then the frontier steps back to just before the oldest
 * refused visitor, so that every refused visitor is in line. A lapsed key stays lapsed, whatever the settings become:
 * doors rely on this when they delete sessions (decision 0004).
 */
import { Arrivals, BUCKET_MS, bucketOf, chunkOf } from './arrivals.ts'
import { KEY_STEP } from './batches.ts'
import { type Curve, curveOf } from './curve.ts'
import { advance, comingIn, type FrontierState, hasCalled, type LaneLoad, newFrontier, recordTick } from './frontier.ts'
import { measure, newSpeed, type Speed, type SpeedState, speedOf } from './speed.ts'

/** From one view to the next the number of called people falls at most to this share of its value. */
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
  speed: SpeedState
  /** When the lane was removed from the settings; absent or null while the settings contain it. */
  removedAtMs?: number | null
}

export interface Line {
  readonly state: LineState
  readonly arrivals: Arrivals
}

/** A lane as edges see it. Keys are milliseconds. */
export interface LaneView {
  /** Every key up to this one is called. */
  readonly frontierKey: number
  /** Every key up to this one was called longer ago than the claim window. */
  readonly lapsedKey: number
  /** Called people who are still to come in. Every waiting visitor stands behind them. */
  readonly calledAhead: number
  readonly curve: Curve
  /** Null until the line has moved for some time. */
  readonly speed: Speed | null
  /**
   * The share of the permits, and the share of called tickets whose visitor turns up. Absent in a room without lanes.
   */
  readonly share?: number
  readonly showRate?: number
  /** The lane was removed. Its visitors are served together with the main lane, in the order of the keys. */
  readonly merged?: boolean
}

/** Curve pieces for all lanes except the main one, in total; and the least for each of them. */
const LANE_PIECES = 200
const LANE_PIECES_MIN = 20

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

/** Counts confirmed tickets. A ticket that is already called is left out: it is ahead of no waiting visitor. */
export function confirm(line: Line, bucket: number, bucketEndKey: number, count: number): void {
  if (bucketEndKey > line.state.frontierKey) line.arrivals.add(bucket, count)
}

/**
 * Removes a counted ticket whose visitor took a place in another lane. A ticket that is already called is not removed:
 * it still counts for the show rate.
 */
export function leave(line: Line, bucket: number, bucketEndKey: number, count: number): void {
  if (bucketEndKey > line.state.frontierKey) line.arrivals.remove(bucket, count)
}

/** Returns how many people have a counted place and are not called yet. */
export function waiting(line: Line): number {
  return line.arrivals.after(line.state.frontierKey)
}

/**
 * Calls the next visitors of a closed room, and returns how many. Some tickets behind `settledKey` are not counted yet.
 * So the frontier stops there: to call one of them would also call every ticket before it.
 */
export function callNext(line: Line, load: LaneLoad, settledKey: number, claimWindowMs: number, nowMs: number): number {
  const { state } = line
  const people = advance(state.control, load, nowMs)
  const { key, passed } = line.arrivals.advance(state.frontierKey, people, settledKey + KEY_STEP)
  recordTick(state.control, passed, load.shown, nowMs)
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

/** Calls every ticket up to `key`, as in an open room. Where places are given by arrival, `key` is the present. */
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
  const behindMost = Math.max(state.lapsedKey, bucketOf(key) * BUCKET_MS - KEY_STEP)
  state.frontierKey = Math.min(state.frontierKey, behindMost)
  for (const sample of state.past) sample.key = Math.min(sample.key, state.frontierKey)
}

/**
 * A removed lane follows the main lane: everyone up to the main lane's frontier counts as called. The removed lane's
 * own frontier never steps back.
 */
export function callAlong(line: Line, main: Line, claimWindowMs: number, nowMs: number): void {
  const { state } = line
  state.frontierKey = Math.max(state.frontierKey, main.state.frontierKey)
  state.calledAhead = 0
  remember(state, claimWindowMs, nowMs)
}

/** Counts the people who wait in `from` in `to` as well. Returns the numbers of the changed chunks. */
export function countAlso(from: Line, to: Line): Set<number> {
  return forWaiting(from, to, (bucket, people) => to.arrivals.add(bucket, people))
}

/** Undoes `countAlso` for the people who still wait. Returns the numbers of the changed chunks. */
export function countNoMore(from: Line, to: Line): Set<number> {
  return forWaiting(from, to, (bucket, people) => to.arrivals.remove(bucket, people))
}

/** Applies a change to every bucket of people whom neither line has called. Returns the numbers of their chunks. */
function forWaiting(line: Line, other: Line, change: (bucket: number, people: number) => void): Set<number> {
  const chunks = new Set<number>()
  const fromKey = Math.max(line.state.frontierKey, other.state.frontierKey)
  line.arrivals.forEach(fromKey, (startKey, _, count) => {
    const bucket = bucketOf(startKey)
    change(bucket, Math.round(count))
    chunks.add(chunkOf(bucket))
  })
  return chunks
}

/**
 * Makes the lane's view. `standing` is the number of called visitors who were refused a moment ago. `lanes` is 0 for
 * the main lane, otherwise the number of lanes beside the main one.
 */
export function viewOf(line: Line, standing: number, lanes = 0): LaneView {
  const { state, arrivals } = line
  // Ready visitors are seen only every other second, and a shown place never rises again. So the count must fall
  // slowly: a short dip would make places too low for good.
  state.calledAhead = Math.max(comingIn(state.control, standing), state.calledAhead * CALLED_FALLS_TO)
  return {
    frontierKey: state.frontierKey,
    lapsedKey: state.lapsedKey,
    calledAhead: state.calledAhead,
    curve: curveOf(arrivals, state.frontierKey, piecesFor(lanes)),
    speed: speedOf(state.speed),
  }
}

function piecesFor(lanes: number): number | undefined {
  return lanes === 0 ? undefined : Math.max(LANE_PIECES_MIN, Math.floor(LANE_PIECES / lanes))
}

/** Samples the frontier. Every key that the frontier had passed a claim window ago lapses. */
function remember(state: LineState, claimWindowMs: number, nowMs: number): void {
  const newest = state.past.at(-1)
  if (!newest || nowMs - newest.atMs >= claimWindowMs / SAMPLES_PER_WINDOW) {
    state.past.push({ atMs: nowMs, key: state.frontierKey })
  }
  while (state.past.length > 0 && (state.past[0] as { atMs: number }).atMs <= nowMs - claimWindowMs) {
    state.lapsedKey = Math.max(state.lapsedKey, (state.past.shift() as { key: number }).key)
  }
}
