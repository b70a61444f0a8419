/**
 * Whether requests go to an upstream at all: closed, open, or half-open for a trial.
 *
 * No state is absorbing: an open breaker ends by its time, a trial ends by samples, and healthy samples always close it, as slow ones
 * do in time.
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
      /** Good windows of the trial before it, when its last window began: they say how much was tried. */
      readonly goodWindows: number
    }
  | {
      readonly state: 'open'
      readonly sinceMs: number
      readonly untilMs: number
      /** Since when it has not been closed. */
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
      /** Samples of the trial that were too few for a window. */
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

/** Longer pauses help nobody: the origin may be back. */
const OPEN_MAX_MS = 300_000
/** Spread to both sides, so that rooms of one origin do not come back in step. */
const OPEN_SPREAD = 0.2
/** Probes in a row that answer well end the pause early; not at once, for what fell over needs a moment. */
const GOOD_PROBES = 3
const OPEN_MIN_MS = 10_000
/** A trial that is never critical ends without good windows, too, but takes so many times longer: slowness is the ceiling's business. */
const FAIR_FOR_GOOD = 2
/** So many samples of one session, of which none is good, are all there is to hear. */
const TRIAL_SAMPLES_OF_ONE = 2 * TRIAL_SAMPLES_MIN
/** Closed for so long, an old failure does not lengthen the next pause. */
const FAILURES_FORGOTTEN_AFTER_MS = 600_000

export const CLOSED: Breaker = { state: 'closed', criticalWindows: 0, sinceMs: null, failures: 0, goodWindows: 0 }

/** What was heard in a window, and how it is graded: null when there were too few samples. */
export interface Window {
  readonly counts: Counts
  readonly grade: Grade | null
  /** During a trial all who were failed are one session, as far as is known. */
  readonly isOfOne: boolean
}

/** What a window's end does. `random` is uniform in [0, 1). */
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
 * A trial has few visitors: what fails for one of them, and for nobody else, does not end it. Null while nobody else was heard, and that
 * one not so often that there is nobody else.
 */
function withoutOne(counts: Counts): Counts | null {
  const isServed = counts.satisfied + counts.tolerating > 0
  if (isServed) return { ...counts, failed: 0, frustrated: frustratedOf(counts) }
  return samplesOf(counts) < TRIAL_SAMPLES_OF_ONE ? null : counts
}

/** An open breaker's pause is over by its time. Asked at any time. */
export function afterTime(breaker: Breaker, nowMs: number): Breaker {
  return breaker.state === 'open' && nowMs >= breaker.untilMs ? halfOpened(breaker, nowMs) : breaker
}

/** An active probe's outcome while it is open. Of a trial, a probe's answer is a sample like any other. */
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

/** Not after a failed trial; but the last failure may be so young that it counts. */
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

/** Open for 30 s·2^k within five minutes, or as long as the origin itself has asked for. */
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
