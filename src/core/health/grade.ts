/** How well an upstream does, from the samples of a window. */
import { apdexOf, type Counts, failureShareOf, frustratedOf, SAMPLES_PER_SESSION, samplesOf } from './samples.ts'

/** Fewer samples in a window say nothing. */
export const SAMPLES_MIN = 20
/** A trial has few visitors: so few samples say enough. */
export const TRIAL_SAMPLES_MIN = 3
/** Failures up to 1 % are everyday life; a quarter is an outage. */
const FAILURES_TOLERATED = 0.01
const FAILURES_CRITICAL = 0.25
/** Half of the Apdex range is lost: most people wait four times too long. */
const APDEX_CRITICAL = 0.5
const HEALTHY_FROM = 0.98
/** Bad news is believed sooner than good news: shares of the newest window in the smoothed Apdex. */
const SMOOTHED_DOWN = 0.7
const SMOOTHED_UP = 0.4
/** Between the target and full satisfaction: above this there is room for more. */
const ROOM_FOR_MORE_SHARE = 0.75

/** What is known of an upstream when it is graded. */
interface Evidence {
  readonly window: Counts
  /** What each session has cost the Apdex, in halves of a sample, by its lot. */
  readonly losses: Readonly<Record<number, number>>
  /** The failures of each session, by its lot. */
  readonly faults: Readonly<Record<number, number>>
  /** Smoothed over windows, null before the first. */
  readonly apdex: number | null
}

export interface Grade {
  /** 1 is healthy, 0.5 as bad as it is told apart. */
  readonly g: number
  readonly apdex: number
  readonly failures: number
  readonly verdict: 'healthy' | 'unhealthy' | 'critical'
  /** So healthy that more would do no harm. */
  readonly roomForMore: boolean
}

/** The Apdex over windows, null before the first. */
export function smoothed(before: number | null, now: number): number {
  if (before === null) return now
  return before + (now - before) * (now < before ? SMOOTHED_DOWN : SMOOTHED_UP)
}

/**
 * Grades enough samples, gathered over so many windows. What one session could have said alone is not held against the upstream, and
 * whoever is known to have said most, at however many isolates, is left out where that tells better of it: so a single visitor who
 * reloads a single slow or broken page closes nothing.
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

/** The share of samples that were lost, of which one session could have lost so many alone, and the loudest is known to have lost so many. */
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

/** More than what is forgiven anyway: at several isolates one session says several times as much. */
export function isTooMuch(counts: Counts, windows: number): boolean {
  return badOf(counts) > fromOne(windows)
}

function badOf(counts: Counts): number {
  return frustratedOf(counts) + counts.failed
}

/**
 * What one session says at an isolate. Where few ask that is most of what is heard, and an edge's windows are not in step with the
 * room's: over several of them it has one turn more.
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
