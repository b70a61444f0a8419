/**
 * The edges' reports on an upstream: how many answers of each outcome, and how long they took. Only counts are
 * reported, so that those of any number of isolates and doors can be added up in any order.
 *
 * They travel as cells of existing reports (`core/tally.ts`): nothing is lost, and nothing counts twice.
 */
import { lotOf } from '../hash.ts'
import type { Tally } from '../tally.ts'

/** Decisions are made this often, from the samples since the last one. */
export const WINDOW_MS = 5_000
/** Samples are stamped with the second in which their request was sent, so that old ones can be recognised. */
const STAMP_MS = 1_000
/** One session may give this many samples per window and isolate: a single reload key must not block a room. */
export const SAMPLES_PER_SESSION = 5
/** The name of the upstream for all requests that belong to no named upstream. */
export const ORIGIN = 'origin'

/**
 * Apdex: satisfied within T, tolerating within 4 T, frustrated beyond. Failed: a 5xx, no answer in time, no connection.
 */
export type Outcome = 'satisfied' | 'tolerating' | 'frustrated' | 'failed'

/** Added up over samples. Plain data, so that it can be stored. */
export interface Counts {
  satisfied: number
  tolerating: number
  frustrated: number
  failed: number
  /** Samples by time to first byte, in the buckets of `bucketOf`; failures are not among them. */
  latency: Record<number, number>
  /** The longest Retry-After that a 503 or 429 of the origin asked for, 0 for none. */
  retryAfterMs: number
}

/**
 * Corrections of an earlier sample. `turned-failed`: a frustrated sample turned out to be a failure, and must count
 * once, as a failure. `came-late`: its answer came at last.
 */
type Sequel = 'turned-failed' | 'came-late'

/**
 * Marks that are not samples. `complaint`: a session's request failed (once per window). `loss`/`fault`: Apdex points
 * and failures per session. `answered`: an answer that gives no sample.
 */
type Remark = 'complaint' | 'loss' | 'fault' | 'answered'

type Mark = Outcome | Sequel | Remark | 'retry-after'

const LETTERS: Readonly<Record<Mark, string>> = {
  satisfied: 's',
  tolerating: 't',
  frustrated: 'f',
  failed: 'x',
  'turned-failed': 'u',
  'retry-after': 'r',
  complaint: 'c',
  loss: 'd',
  fault: 'e',
  answered: 'a',
  'came-late': 'l',
}
/** Marks whose bucket is not the time that an answer took. */
const UNTIMED: ReadonlySet<Mark> = new Set(['turned-failed', 'complaint', 'loss', 'fault', 'retry-after'])
const MARKS = new Map(Object.entries(LETTERS).map(([mark, letter]) => [letter, mark as Mark]))
/** Four buckets to each doubling: a percentile is right within a tenth. */
const BUCKETS_PER_DOUBLING = 4
/** Sessions are told apart by this many hash buckets (lots): five sessions have different ones in 99 of 100 cases. */
const LOTS = 1_000
/** 2^17 ms is over two minutes, longer than any timeout. */
const BUCKET_MAX = 17 * BUCKETS_PER_DOUBLING
/** An answer that is older than this is ignored. */
const OLD_AFTER_MS = 60_000
/** The longest timeout there may be, and a second for the stamp. */
const TIMEOUT_MAX_MS = 101_000
/** With fewer cells a search for old ones is not worthwhile. */
const CELLS_MANY = 1_000
/** Every reader ignores a cell that is older than this. */
const CELL_OLD_AFTER_MS = OLD_AFTER_MS + STAMP_MS + upperMs(BUCKET_MAX)
/** Edge clocks may run ahead of the room's by at most this. */
const AHEAD_MS = 10_000

export function noCounts(): Counts {
  return { satisfied: 0, tolerating: 0, frustrated: 0, failed: 0, latency: {}, retryAfterMs: 0 }
}

export function outcomeOf(tookMs: number, targetMs: number): Outcome {
  if (tookMs <= targetMs) return 'satisfied'
  return tookMs <= 4 * targetMs ? 'tolerating' : 'frustrated'
}

/** The cell of one sample, for `Tally.add`. */
export function cellOf(upstream: string, mark: Mark, ms: number, sentMs: number): string {
  return `health/${upstream}/${Math.floor(sentMs / STAMP_MS)}/${LETTERS[mark]}${bucketOf(ms)}`
}

/**
 * The cell for a session whose request failed. All failures of one session in one second give the same cell, at any
 * edge.
 */
