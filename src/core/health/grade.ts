/** How well an upstream does, from the samples of a window. */
import { apdexOf, type Counts, failureShareOf, frustratedOf, SAMPLES_PER_SESSION, samplesOf } from './samples.ts'

/** A window with fewer samples is not graded. */
export const SAMPLES_MIN = 20
/** A trial has few visitors, so this many samples are enough. */
export const TRIAL_SAMPLES_MIN = 3
/** Failures up to 1 % are normal. A quarter is an outage. */
const FAILURES_TOLERATED = 0.01
const FAILURES_CRITICAL = 0.25
/** Half of the Apdex range is lost: most people wait four times too long. */
const APDEX_CRITICAL = 0.5
const HEALTHY_FROM = 0.98
/** The share of the newest window in the smoothed Apdex: a fall is believed sooner than a rise. */
const SMOOTHED_DOWN = 0.7
const SMOOTHED_UP = 0.4
/** Between the target and full satisfaction: above this there is room for more. */
const ROOM_FOR_MORE_SHARE = 0.75

/** The evidence by which an upstream is graded. */
interface Evidence {
  readonly window: Counts
  /** The cost of each session to the Apdex, in halves of a sample, by its session hash bucket (lot). */
  readonly losses: Readonly<Record<number, number>>
  /** The failures of each session, by its lot. */
  readonly faults: Readonly<Record<number, number>>
  /** Smoothed over windows, null before the first. */
  readonly apdex: number | null
}

export interface Grade {
  /** 1 is healthy. Slowness alone lowers it to 0.5 at most, failures lower it to 0. */
  readonly g: number
  readonly apdex: number
  readonly failures: number
  readonly verdict: 'healthy' | 'unhealthy' | 'critical'
  /** So healthy that more load would do no harm. */
  readonly roomForMore: boolean
}

/** Returns the Apdex smoothed over windows. `before` is null before the first. */
export function smoothed(before: number | null, now: number): number {
  if (before === null) return now
  return before + (now - before) * (now < before ? SMOOTHED_DOWN : SMOOTHED_UP)
}

/**
 * Grades enough samples, gathered over `windows` windows. Bad samples that one session could have caused are not held
 * against the upstream. The loudest known session, at all isolates together, is left out where that improves the grade.
 * So a single visitor who reloads one slow or broken page opens no breaker.
 */
export function gradeOf(
  { window: counts, losses, faults, apdex: apdexBefore }: Evidence,
  windows: number,
  apdexTarget: number,
): Grade {
  const samples = samplesOf(counts)
  const bad = badOf(counts)
  const alone = fromOne(windows)
  const lost = sharedLoss(bad + counts.tolerating / 2, {
    samples,
    alone: Math.min(bad, alone),
    loudest: mostOf(losses) / 2,
  })
  const failures = sharedLoss(counts.failed, { samples, alone, loudest: mostOf(faults) })
  return graded(smoothed(apdexBefore, 1 - lost), failures, apdexTarget)
}

/**
 * The fraction of samples lost, after discounting what one session could explain: `alone` bad samples, or the losses of
 * the loudest session, whichever is kinder to the upstream.
 */
function sharedLoss(
  lost: number,
  { samples, alone, loudest }: { readonly samples: number; readonly alone: number; readonly loudest: number },
): number {
  const share = Math.max(0, lost - alone) / samples
  const others = samples - Math.min(lost, loudest)
  return others > 0 ? Math.min(share, Math.max(0, lost - loudest) / others) : share
}

function mostOf(byLot: Readonly<Record<number, number>>): number {
  return Math.max(0, ...Object.values(byLot))
}

/**
 * Returns whether there are more bad samples than one session can cause at one isolate. At several isolates one session
 * can cause several times as many.
 */
export function isTooMuch(counts: Counts, windows: number): boolean {
  return badOf(counts) > fromOne(windows)
}

function badOf(counts: Counts): number {
  return frustratedOf(counts) + counts.failed
}

/**
 * The most samples that one session can give at one isolate. Where few sessions ask, these are most of the samples. The
 * windows of an edge are not in step with the room's, so several windows count as one more.
 */
function fromOne(windows: number): number {
  return SAMPLES_PER_SESSION * (windows > 1 ? windows + 1 : 1)
}

/** Grades the few samples of a trial, each of which counts. */
export function gradeOfTrial(counts: Counts, apdexTarget: number): Grade {
  return graded(apdexOf(counts) ?? 1, failureShareOf(counts) ?? 0, apdexTarget)
}

function graded(apdex: number, failures: number, apdexTarget: number): Grade {
  const bySpeed = clamp(apdex / apdexTarget, 0.5, 1)
  const byFailures = 1 - clamp((failures - FAILURES_TOLERATED) / (FAILURES_CRITICAL - FAILURES_TOLERATED), 0, 1)
  const g = Math.min(bySpeed, byFailures)
  const isCritical = failures >= FAILURES_CRITICAL || apdex < APDEX_CRITICAL
  return {
    g,
    apdex,
    failures,
    verdict: isCritical ? 'critical' : g >= HEALTHY_FROM ? 'healthy' : 'unhealthy',
    roomForMore: apdex >= apdexTarget + (1 - apdexTarget) * ROOM_FOR_MORE_SHARE && failures <= FAILURES_TOLERATED,
  }
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
