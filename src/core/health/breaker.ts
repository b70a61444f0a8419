/**
 * The breaker of an upstream: closed (requests pass), open (blocked), or half-open (a trial).
 *
 * No state is absorbing: an open breaker ends by its time, and a trial ends by votes. Good votes always close the
 * breaker, and slow ones close it later.
 */
import type { HealthVerdict } from './verdict.ts'

export type Breaker =
  | {
      readonly state: 'closed'
      /** Windows in a row in which the upstream was down. */
      readonly downWindows: number
      /**
       * Since when the breaker is closed, null if it was never open. After a while its `failures` in a row are
       * forgotten.
       */
      readonly sinceMs: number | null
      readonly failures: number
      /**
       * The good windows of the last trial, without the window that ended it. They set the share of sessions that the
       * trial let on.
       */
      readonly goodWindows: number
    }
  | {
      readonly state: 'open'
      readonly sinceMs: number
      readonly untilMs: number
      readonly failures: number
      readonly goodProbes: number
    }
  | {
      readonly state: 'half-open'
      readonly sinceMs: number
      readonly goodWindows: number
      /** Windows in which the upstream was not down, well or not. */
      readonly fairWindows: number
      readonly failures: number
    }

interface BreakerRules {
  /** The first pause; each failure in a row doubles it. */
  readonly openMs: number
  /** Windows in a row that open it: a single one may be a hiccup. */
  readonly badWindows: number
  /** Good windows in a row that end a trial. */
  readonly goodWindows: number
}

/** The circumstances in which a breaker opens. `random` is uniform in [0, 1). */
interface Opening {
  /** The longest Retry-After that the upstream has sent lately, 0 for none. */
  readonly retryAfterMs: number
  readonly nowMs: number
  readonly random: number
}

/** A longer pause is of no use, because the origin may be back. */
const OPEN_MAX_MS = 300_000
/** Spread to both sides, so that rooms of one origin do not come back in step. */
const OPEN_SPREAD = 0.2
/** This many good probes in a row end the pause early, but not before OPEN_MIN_MS: a failed origin needs a moment. */
const GOOD_PROBES = 3
const OPEN_MIN_MS = 10_000
/**
 * A trial may also end without good windows, if the upstream was never down in it. Then it takes this many times as
 * many windows. The ceiling deals with the slowness.
 */
const FAIR_FOR_GOOD = 2
/** After this long closed, old failures do not lengthen the next pause. */
const FAILURES_FORGOTTEN_AFTER_MS = 600_000

export const CLOSED: Breaker = { state: 'closed', downWindows: 0, sinceMs: null, failures: 0, goodWindows: 0 }

/** Returns the breaker after a window with enough votes. */
export function afterWindow(breaker: Breaker, verdict: HealthVerdict, rules: BreakerRules, opening: Opening): Breaker {
  switch (breaker.state) {
    case 'closed': {
      if (verdict.state !== 'down') return breaker.downWindows === 0 ? breaker : { ...breaker, downWindows: 0 }
      const downWindows = breaker.downWindows + 1
      return downWindows < rules.badWindows ? { ...breaker, downWindows } : opened(breaker, rules, opening)
    }
    case 'open':
      return breaker
    case 'half-open': {
      if (verdict.state === 'down') return opened(breaker, rules, opening)
      const goodWindows = verdict.state === 'well' ? breaker.goodWindows + 1 : 0
      const fairWindows = breaker.fairWindows + 1
      const isOver = goodWindows >= rules.goodWindows || fairWindows >= FAIR_FOR_GOOD * rules.goodWindows
      if (!isOver) return { ...breaker, goodWindows, fairWindows }
      const { failures, goodWindows: before } = breaker
      return { state: 'closed', downWindows: 0, sinceMs: opening.nowMs, failures, goodWindows: before }
    }
  }
}

/** Half-opens a breaker whose pause is over. May be called at any time. */
export function afterTime(breaker: Breaker, nowMs: number): Breaker {
  return breaker.state === 'open' && nowMs >= breaker.untilMs ? halfOpened(breaker, nowMs) : breaker
}

/** Applies the result of an active probe to an open breaker. During a trial a probe votes like a session. */
export function afterProbe(breaker: Breaker, isGood: boolean, nowMs: number): Breaker {
  if (breaker.state !== 'open') return breaker
  const goodProbes = isGood ? breaker.goodProbes + 1 : 0
  const hasRested = nowMs - breaker.sinceMs >= OPEN_MIN_MS
  return goodProbes >= GOOD_PROBES && hasRested ? halfOpened(breaker, nowMs) : { ...breaker, goodProbes }
}

function halfOpened({ failures }: Breaker & { state: 'open' }, nowMs: number): Breaker {
  return { state: 'half-open', sinceMs: nowMs, goodWindows: 0, fairWindows: 0, failures }
}

/** Returns whether the breaker was open in the last ten minutes. An outage that comes back so soon was not over. */
export function isBackAgain(breaker: Breaker, nowMs: number): boolean {
  const { state, sinceMs } = breaker
  return state === 'closed' && sinceMs !== null && nowMs - sinceMs <= FAILURES_FORGOTTEN_AFTER_MS
}

/**
 * Opens for `openMs` * 2^`failures`, at most 300 s, spread by 20 % to both sides. If the origin's Retry-After is
 * longer, it counts instead, also up to 300 s.
 */
export function opened(
  before: Breaker & { state: 'closed' | 'half-open' },
  { openMs }: Pick<BreakerRules, 'openMs'>,
  { retryAfterMs, nowMs, random }: Opening,
): Breaker {
  const failures = before.state === 'half-open' || isBackAgain(before, nowMs) ? before.failures : 0
  const spread = 1 - OPEN_SPREAD + 2 * OPEN_SPREAD * random
  const pauseMs = Math.min(OPEN_MAX_MS, openMs * 2 ** failures) * spread
  return {
    state: 'open',
    sinceMs: nowMs,
    untilMs: nowMs + Math.max(pauseMs, Math.min(OPEN_MAX_MS, retryAfterMs)),
    failures: Math.min(failures + 1, 10),
    goodProbes: 0,
  }
}
