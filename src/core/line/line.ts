/**
 * One lane's line: who has been called, who missed it, and how fast it moves.
 *
 * The frontier only moves forward, but for the moment a room closes: then it steps back to just before the oldest
 * visitor refused, so that everybody refused is in line. A key that has lapsed stays lapsed, whatever the settings become: doors rely on
 * it to forget sessions (decision 0004).
 */
import { Arrivals, BUCKET_MS, bucketOf, chunkOf } from './arrivals.ts'
import { KEY_STEP } from './batches.ts'
import { type Curve, curveOf } from './curve.ts'
import { advance, comingIn, type FrontierState, hasCalled, type LaneLoad, newFrontier, recordTick } from './frontier.ts'
import { measure, newSpeed, type Speed, type SpeedState, speedOf } from './speed.ts'

/** From one view to the next the number of called people falls to this share at the most. */
const CALLED_FALLS_TO = 0.85
/** The frontier's past is sampled this many times per claim window. */
const SAMPLES_PER_WINDOW = 64

/** What is stored of a line beside its histogram. */
export interface LineState {
  frontierKey: number
  lapsedKey: number
  /** When the frontier stood where, oldest first. */
  past: { atMs: number; key: number }[]
  control: FrontierState
  /** Called people who are still to come in, as edges are told. */
  calledAhead: number
  speed: SpeedState
  /** When its lane was taken away; absent while the settings name it. */
  removedAtMs?: number | null
}

export interface Line {
  readonly state: LineState
  readonly arrivals: Arrivals
}

/** What edges know of a lane. Keys are milliseconds. */
export interface LaneView {
  /** Called: every key at or before this one. */
  readonly frontierKey: number
  /** Called longer ago than the claim window: every key at or before this one. */
  readonly lapsedKey: number
  /** Called people who are still to come in: everybody waiting stands behind them. */
  readonly calledAhead: number
  readonly curve: Curve
  /** Null until the line has moved for a while. */
  readonly speed: Speed | null
  /** The share of the permits, and of called tickets the share whose visitor turns up; absent in a room without lanes. */
  readonly share?: number
  readonly showRate?: number
  /** The lane was taken away: who stands in it is served with the main lane, in the order of the keys. */
  readonly merged?: boolean
}

/** Pieces of the curves of all lanes but the main one. */
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

/** Counts confirmed tickets. Who was called before being counted is in nobody's way any more. */
export function confirm(line: Line, bucket: number, bucketEndKey: number, count: number): void {
  if (bucketEndKey > line.state.frontierKey) line.arrivals.add(bucket, count)
}

/** A counted ticket is given up for a place in another lane. Who was called counts for the share of those who come. */
export function leave(line: Line, bucket: number, bucketEndKey: number, count: number): void {
  if (bucketEndKey > line.state.frontierKey) line.arrivals.remove(bucket, count)
}

/** How many have a counted place and are not called yet. */
export function waiting(line: Line): number {
  return line.arrivals.after(line.state.frontierKey)
}

/**
 * Calls the next visitors of a closed room; answers how many. Behind `settledKey` some tickets are not counted yet: calling one of
 * them would call all who came before it.
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

/** The line moves again after a start for which it was held: what was measured before says nothing of it. */
export function beginAnew({ state }: Line, nowMs: number): void {
  state.control = newFrontier(nowMs)
  state.speed = newSpeed(nowMs)
}

/** In an open room everybody up to `key` is called, which is the present where places are given by arrival. */
export function callEverybody(line: Line, key: number, claimWindowMs: number, nowMs: number): void {
  const { state } = line
  state.frontierKey = Math.max(state.frontierKey, key)
  state.calledAhead = 0
  beginAnew(line, nowMs)
  remember(state, claimWindowMs, nowMs)
}

/**
 * Closes the line of a room that was open: from `key` on nobody has been called, and nobody of its bucket. Keys have three
 * decimals. Doors tell of those they refused one after another; once the line calls, its order stands. Who comes back to a place whose turn was long
 * ago stays called: what has lapsed is not waited for again.
 */
export function closeAt(line: Line, key: number): void {
  const { state } = line
  if (hasCalled(state.control)) return
  const behindMost = Math.max(state.lapsedKey, bucketOf(key) * BUCKET_MS - KEY_STEP)
  state.frontierKey = Math.min(state.frontierKey, behindMost)
  for (const sample of state.past) sample.key = Math.min(sample.key, state.frontierKey)
}

/** Everybody of a lane that was taken away whom the main lane has called by now is called, and nobody else. */
export function callAlong(line: Line, main: Line, claimWindowMs: number, nowMs: number): void {
  const { state } = line
  state.frontierKey = Math.max(state.frontierKey, main.state.frontierKey)
  state.calledAhead = 0
  remember(state, claimWindowMs, nowMs)
}

/** Counts who waits in one line in another, too; answers the chunks of it that changed. */
export function countAlso(from: Line, to: Line): Set<number> {
  return forWaiting(from, to, (bucket, people) => to.arrivals.add(bucket, people))
}

/** Counts them there no more. */
export function countNoMore(from: Line, to: Line): Set<number> {
  return forWaiting(from, to, (bucket, people) => to.arrivals.remove(bucket, people))
}

/** Those of a line whom neither it nor the other has called. */
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

/** `standing` are the called visitors who were refused a moment ago, `lanes` the lanes beside the main one. */
export function viewOf(line: Line, standing: number, lanes = 0): LaneView {
  const { state, arrivals } = line
  // Who stands by is seen only every other second, and a shown place never rises again: let it fall slowly.
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

/** Samples the frontier, and lets everything lapse that it had passed a claim window ago. */
function remember(state: LineState, claimWindowMs: number, nowMs: number): void {
  const newest = state.past.at(-1)
  if (!newest || nowMs - newest.atMs >= claimWindowMs / SAMPLES_PER_WINDOW) {
    state.past.push({ atMs: nowMs, key: state.frontierKey })
  }
  while (state.past.length > 0 && (state.past[0] as { atMs: number }).atMs <= nowMs - claimWindowMs) {
    state.lapsedKey = Math.max(state.lapsedKey, (state.past.shift() as { key: number }).key)
  }
}
