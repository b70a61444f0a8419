/**
 * The breaker of an upstream: closed (requests pass), open (blocked), or half-open (a trial).
 *
 * No state is absorbing: an open breaker ends by its time, and a trial ends by samples. Healthy samples always close
 * the breaker, and slow ones close it later.
 */
import { type Grade, gradeOfTrial, TRIAL_SAMPLES_MIN } from './grade.ts'
import { type Counts, frustratedOf, merge, noCounts, samplesOf } from './samples.ts'

export type Breaker =
  | {
      readonly state: 'closed'
      readonly criticalWindows: number
      /** Since when, null when it never opened; `failures` in a row are forgotten after a while. */
      readonly sinceMs: number | null
      readonly failures: number
      /**
       * The good windows of the preceding trial, before its last window: they determine how many sessions it had let
       * on.
       */
      readonly goodWindows: number
    }
  | {
      readonly state: 'open'
      readonly sinceMs: number
      readonly untilMs: number
      /** When the breaker first opened in this outage. */
      readonly outageSinceMs: number
      readonly failures: number
      readonly goodProbes: number
    }
  | {
      readonly state: 'half-open'
      readonly sinceMs: number
      readonly outageSinceMs: number
      readonly goodWindows: number
      /** Windows that were not critical, good ones or not. */
      readonly fairWindows: number
      readonly failures: number
      /** Samples of the trial that are too few for a window so far. */
      readonly pending: Counts
    }

export interface BreakerRules {
  readonly apdexTarget: number
  /** The first pause; each failure in a row doubles it. */
  readonly openMs: number
  /** Critical windows in a row that open it: a single one may be a hiccup. */
  readonly badWindows: number
  /** Good windows in a row that end a trial. */
  readonly goodWindows: number
}

/** A longer pause is of no use, because the origin may be back. */
const OPEN_MAX_MS = 300_000
/** Spread to both sides, so that rooms of one origin do not come back in step. */
const OPEN_SPREAD = 0.2
/** This many good probes in a row end the pause early, but not before OPEN_MIN_MS: a failed origin needs a moment. */
const GOOD_PROBES = 3
const OPEN_MIN_MS = 10_000
/**
 * A trial without critical windows ends even without good ones, but needs this many times as many windows. Slowness is
 * left to the ceiling.
 */
const FAIR_FOR_GOOD = 2
/** After this many samples of a single session, none of them good, the trial waits for no other session. */
const TRIAL_SAMPLES_OF_ONE = 2 * TRIAL_SAMPLES_MIN
/** After this long closed, old failures do not lengthen the next pause. */
const FAILURES_FORGOTTEN_AFTER_MS = 600_000

export const CLOSED: Breaker = { state: 'closed', criticalWindows: 0, sinceMs: null, failures: 0, goodWindows: 0 }

/** The samples of a window, and their grade, which is null when there were too few. */
export interface Window {
  readonly counts: Counts
  readonly grade: Grade | null
  /** During a trial every failure is of one session, as far as is known. */
  readonly isOfOne: boolean
}

