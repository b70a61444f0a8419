/**
 * How far the line is called. This control loop keeps a few called visitors ready, so that no permit goes to waste. It
 * keeps no more than needed, so that the order of the line holds.
 *
 * The loop takes the permits of the next seconds, and subtracts the visitors who are already on their way. It divides
 * the rest by the share of called visitors who turn up. This share is measured. The only assumption is how soon a
 * called visitor learns of the call.
 */

/**
 * A called visitor is first seen between these two times after the call. They allow one second for each tier's
 * snapshot, and two seconds for the poll at the front of the line. The rest is for the doors' report.
 */
const SEEN_FROM_MS = 1_500
const SEEN_WITHIN_MS = 5_500
/** A called visitor who was not seen within this time counts as gone. */
const UNSEEN_FOR_MS = 8_000
/** Permits are planned this far ahead: by then half of the visitors called now have come. */
const LOOKAHEAD_MS = (SEEN_FROM_MS + SEEN_WITHIN_MS) / 2
/**
 * The reserve of ready visitors covers the permits of this time: enough for the jitter of polls, short enough to keep
 * the order.
 */
const STANDBY_MS = 2_000
const STANDBY_MIN = 2
/**
 * The show rate is the share of called visitors who turn up. It is measured with a half-life of one minute, and starts
 * a little too high.
 */
const SHOW_HALF_LIFE_MS = 60_000
const SHOW_PRIOR = { called: 4, shown: 4 }
const SHOW_RATE_MIN = 0.02

interface Tick {
  readonly atMs: number
  readonly called: number
  readonly shown: number
  /** True once this tick counts towards the show rate: its visitors have had the time to come. */
  learnt?: boolean
}

/** The state of the loop, as plain data that can be stored. */
export interface FrontierState {
  /** The tickets called and the visitors seen in the last UNSEEN_FOR_MS, one entry for each tick. */
  recent: Tick[]
  /** Decayed counts of tickets called and of called visitors seen. */
  called: number
  shown: number
  decayedAtMs: number
}

/** One lane's situation at a tick. Rates are per second. */
export interface LaneLoad {
  /** Called visitors refused within the last poll interval. */
  readonly ready: number
  /** Permits that the lane can use: banked at the room or unspent at its doors. */
  readonly permits: number
  /** How many more sessions the room has capacity for, beyond those permits. */
  readonly freeCapacity: number
  readonly permitsPerSecond: number
  readonly departuresPerSecond: number
  /** Called visitors seen for the first time since the last tick. */
  readonly shown: number
}

export function newFrontier(nowMs: number): FrontierState {
  return { recent: [], called: 0, shown: 0, decayedAtMs: nowMs }
}

/** The share of called tickets whose visitor turns up. */
export function showRate(state: FrontierState): number {
  const rate = (state.shown + SHOW_PRIOR.shown) / (state.called + SHOW_PRIOR.called)
  return Math.min(1, Math.max(SHOW_RATE_MIN, rate))
}

/** Returns how many more tickets to call now, and updates the measurements. The caller must then call `recordTick`. */
export function peopleToCall(state: FrontierState, load: LaneLoad, nowMs: number): number {
  learn(state, load.shown, nowMs)
  const rate = showRate(state)
  const flow = Math.min(
    load.permitsPerSecond,
    load.freeCapacity > 0 ? Number.POSITIVE_INFINITY : load.departuresPerSecond,
  )
  const target = Math.max(STANDBY_MIN, (flow * STANDBY_MS) / 1_000)
  return Math.max(0, (supplyOf(load) + target - load.ready) / rate - pending(state, nowMs))
}

/** Returns the permits that will be available until half of the visitors called now have come. */
export function supplyOf(load: LaneLoad): number {
  const lookaheadSeconds = LOOKAHEAD_MS / 1_000
  const toCome = load.freeCapacity + load.departuresPerSecond * lookaheadSeconds
  return load.permits + Math.min(load.permitsPerSecond * lookaheadSeconds, toCome)
}

/** Records how many tickets the frontier passed, and how many called visitors were seen since the last tick. */
export function recordTick(state: FrontierState, called: number, shown: number, nowMs: number): void {
  if (called > 0 || shown > 0) state.recent.push({ atMs: nowMs, called, shown })
}

/** True if this loop has called a ticket since it began. */
export function hasCalled(state: FrontierState): boolean {
  return state.called > 0 || state.recent.some(tick => tick.called > 0)
}

/**
 * Returns how many called people are still expected to come in: those who are ready, and those who should still turn
 * up.
 */
export function comingIn(state: FrontierState, ready: number): number {
  let called = 0
  let shown = 0
  for (const tick of state.recent) {
    called += tick.called
    shown += tick.shown
  }
  return ready + Math.max(0, called * showRate(state) - shown)
}

/**
 * Returns how many called tickets cannot have been seen yet. Visitors are assumed to come evenly between `SEEN_FROM_MS`
 * and `SEEN_WITHIN_MS` after the call.
 */
function pending(state: FrontierState, nowMs: number): number {
  let tickets = 0
  for (const { atMs, called } of state.recent) {
    const unseen = (SEEN_WITHIN_MS - (nowMs - atMs)) / (SEEN_WITHIN_MS - SEEN_FROM_MS)
    tickets += called * Math.min(1, Math.max(0, unseen))
  }
  return tickets
}

/**
 * Adds a tick's tickets to `called` once their visitors have had the time to be seen. Otherwise `called` and `shown`
 * would describe different people.
 */
function learn(state: FrontierState, shown: number, nowMs: number): void {
  const decay = 0.5 ** (Math.max(0, nowMs - state.decayedAtMs) / SHOW_HALF_LIFE_MS)
  state.called *= decay
  state.shown = state.shown * decay + shown
  state.decayedAtMs = Math.max(state.decayedAtMs, nowMs)
  for (const tick of state.recent) {
    if (nowMs - tick.atMs < SEEN_WITHIN_MS) break
    state.called += tick.learnt ? 0 : tick.called
    tick.learnt = true
  }
  while (state.recent.length > 0 && nowMs - (state.recent[0] as { atMs: number }).atMs >= UNSEEN_FOR_MS)
    state.recent.shift()
}
