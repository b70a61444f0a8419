/**
 * How far the line is called: a control loop that keeps a few called visitors standing by, so that no permit goes to
 * waste, and no more, so that the order holds.
 *
 * It calls for the permits of the next seconds, less whom it can already see coming, divided by the share of called
 * visitors who still turn up. Everything it knows of the crowd is measured; nothing is assumed but how soon a called
 * visitor hears of it.
 */

/** A called visitor is seen within this: a second for each tier's snapshot, then the front's poll of two seconds. */
export const HEARD_WITHIN_MS = 4_000
/** Permits are planned this far ahead: half the time to be heard, and one tick. */
const LOOKAHEAD_MS = HEARD_WITHIN_MS / 2 + 1_000
/** Called visitors wanted in reserve: enough for the jitter of polls, short enough to keep the order. */
const STANDBY_MS = 2_000
const STANDBY_MIN = 2
/** The share of called visitors who turn up is learnt over a minute, starting from a mild optimism. */
const SHOW_HALF_LIFE_MS = 60_000
const SHOW_PRIOR = { called: 4, shown: 3 }
const SHOW_RATE_MIN = 0.02

/** What the loop remembers. Plain data, so that it can be stored. */
export interface FrontierState {
  /** Called within HEARD_WITHIN_MS: one entry a tick. */
  recent: { atMs: number; called: number }[]
  /** Decayed counts of tickets called and of called visitors seen. */
  called: number
  shown: number
  decayedAtMs: number
}

/** One lane's situation at a tick. Rates are per second. */
export interface LaneLoad {
  /** Called visitors refused within the last poll interval. */
  readonly standing: number
  /** Permits in reach of the lane: banked at the room or unspent at its doors. */
  readonly permits: number
  /** Places beyond those permits. */
  readonly places: number
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

/** How many more tickets to call now. Updates what is known of the crowd; `recordCalled` must follow. */
export function advance(state: FrontierState, load: LaneLoad, nowMs: number): number {
  learn(state, load.shown, nowMs)
  const rate = showRate(state)
  const lookaheadSeconds = LOOKAHEAD_MS / 1_000
  const supply =
    load.permits +
    Math.min(load.permitsPerSecond * lookaheadSeconds, load.places + load.departuresPerSecond * lookaheadSeconds)
  const flow = Math.min(load.permitsPerSecond, load.places > 0 ? Number.POSITIVE_INFINITY : load.departuresPerSecond)
  const target = Math.max(STANDBY_MIN, (flow * STANDBY_MS) / 1_000)
  return Math.max(0, (supply + target - load.standing) / rate - pending(state, nowMs))
}

/** Notes how many tickets the frontier really passed. */
export function recordCalled(state: FrontierState, called: number, nowMs: number): void {
  if (called > 0) state.recent.push({ atMs: nowMs, called })
}

/** Tickets called whose visitors have not had the time to come: they arrive evenly over HEARD_WITHIN_MS. */
function pending(state: FrontierState, nowMs: number): number {
  let tickets = 0
  for (const { atMs, called } of state.recent) tickets += called * Math.max(0, 1 - (nowMs - atMs) / HEARD_WITHIN_MS)
  return tickets
}

/** A batch counts as called once its visitors have had the time to be seen, so that both counts speak of the same. */
function learn(state: FrontierState, shown: number, nowMs: number): void {
  const decay = 0.5 ** (Math.max(0, nowMs - state.decayedAtMs) / SHOW_HALF_LIFE_MS)
  state.called *= decay
  state.shown = state.shown * decay + shown
  state.decayedAtMs = Math.max(state.decayedAtMs, nowMs)
  while (state.recent.length > 0) {
    const oldest = state.recent[0] as { atMs: number; called: number }
    if (nowMs - oldest.atMs < HEARD_WITHIN_MS) break
    state.called += oldest.called
    state.recent.shift()
  }
}
