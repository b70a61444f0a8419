/**
 * The cells in which edges report on upstreams: `health/UPSTREAM/SECOND/LETTER...`. They are a part of the usual
 * reports (`core/tally.ts`), so nothing is lost and nothing counts twice.
 *
 * SECOND is the one in which the requests were sent, so that a trial can be distinguished from the time before it.
 */
import type { CastAtPattern, CastVotes, VoteReport } from '../health/ingest.ts'
import { type Ballot, cast, LOTS, MARKS } from '../health/votes.ts'
import { BUCKET_MAX, bucketOf, type Sample, type SampleMark, upperMs } from '../history/samples.ts'
import type { Cells, Tally } from '../tally.ts'

const STAMP_MS = 1_000
const LETTERS: Readonly<Record<SampleMark | 'retry-after', string>> = {
  satisfied: 's',
  tolerating: 't',
  frustrated: 'f',
  failed: 'x',
  'turned-failed': 'u',
  'retry-after': 'r',
}
const MARK_OF_LETTER = new Map(Object.entries(LETTERS).map(([mark, letter]) => [letter, mark as keyof typeof LETTERS]))
/** An answer that is older than this is ignored. */
const OLD_AFTER_MS = 60_000
/** The longest timeout that can be set, and one second because the stamp is in whole seconds. */
const TIMEOUT_MAX_MS = 101_000
/** With fewer cells a search for old ones is not worthwhile. */
const CELLS_MANY = 1_000
/** Every reader ignores a cell that is older than this. */
const CELL_OLD_AFTER_MS = OLD_AFTER_MS + STAMP_MS + upperMs(BUCKET_MAX)
/** Edge clocks may run ahead of the room's by at most this. */
const AHEAD_MS = 10_000
/** A longer pattern of an address is cut off. */
const PATTERN_CHARACTERS_MAX = 64

/** The contents of cells: votes for the decisions, samples for the operators. */
export interface HealthReports {
  readonly votes: readonly VoteReport[]
  readonly samples: readonly Sample[]
}

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

/** Returns the pattern of an address: its first two segments, in which numbers and very long names become `*`. */
export function patternOf(path: string): string {
  const segments = path.split('/', 3).slice(1)
  const general = segments.map(segment => (/^\d+$/.test(segment) || segment.length > 24 ? '*' : segment))
  return `/${general.join('/')}`.slice(0, PATTERN_CHARACTERS_MAX)
}

function stampOf(upstream: string, sentMs: number): string {
  return `health/${upstream}/${Math.floor(sentMs / STAMP_MS)}`
}

/** Reads cells. Cells of another kind, too old ones, and ones too far in the future are left out. */
export function readCells(cells: Cells, nowMs: number): HealthReports {
  const votes: VoteReport[] = []
  const samples: Sample[] = []
  for (const [cell, by] of Object.entries(cells)) {
    const [kind, upstream = '', stamp = '', content = ''] = cell.split('/', 4)
    if (kind !== 'health' || !/^\d+$/.test(stamp)) continue
    const sentByMs = (Number(stamp) + 1) * STAMP_MS
    if (sentByMs > nowMs + AHEAD_MS + STAMP_MS || sentByMs + TIMEOUT_MAX_MS <= nowMs - OLD_AFTER_MS) continue
    const mark = MARK_OF_LETTER.get(content.slice(0, 1))
    const bucket = Number(content.slice(1))
    if (!mark) votes.push(...votesIn(content).map(vote => ({ upstream, sentByMs, ...vote })))
    else if (!/^.\d+$/.test(content) || bucket > BUCKET_MAX) continue
    else if (mark === 'retry-after') votes.push({ kind: 'retry-after', upstream, sentByMs, afterMs: upperMs(bucket) })
    // A sample is as old as its answer, not as its request.
    else if (mark === 'turned-failed' || sentByMs + upperMs(bucket) > nowMs - OLD_AFTER_MS)
      samples.push({ upstream, mark, bucket, by })
  }
  return { votes, samples }
}

/** Reads the votes of one isolate, or those at one pattern of addresses. Returns an empty list for any other text. */
function votesIn(content: string): (CastVotes | CastAtPattern)[] {
  const dot = content.indexOf('.')
  if (content.startsWith('p') && dot > 0) {
    const ballot = decode(content.slice(1, dot))
    return ballot ? [{ kind: 'pattern', ballot, pattern: decoded(content.slice(dot + 1)) }] : []
  }
  const ballot = content.startsWith('v') ? decode(content.slice(1)) : null
  return ballot ? [{ kind: 'votes', ballot }] : []
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

/** Writes two characters for each lot and two for its marks, so that a ballot can be a part of a cell's name. */
export function encode(ballot: Ballot): string {
  return Object.entries(ballot)
    .map(([lot, marks]) => Number(lot).toString(32).padStart(2, '0') + marks.toString(36).padStart(2, '0'))
    .join('')
}

/** Reads what `encode` wrote. Returns null for any other text. */
export function decode(text: string): Ballot | null {
  if (text.length % 4 !== 0 || !/^[0-9a-z]*$/.test(text)) return null
  const ballot: Ballot = {}
  for (let at = 0; at < text.length; at += 4) {
    const lot = Number.parseInt(text.slice(at, at + 2), 32)
    const marks = Number.parseInt(text.slice(at + 2, at + 4), 36)
    if (!(lot < LOTS && marks < MARKS)) return null
    cast(ballot, lot, marks)
  }
  return ballot
}
