/**
 * How fast a line moves, in tickets a second: lately, in the long run, and at its fastest.
 *
 * Where permits come at a fixed rate the three agree. In a room whose places are all taken they differ: people who came
 * in together leave together, so the line stands still for minutes and then runs. A short wait follows the recent
 * speed, a long wait follows the mean. A poll follows the fastest speed, so that no visitor sleeps through a run.
 */

const LATELY_HALF_LIFE_MS = 60_000
/** This is several times a common session, so that it evens out waves of visitors who leave together. */
const LONG_HALF_LIFE_MS = 8 * 60_000
const RUN_HALF_LIFE_MS = 5_000
/** The half-life of the fastest speed. It is long, so that this speed lasts until the line runs again. */
const FASTEST_HALF_LIFE_MS = 10 * 60_000
/** A line moves in runs when its fastest speed is at least this many times its mean. */
const RUNS_FROM = 1.5
/** Until the line has moved for this long, waits are computed from the rate of permits instead. */
const KNOWN_AFTER_MS = 10_000
/** Waits below the first value follow the recent speed of the line. Waits above the second follow the long run. */
const SHORT_WAIT_SECONDS = 60
const LONG_WAIT_SECONDS = 240

/** Tickets passed, and the milliseconds this took, both decayed. Their quotient is the mean speed. */
interface Mean {
  passed: number
  tookMs: number
}

export interface SpeedState {
  readonly lately: Mean
  readonly long: Mean
  readonly run: Mean
  fastestPerSecond: number
  measuredAtMs: number
}

/** The speeds as edges see them, in tickets per second. */
export interface Speed {
  readonly latelyPerSecond: number
  readonly longPerSecond: number
  readonly fastestPerSecond: number
}

export function newSpeed(nowMs: number): SpeedState {
  return {
    lately: { passed: 0, tookMs: 0 },
    long: { passed: 0, tookMs: 0 },
    run: { passed: 0, tookMs: 0 },
    fastestPerSecond: 0,
    measuredAtMs: nowMs,
  }
}

export function measure(state: SpeedState, passed: number, nowMs: number): void {
  const tookMs = Math.max(0, nowMs - state.measuredAtMs)
  add(state.lately, passed, tookMs, LATELY_HALF_LIFE_MS)
  add(state.long, passed, tookMs, LONG_HALF_LIFE_MS)
  add(state.run, passed, tookMs, RUN_HALF_LIFE_MS)
  const faded = state.fastestPerSecond * 0.5 ** (tookMs / FASTEST_HALF_LIFE_MS)
  const running = state.run.tookMs >= RUN_HALF_LIFE_MS ? perSecond(state.run) : 0
  state.fastestPerSecond = Math.max(faded, running)
  state.measuredAtMs = Math.max(state.measuredAtMs, nowMs)
}

/** Leaves out the time up to `nowMs`, in which the line was held. The line would be taken for a slow one. */
export function leaveOut(state: SpeedState, nowMs: number): void {
  state.measuredAtMs = Math.max(state.measuredAtMs, nowMs)
}

/** Replaces the long run by the recent past: speeds under other limits do not predict the long run. */
export function resetLongRun(state: SpeedState): void {
  Object.assign(state.long, state.lately)
}

export function speedOf(state: SpeedState): Speed | null {
  if (state.lately.tookMs < KNOWN_AFTER_MS) return null
  return {
    latelyPerSecond: perSecond(state.lately),
    longPerSecond: perSecond(state.long),
    fastestPerSecond: state.fastestPerSecond,
  }
}

/** Returns the mean speed, in tickets per second, at which the next `ahead` people will come in. */
export function speedFor(ahead: number, { latelyPerSecond, longPerSecond }: Speed): number {
  if (longPerSecond <= 0) return latelyPerSecond
  const long = longShare(ahead / longPerSecond)
  return latelyPerSecond * (1 - long) + longPerSecond * long
}

/**
 * Returns by how much the speed for a wait of `waitSeconds` is the long-run one: 0 for the recent speed, 1 for the long
 * run.
 */
export function longShare(waitSeconds: number): number {
  return Math.min(1, Math.max(0, (waitSeconds - SHORT_WAIT_SECONDS) / (LONG_WAIT_SECONDS - SHORT_WAIT_SECONDS)))
}

/**
 * Returns the speed for which a poll must be prepared: the line may begin to run at any moment. In a line that moves
 * evenly, the fastest speed is above the mean only by chance.
 */
export function fastest(speed: Speed): number {
  return movesInRuns(speed) ? speed.fastestPerSecond : speed.latelyPerSecond
}

/** True if the line stands still at times, and moves fast in between. */
export function movesInRuns({ latelyPerSecond, fastestPerSecond }: Speed): boolean {
  return fastestPerSecond > latelyPerSecond * RUNS_FROM
}

function add(mean: Mean, passed: number, tookMs: number, halfLifeMs: number): void {
  const decay = 0.5 ** (tookMs / halfLifeMs)
  mean.passed = mean.passed * decay + passed
  mean.tookMs = mean.tookMs * decay + tookMs
}

function perSecond({ passed, tookMs }: Mean): number {
  return tookMs > 0 ? (passed / tookMs) * 1_000 : 0
}
