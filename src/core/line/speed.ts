/**
 * How fast a line moves, in tickets a second: lately, in the long run, and at its fastest.
 *
 * Where permits come at a rate the three agree. In a room whose places are all taken they do not: people who came in together
 * leave together, and the line stands still for minutes and then runs. A short wait follows what the line does now, a long one
 * its mean, and who polls must not sleep through a run.
 */

const LATELY_HALF_LIFE_MS = 60_000
/** As long as common sessions last, several times: waves of leavers even out. */
const LONG_HALF_LIFE_MS = 8 * 60_000
const RUN_HALF_LIFE_MS = 5_000
/** A run is remembered until the next one may come. */
const FASTEST_HALF_LIFE_MS = 10 * 60_000
/** Until the line has moved for this long, its speed is what the permits promise. */
const KNOWN_AFTER_MS = 10_000
/** Waits below the first follow the line as it moves lately, above the second as it moves in the long run. */
const SHORT_WAIT_SECONDS = 60
const LONG_WAIT_SECONDS = 240

/** Tickets passed, and the milliseconds it took, both decayed: their quotient is the mean speed. */
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

/** As edges are told; tickets per second, null until known. */
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

/** What the line did under other limits says nothing of the long run. */
export function forgetLongRun(state: SpeedState): void {
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

/** The mean speed at which so many people will come in. */
export function speedFor(ahead: number, { latelyPerSecond, longPerSecond }: Speed): number {
  if (longPerSecond <= 0) return latelyPerSecond
  const long = longShare(ahead / longPerSecond)
  return latelyPerSecond * (1 - long) + longPerSecond * long
}

/** How much a wait of about so long follows the long run, and not what the line does lately: 0 to 1. */
export function longShare(waitSeconds: number): number {
  return Math.min(1, Math.max(0, (waitSeconds - SHORT_WAIT_SECONDS) / (LONG_WAIT_SECONDS - SHORT_WAIT_SECONDS)))
}

/** What a poll must reckon with: the line may begin to run at any moment. */
export function fastest({ latelyPerSecond, fastestPerSecond }: Speed): number {
  return Math.max(latelyPerSecond, fastestPerSecond)
}

function add(mean: Mean, passed: number, tookMs: number, halfLifeMs: number): void {
  const decay = 0.5 ** (tookMs / halfLifeMs)
  mean.passed = mean.passed * decay + passed
  mean.tookMs = mean.tookMs * decay + tookMs
}

function perSecond({ passed, tookMs }: Mean): number {
  return tookMs > 0 ? (passed / tookMs) * 1_000 : 0
}
