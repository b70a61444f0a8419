/**
 * How far the line is called: a control loop that keeps a few called visitors standing by, so that no permit goes to
 * waste, and no more, so that the order holds.
 *
 * It calls for the permits of the next seconds, less whom it can already see coming, divided by the share of called
 * visitors who still turn up. Everything it knows of the crowd is measured; nothing is assumed but how soon a called
 * visitor hears of it.
 */

/** A called visitor is seen between these: a second for each tier's snapshot, the front's poll of two seconds, the doors' report. */
const SEEN_FROM_MS = 1_500
const SEEN_WITHIN_MS = 5_500
/** Who has not been seen this long after the call is taken for gone. */
const UNSEEN_FOR_MS = 8_000
/** Permits are planned this far ahead: until half of those called now have come. */
const LOOKAHEAD_MS = (SEEN_FROM_MS + SEEN_WITHIN_MS) / 2
/** Called visitors wanted in reserve: enough for the jitter of polls, short enough to keep the order. */
const STANDBY_MS = 2_000
const STANDBY_MIN = 2
/** The share of called visitors who turn up is learnt over a minute, starting from a mild optimism. */
const SHOW_HALF_LIFE_MS = 60_000
const SHOW_PRIOR = { called: 4, shown: 4 }
const SHOW_RATE_MIN = 0.02

interface Tick {
  readonly atMs: number
  readonly called: number
  readonly shown: number
  /** Its visitors have had the time to be seen: it counts for the show rate. */
  learnt?: boolean
}

/** What the loop remembers. Plain data, so that it can be stored. */
export interface FrontierState {
  /** Called and seen within UNSEEN_FOR_MS: an entry a tick. */
  recent: Tick[]
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

/** How many more tickets to call now. Updates what is known of the crowd; `recordTick` must follow. */
export function advance(state: FrontierState, load: LaneLoad, nowMs: number): number {
  learn(state, load.shown, nowMs)
  const rate = showRate(state)
  const flow = Math.min(load.permitsPerSecond, load.places > 0 ? Number.POSITIVE_INFINITY : load.departuresPerSecond)
  const target = Math.max(STANDBY_MIN, (flow * STANDBY_MS) / 1_000)
  return Math.max(0, (supplyOf(load) + target - load.standing) / rate - pending(state, nowMs))
}

/** Permits that there will be until half of those called now have come. */
export function supplyOf(load: LaneLoad): number {
  const lookaheadSeconds = LOOKAHEAD_MS / 1_000
  const toCome = load.places + load.departuresPerSecond * lookaheadSeconds
  return load.permits + Math.min(load.permitsPerSecond * lookaheadSeconds, toCome)
}

/** Notes how many tickets the frontier really passed, and how many called visitors were seen meanwhile. */
export function recordTick(state: FrontierState, called: number, shown: number, nowMs: number): void {
  if (called > 0 || shown > 0) state.recent.push({ atMs: nowMs, called, shown })
}

/** True once anybody was called. */
export function hasCalled(state: FrontierState): boolean {
  return state.called > 0 || state.recent.some(tick => tick.called > 0)
}

/** Called people who are expected to come in yet: those standing by, and who should still turn up. */
export function comingIn(state: FrontierState, standing: number): number {
  let called = 0
  let shown = 0
  for (const tick of state.recent) {
    called += tick.called
    shown += tick.shown
  }
  return standing + Math.max(0, called * showRate(state) - shown)
}

/** Tickets called whose visitors have not had the time to come: they are seen evenly over that time. */
function pending(state: FrontierState, nowMs: number): number {
  let tickets = 0
  for (const { atMs, called } of state.recent) {
    const unseen = (SEEN_WITHIN_MS - (nowMs - atMs)) / (SEEN_WITHIN_MS - SEEN_FROM_MS)
    tickets += called * Math.min(1, Math.max(0, unseen))
  }
  return tickets
}

/** A batch counts as called once its visitors have had the time to be seen, so that both counts speak of the same. */
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