export function complaintOf(upstream: string, sid: string, sentMs: number): string {
  return remarkOf(upstream, 'complaint', sid, sentMs)
}

/** The cell for a session with slow or failed answers. It counts halves of a sample (`lossBy`). */
export function lossOf(upstream: string, sid: string, sentMs: number): string {
  return remarkOf(upstream, 'loss', sid, sentMs)
}

/** Returns how much a sample takes from the Apdex, in halves of a sample. */
export function lossBy(outcome: Outcome): number {
  if (outcome === 'satisfied') return 0
  return outcome === 'tolerating' ? 1 : 2
}

/** The cell for a session whose failures were counted. */
export function faultOf(upstream: string, sid: string, sentMs: number): string {
  return remarkOf(upstream, 'fault', sid, sentMs)
}

function remarkOf(upstream: string, mark: 'complaint' | 'loss' | 'fault', sid: string, sentMs: number): string {
  return `health/${upstream}/${Math.floor(sentMs / STAMP_MS)}/${LETTERS[mark]}${Math.floor(lotOf(sid) * LOTS)}`
}

/**
 * Drops samples that every reader would ignore. While no door answers, a tally must not grow by samples of an hour ago.
 */
export function forgetOldSamples(tally: Tally, nowMs: number): void {
  if (tally.size < CELLS_MANY) return
  tally.prune(cell => {
    if (!cell.startsWith('health/')) return false
    const stamp = Number(cell.split('/')[2])
    return (stamp + 1) * STAMP_MS <= nowMs - CELL_OLD_AFTER_MS
  })
}

/** The content of a cell, and the latest time at which its request was sent. */
export interface HeardCell {
  readonly upstream: string
  readonly mark: Mark
  /**
   * The bucket of the time that the answer took, or that a Retry-After asks for. For a complaint, loss or fault: the
   * lot of its session.
   */
  readonly bucket: number
  readonly sentByMs: number
}

/** Returns null for a cell that is of another kind, too old, or too far in the future. */
export function readCell(cell: string, nowMs: number): HeardCell | null {
  const match = /^health\/([^/]+)\/(\d{1,12})\/([a-z])(\d{1,3})$/.exec(cell)
  if (!match) return null
  const [, upstream = '', stamp, letter = '', bucket] = match
  const mark = MARKS.get(letter)
  const sentByMs = (Number(stamp) + 1) * STAMP_MS
  if (!mark || sentByMs - STAMP_MS > nowMs + AHEAD_MS) return null
  // A sample is as old as its answer, not as its request.
  const tookMs = UNTIMED.has(mark) ? TIMEOUT_MAX_MS : upperMs(Number(bucket))
  if (sentByMs + tookMs <= nowMs - OLD_AFTER_MS) return null
  return { upstream, mark, bucket: Number(bucket), sentByMs }
}

function isRemark(mark: Mark): mark is Remark {
  return mark === 'complaint' || mark === 'loss' || mark === 'fault' || mark === 'answered'
}

export function add(counts: Counts, mark: Mark, bucket: number, by = 1): void {
  if (isRemark(mark) || mark === 'came-late') return
  if (mark === 'retry-after') {
    counts.retryAfterMs = Math.max(counts.retryAfterMs, upperMs(bucket))
    return
  }
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
  into.retryAfterMs = Math.max(into.retryAfterMs, from.retryAfterMs)
  for (const [bucket, by] of Object.entries(from.latency)) {
    into.latency[Number(bucket)] = (into.latency[Number(bucket)] ?? 0) + by
  }
}

/**
 * `frustrated` can be negative: a request may be counted frustrated in one window and re-marked failed in the next,
 * where it then counts as a new sample.
 */
export function samplesOf(counts: Counts): number {
  return counts.satisfied + counts.tolerating + frustratedOf(counts) + counts.failed
}

export function frustratedOf({ frustrated }: Counts): number {
  return Math.max(0, frustrated)
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

/** Milliseconds within which the share `q` of answers came, null without an answer. */
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

/** The bucket of a duration: its upper end is the first at or above it. */
export function bucketOf(ms: number): number {
  return Math.min(BUCKET_MAX, Math.max(0, Math.ceil(BUCKETS_PER_DOUBLING * Math.log2(Math.max(1, ms)))))
}

export function upperMs(bucket: number): number {
  return Math.round(2 ** (bucket / BUCKETS_PER_DOUBLING))
}