/** Returns the breaker after a window. `random` is uniform in [0, 1). */
export function afterWindow(
  breaker: Breaker,
  { counts, grade, isOfOne }: Window,
  rules: BreakerRules,
  nowMs: number,
  random: number,
): Breaker {
  switch (breaker.state) {
    case 'closed': {
      if (!grade) return breaker
      if (grade.verdict !== 'critical')
        return breaker.criticalWindows === 0 ? breaker : { ...breaker, criticalWindows: 0 }
      const criticalWindows = breaker.criticalWindows + 1
      if (criticalWindows < rules.badWindows) return { ...breaker, criticalWindows }
      return openedFirst(breaker, counts, rules.openMs, nowMs, random)
    }
    case 'open':
      return breaker
    case 'half-open': {
      const pending = noCounts()
      merge(pending, breaker.pending)
      merge(pending, counts)
      const judged = isOfOne ? withoutOne(pending) : pending
      if (!judged || samplesOf(judged) < TRIAL_SAMPLES_MIN) return { ...breaker, pending }
      const trial = gradeOfTrial(judged, rules.apdexTarget)
      const { outageSinceMs, failures } = breaker
      if (trial.verdict === 'critical') return opened(failures, outageSinceMs, counts, rules.openMs, nowMs, random)
      const goodWindows = trial.verdict === 'healthy' ? breaker.goodWindows + 1 : 0
      const fairWindows = breaker.fairWindows + 1
      const isOver = goodWindows >= rules.goodWindows || fairWindows >= FAIR_FOR_GOOD * rules.goodWindows
      if (isOver)
        return { state: 'closed', criticalWindows: 0, sinceMs: nowMs, failures, goodWindows: breaker.goodWindows }
      return { ...breaker, goodWindows, fairWindows, pending: noCounts() }
    }
  }
}

/**
 * A trial has few visitors, so failures seen by a single session do not end it. Returns null (keep collecting) while
 * only that session has reported, up to TRIAL_SAMPLES_OF_ONE samples.
 */
function withoutOne(counts: Counts): Counts | null {
  const isServed = counts.satisfied + counts.tolerating > 0
  if (isServed) return { ...counts, failed: 0, frustrated: frustratedOf(counts) }
  return samplesOf(counts) < TRIAL_SAMPLES_OF_ONE ? null : counts
}

/** Half-opens a breaker whose pause is over. May be called at any time. */
export function afterTime(breaker: Breaker, nowMs: number): Breaker {
  return breaker.state === 'open' && nowMs >= breaker.untilMs ? halfOpened(breaker, nowMs) : breaker
}

/**
 * Applies the result of an active probe to an open breaker. During a trial a probe's answer is a sample like any other.
 */
export function afterProbe(breaker: Breaker, isGood: boolean, nowMs: number): Breaker {
  if (breaker.state !== 'open') return breaker
  const goodProbes = isGood ? breaker.goodProbes + 1 : 0
  const hasRested = nowMs - breaker.sinceMs >= OPEN_MIN_MS
  return goodProbes >= GOOD_PROBES && hasRested ? halfOpened(breaker, nowMs) : { ...breaker, goodProbes }
}

function halfOpened(breaker: Breaker & { state: 'open' }, nowMs: number): Breaker {
  const { outageSinceMs, failures } = breaker
  return {
    state: 'half-open',
    sinceMs: nowMs,
    outageSinceMs,
    goodWindows: 0,
    fairWindows: 0,
    failures,
    pending: noCounts(),
  }
}

/** Opens a closed breaker. A recent failure lengthens the pause, an old one does not. */
export function openedFirst(
  { sinceMs, failures }: Breaker & { state: 'closed' },
  counts: Counts,
  openMs: number,
  nowMs: number,
  random: number,
): Breaker {
  const isOld = sinceMs === null || nowMs - sinceMs > FAILURES_FORGOTTEN_AFTER_MS
  return opened(isOld ? 0 : failures, nowMs, counts, openMs, nowMs, random)
}

/**
 * Opens for `openMs` * 2^`failures`, at most 300 s, spread by 20 % to both sides. If the origin's Retry-After is
 * longer, it counts instead, also up to 300 s.
 */
function opened(
  failures: number,
  outageSinceMs: number,
  { retryAfterMs }: Counts,
  openMs: number,
  nowMs: number,
  random: number,
): Breaker {
  const spread = 1 - OPEN_SPREAD + 2 * OPEN_SPREAD * random
  const pauseMs = Math.min(OPEN_MAX_MS, openMs * 2 ** failures) * spread
  const untilMs = nowMs + Math.max(pauseMs, Math.min(OPEN_MAX_MS, retryAfterMs))
  return { state: 'open', sinceMs: nowMs, untilMs, outageSinceMs, failures: Math.min(failures + 1, 10), goodProbes: 0 }
}
