/**
 * The breaker of an upstream: closed (requests pass), open (blocked), or half-open (a trial).
 *
 * No state is absorbing: an open breaker ends by its time, and a trial ends by votes, good or slow.
 */
import type { HealthVerdict } from './verdict.ts'

export type Breaker =
  | {
      readonly state: 'closed'
      /** The number of windows in a row in which the upstream was down. */
      readonly downWindows: number
      /**
       * Since when the breaker is closed; null if it was never open. After some time its `failures` in a row are
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
      /**
       * The number of windows in which the upstream was not down. They end the trial, because slowness is the ceiling's
       * concern.
       */
      readonly fairWindows: number
      /** The number of windows in a row in which it was well. They set the share of sessions that the trial lets on. */
      readonly goodWindows: number
      readonly failures: number
    }

interface BreakerRules {
  /** The first pause. Each failure in a row doubles it. */
  readonly openMs: number
  /** This many bad windows in a row open the breaker, because a single one may be a hiccup. */
  readonly badWindows: number
  /** A trial ends after this many windows in which the upstream is not down. */
  readonly goodWindows: number
}

/** The circumstances in which a breaker opens. `random` is uniform in [0, 1). */
interface Opening {
  /** The longest Retry-After that the upstream has sent lately, 0 for none. */
  readonly retryAfterMs: number
  readonly nowMs: number
  readonly random: number
}

/** The longest pause. A longer one is useless, because the origin may be back. */
const OPEN_MAX_MS = 300_000
/** Pauses vary by this share in both directions, so that rooms of one origin do not come back at the same moment. */
const OPEN_SPREAD = 0.2
/** This many good probes in a row end the pause early, but not before OPEN_MIN_MS: a failed origin needs a moment. */
const GOOD_PROBES = 3
const OPEN_MIN_MS = 10_000
/** Once the breaker has been closed for this long, old failures no longer lengthen the next pause. */
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
      const fairWindows = breaker.fairWindows + 1
      const goodWindows = verdict.state === 'well' ? breaker.goodWindows + 1 : 0
      if (fairWindows < rules.goodWindows) return { ...breaker, fairWindows, goodWindows }
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
  return { state: 'half-open', sinceMs: nowMs, fairWindows: 0, goodWindows: 0, failures }
}

/**
 * Opens the breaker for `openMs` * 2^`failures`, at most 300 s, which varies by 20 % in both directions. If the
 * origin's Retry-After is longer, it is used instead, but also at most 300 s.
 */
export function opened(
  before: Breaker & { state: 'closed' | 'half-open' },
  { openMs }: Pick<BreakerRules, 'openMs'>,
  { retryAfterMs, nowMs, random }: Opening,
): Breaker {
  const isBackAgain =
    before.state === 'half-open' || nowMs - (before.sinceMs ?? -Infinity) <= FAILURES_FORGOTTEN_AFTER_MS
  const failures = isBackAgain ? before.failures : 0
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
