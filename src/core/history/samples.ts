/**
 * The histograms of how long an upstream's answers took. They are for operators to look at: decisions are taken on
 * votes (`core/health/votes.ts`). Only counts are kept, so those of any number of isolates and doors can be added up in
 * any order.
 */
import type { Outcome } from '../health/outcome.ts'
import { own, ownOr } from '../own.ts'
import { MINUTE_MS } from '../timing.ts'

/** `turned-failed`: a sample that was counted as frustrated has failed after all. It must count once, as a failure. */
export type SampleMark = Outcome | 'turned-failed'

/** The sums over samples. Plain data, so that it can be stored. */
export interface Counts {
  satisfied: number
  tolerating: number
  frustrated: number
  failed: number
  /** Samples by time to first byte, in the buckets of `bucketOf`; failures are not among them. */
  latency: Record<number, number>
}

/** A minute of the history that operators see. */
export interface Minute {
  readonly minute: number
  readonly upstreams: Record<string, Counts>
}

/** The samples of the last 60 seconds, and of the current calendar minute. Plain data. */
export interface LateSamples {
  minute: Minute
  /** Oldest first. */
  readonly steps: { readonly atMs: number; readonly upstreams: Record<string, Counts> }[]
}

/** One sample of an upstream, as a report contains it. */
export interface Sample {
  readonly upstream: string
  readonly mark: SampleMark
  readonly bucket: number
  readonly by: number
}

/** Samples that come within this time are kept together. */
const STEP_MS = 5_000
/** Each doubling of a duration has four buckets, so a percentile is right within a tenth. */
const BUCKETS_PER_DOUBLING = 4
/** 2^17 ms is over two minutes, longer than any timeout. */
export const BUCKET_MAX = 17 * BUCKETS_PER_DOUBLING

export function newSamples(nowMs: number): LateSamples {
  return { minute: { minute: Math.floor(nowMs / MINUTE_MS), upstreams: {} }, steps: [] }
}

export function addSamples(late: LateSamples, samples: readonly Sample[], nowMs: number): void {
  if (samples.length === 0) return
  let step = late.steps.at(-1)
  if (!step || nowMs - step.atMs >= STEP_MS) {
    step = { atMs: nowMs, upstreams: {} }
    late.steps.push(step)
  }
  while (nowMs - (late.steps[0]?.atMs ?? nowMs) >= MINUTE_MS) late.steps.shift()
  for (const { upstream, mark, bucket, by } of samples)
    for (const { upstreams } of [late.minute, step]) add(ownOr(upstreams, upstream, noCounts), mark, bucket, by)
}

/** Returns the last minute once it has ended, a single time. Otherwise returns null. */
export function endMinute(late: LateSamples, nowMs: number): Minute | null {
  const ended = late.minute
  const minute = Math.floor(nowMs / MINUTE_MS)
  if (minute === ended.minute) return null
  late.minute = { minute, upstreams: {} }
  return ended
}

/** Returns the samples of an upstream that were reported in the last minute of wall time. */
export function lastMinute({ steps }: LateSamples, upstream: string, nowMs: number): Counts {
  const counts = noCounts()
  for (const { atMs, upstreams } of steps)
    if (nowMs - atMs < MINUTE_MS) merge(counts, own(upstreams, upstream) ?? noCounts())
  return counts
}

export function noCounts(): Counts {
  return { satisfied: 0, tolerating: 0, frustrated: 0, failed: 0, latency: {} }
}

export function add(counts: Counts, mark: SampleMark, bucket: number, by = 1): void {
  if (mark === 'turned-failed') {
    counts.frustrated -= by
    counts.failed += by
    return
  }
  counts[mark] += by
  if (mark !== 'failed') counts.latency[bucket] = (counts.latency[bucket] ?? 0) + by
}

export function merge(into: Counts, from: Counts): void {
  into.satisfied += from.satisfied
  into.tolerating += from.tolerating
  into.frustrated += from.frustrated
  into.failed += from.failed
  for (const [bucket, by] of Object.entries(from.latency)) {
    into.latency[Number(bucket)] = (into.latency[Number(bucket)] ?? 0) + by
  }
}

/**
 * `frustrated` can be -1: a request may be counted as frustrated in one minute, and be moved to failed in the next.
 */
export function samplesOf(counts: Counts): number {
  return counts.satisfied + counts.tolerating + Math.max(0, counts.frustrated) + counts.failed
}

/** Apdex (apdex.org, version 1.1), null without a sample. */
export function apdexOf(counts: Counts): number | null {
  const samples = samplesOf(counts)
  return samples === 0 ? null : (counts.satisfied + counts.tolerating / 2) / samples
}

/** The share of failures, null without a sample. */
export function failureShareOf(counts: Counts): number | null {
  const samples = samplesOf(counts)
  return samples === 0 ? null : counts.failed / samples
}

/** Returns the milliseconds within which the share `q` of answers came, or null without an answer. */
export function quantileMs({ latency }: Counts, q: number): number | null {
  const buckets = Object.entries(latency)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort(([a], [b]) => a - b)
  const samples = buckets.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [bucket, count] of buckets) {
    seen += count
    if (seen >= samples * q && count > 0) return upperMs(bucket)
  }
  return null
}

/** Returns the first bucket whose upper end is not below the duration. */
export function bucketOf(ms: number): number {
  return Math.min(BUCKET_MAX, Math.max(0, Math.ceil(BUCKETS_PER_DOUBLING * Math.log2(Math.max(1, ms)))))
}

export function upperMs(bucket: number): number {
  return Math.round(2 ** (bucket / BUCKETS_PER_DOUBLING))
}
