/** Ingests what edges report of upstreams: votes for the decisions, histograms for the operators. */
import { own, ownOr } from '../own.ts'
import { MINUTE_MS } from '../timing.ts'
import { type ReportedCell, readCell } from './cells.ts'
import { noteSeen } from './presence.ts'
import { add, type Counts, merge, noCounts, ORIGIN, WINDOW_MS } from './samples.ts'
import { type HealthRules, type HealthState, type Minute, type UpstreamHealth, upstreamIn } from './state.ts'
import { type Ballot, cast, FAILED, NEWCOMERS_LOT } from './votes.ts'

/**
 * In a trial, an answer that is no sample (such as a 4xx) is worth half a good one, because the upstream has answered.
 */
const ANSWERED = 4
/** The most patterns of addresses that are followed in one window. */
const PATTERNS_MAX = 32

/** Ingests the cells of a report. Other cells are ignored. */
export function ingest(
  health: HealthState,
  cells: Readonly<Record<string, number>>,
  rules: HealthRules,
  nowMs: number,
): void {
  if (rules.mode === 'off') return
  for (const [cell, by] of Object.entries(cells)) {
    const read = readCell(cell, nowMs)
    if (!read || !rules.upstreams.some(({ name }) => name === read.upstream)) continue
    const known = upstreamIn(health, read.upstream)
    if (read.kind === 'sample') {
      add(ownOr(health.minute.upstreams, read.upstream, noCounts), read.mark, read.bucket, by)
      add(recentCounts(known, nowMs), read.mark, read.bucket, by)
      continue
    }
    if (read.kind === 'votes' && read.upstream === ORIGIN) noteSeen(health.presence, Object.keys(read.ballot), nowMs)
    // A trial is judged only by requests that were sent during it.
    if (read.sentByMs > (known.breaker.sinceMs ?? 0)) applyVotes(known, read, nowMs)
  }
}

function applyVotes(known: UpstreamHealth, read: Exclude<ReportedCell, { kind: 'sample' }>, nowMs: number): void {
  switch (read.kind) {
    case 'retry-after':
      known.retryAfterMs = Math.max(known.retryAfterMs, read.afterMs)
      return
    case 'pattern': {
      if (!Object.hasOwn(known.patterns, read.pattern) && Object.keys(known.patterns).length >= PATTERNS_MAX) return
      const ballot = ownOr(known.patterns, read.pattern, (): Ballot => ({}))
      for (const [lot, marks] of Object.entries(read.ballot)) cast(ballot, Number(lot), marks)
      return
    }
    case 'votes':
      if (read.upstream !== ORIGIN) followFailures(known, read.ballot, read.sentByMs, nowMs)
      for (const [lot, marks] of Object.entries(read.ballot)) vote(known, read.upstream, Number(lot), marks)
  }
}

function vote(known: UpstreamHealth, upstream: string, lot: number, marks: number): void {
  const isAnswer = marks === 0 && upstream !== ORIGIN && known.breaker.state === 'half-open'
  const counted = isAnswer ? ANSWERED : marks
  if (counted === 0) return
  cast(known.ballot, lot, counted)
  known.votes++
}

/**
 * Records the sessions that a named upstream has failed since its last good answer. Newcomers do not count, because
 * all of them may be one visitor.
 */
function followFailures(known: UpstreamHealth, ballot: Ballot, sentByMs: number, nowMs: number): void {
  const votes = Object.entries(ballot)
  if (votes.some(([, marks]) => marks === 0 || !(marks & FAILED || marks & 1))) known.failing = {}
  for (const [lot, marks] of votes) {
    if (!(marks & FAILED) || Number(lot) === NEWCOMERS_LOT) continue
    // The clocks of edges may run ahead.
    const sentMs = Math.max(known.failing[Number(lot)]?.sentMs ?? 0, Math.min(sentByMs, nowMs))
    known.failing[Number(lot)] = { sentMs, reportedMs: nowMs }
  }
}

function recentCounts(known: UpstreamHealth, nowMs: number): Counts {
  const last = known.recent.at(-1)
  if (last && nowMs - last.atMs < WINDOW_MS) return last.counts
  const counts = noCounts()
  known.recent = [...known.recent.filter(({ atMs }) => nowMs - atMs < MINUTE_MS), { atMs: nowMs, counts }]
  return counts
}

/** Returns the minute that has ended, once, or null while it goes on. */
export function endMinute(health: HealthState, nowMs: number): Minute | null {
  const ended = health.minute
  const minute = Math.floor(nowMs / MINUTE_MS)
  if (minute === ended.minute) return null
  health.minute = { minute, upstreams: {} }
  return ended
}

/** Returns the samples of an upstream that were reported in the last minute of wall time. */
export function lastMinute(health: HealthState, name: string, nowMs: number): Counts {
  const counts = noCounts()
  for (const { atMs, counts: part } of own(health.upstreams, name)?.recent ?? [])
    if (nowMs - atMs < MINUTE_MS) merge(counts, part)
  return counts
}

/** Begins a new window of votes. */
export function clearVotes(known: UpstreamHealth): void {
  known.ballot = {}
  known.votes = 0
  known.thinWindows = 0
  known.patterns = {}
  known.retryAfterMs = 0
}
