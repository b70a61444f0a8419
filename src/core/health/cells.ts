/**
 * The cells in which edges report on upstreams: `health/UPSTREAM/SECOND/LETTER...`. They travel in the reports that
 * there are anyway (`core/tally.ts`): nothing is lost, and nothing counts twice.
 *
 * SECOND is the one in which the requests were sent, so that a trial can be distinguished from the time before it.
 */
import type { Tally } from '../tally.ts'
import { BUCKET_MAX, bucketOf, type SampleMark, upperMs } from './samples.ts'
import { type Ballot, decode, encode } from './votes.ts'

const STAMP_MS = 1_000
const LETTERS: Readonly<Record<SampleMark | 'retry-after', string>> = {
  satisfied: 's',
  tolerating: 't',
  frustrated: 'f',
  failed: 'x',
  'turned-failed': 'u',
  'retry-after': 'r',
}
const MARKS = new Map(Object.entries(LETTERS).map(([mark, letter]) => [letter, mark as keyof typeof LETTERS]))
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
/** A longer pattern of an address is cut off. */
const PATTERN_CHARACTERS_MAX = 64

/** The content of a cell, and the latest time at which its requests were sent. */
export type ReportedCell = { readonly upstream: string; readonly sentByMs: number } & (
  | { readonly kind: 'sample'; readonly mark: SampleMark; readonly bucket: number }
  | { readonly kind: 'retry-after'; readonly afterMs: number }
  | { readonly kind: 'votes'; readonly ballot: Ballot }
  | { readonly kind: 'pattern'; readonly pattern: string; readonly ballot: Ballot }
)

/** The cell of one sample, or of a Retry-After, for `Tally.add`. */
export function cellOf(upstream: string, mark: SampleMark | 'retry-after', ms: number, sentMs: number): string {
  return `${stampOf(upstream, sentMs)}/${LETTERS[mark]}${bucketOf(ms)}`
}

/** The cell of the votes of one isolate. */
export function votesCell(upstream: string, ballot: Ballot, sentMs: number): string {
  return `${stampOf(upstream, sentMs)}/v${encode(ballot)}`
}

/** The cell of the sessions that asked for a pattern of addresses, and of those badly served there. */
export function patternCell(upstream: string, pattern: string, ballot: Ballot, sentMs: number): string {
  return `${stampOf(upstream, sentMs)}/p${encode(ballot)}.${encodeURIComponent(pattern)}`
}

/** The pattern of an address: its first two segments, without numbers and other long names of single things. */
export function patternOf(path: string): string {
  const segments = path.split('/', 3).slice(1)
  const general = segments.map(segment => (/^\d+$/.test(segment) || segment.length > 24 ? '*' : segment))
  return `/${general.join('/')}`.slice(0, PATTERN_CHARACTERS_MAX)
}

function stampOf(upstream: string, sentMs: number): string {
  return `health/${upstream}/${Math.floor(sentMs / STAMP_MS)}`
}

/** Returns null for a cell that is of another kind, too old, or too far in the future. */
export function readCell(cell: string, nowMs: number): ReportedCell | null {
  const [kind, upstream = '', stamp = '', content = ''] = cell.split('/', 4)
  if (kind !== 'health' || !/^\d+$/.test(stamp)) return null
  const sentByMs = (Number(stamp) + 1) * STAMP_MS
  if (sentByMs > nowMs + AHEAD_MS + STAMP_MS || sentByMs + TIMEOUT_MAX_MS <= nowMs - OLD_AFTER_MS) return null
  const letter = content.slice(0, 1)
  const rest = content.slice(1)
  if (letter === 'v') return votesIn({ upstream, sentByMs }, rest)
  if (letter === 'p') return patternIn({ upstream, sentByMs }, rest)
  const mark = MARKS.get(letter)
  const bucket = Number(rest)
  if (!mark || !/^\d+$/.test(rest) || bucket > BUCKET_MAX) return null
  if (mark === 'retry-after') return { kind: 'retry-after', upstream, sentByMs, afterMs: upperMs(bucket) }
  // A sample is as old as its answer, not as its request.
  if (mark !== 'turned-failed' && sentByMs + upperMs(bucket) <= nowMs - OLD_AFTER_MS) return null
  return { kind: 'sample', upstream, sentByMs, mark, bucket }
}

function votesIn(of: { upstream: string; sentByMs: number }, text: string): ReportedCell | null {
  const ballot = decode(text)
  return ballot && { kind: 'votes', ...of, ballot }
}

function patternIn(of: { upstream: string; sentByMs: number }, text: string): ReportedCell | null {
  const dot = text.indexOf('.')
  const ballot = decode(text.slice(0, dot))
  return dot < 0 || !ballot ? null : { kind: 'pattern', ...of, ballot, pattern: decoded(text.slice(dot + 1)) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).slice(0, PATTERN_CHARACTERS_MAX)
  } catch {
    return text.slice(0, PATTERN_CHARACTERS_MAX)
  }
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
