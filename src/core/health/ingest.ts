/** Ingests the votes that edges report on upstreams. */
import { ownOr } from '../own.ts'
import { ORIGIN } from './outcome.ts'
import { noteSeen } from './presence.ts'
import { type HealthRules, type HealthState, type UpstreamHealth, upstreamIn } from './state.ts'
import { type Ballot, cast, FAILED, NEWCOMERS_LOT } from './votes.ts'

/** The answers that sessions got from an upstream. */
export interface CastVotes {
  readonly kind: 'votes'
  readonly ballot: Ballot
}

/** The sessions that asked for a pattern of addresses, and those that were badly served there. */
export interface CastAtPattern {
  readonly kind: 'pattern'
  readonly pattern: string
  readonly ballot: Ballot
}

/** One report on an upstream, and the latest time at which its requests were sent. */
export type VoteReport = { readonly upstream: string; readonly sentByMs: number } & (
  | CastVotes
  | CastAtPattern
  | { readonly kind: 'retry-after'; readonly afterMs: number }
)

/**
 * In a trial, an answer that is no sample (such as a 4xx) is worth half a good one, because the upstream has answered.
 */
const ANSWERED = 4
/** The most patterns of addresses that are followed in one window. */
const PATTERNS_MAX = 32

/** Ingests reports. Reports on an upstream that the rules do not name are ignored. */
export function ingest(health: HealthState, reports: readonly VoteReport[], rules: HealthRules, nowMs: number): void {
  if (rules.mode === 'off') return
  for (const report of reports) {
    if (!rules.upstreams.some(({ name }) => name === report.upstream)) continue
    const known = upstreamIn(health, report.upstream)
    if (report.kind === 'votes' && report.upstream === ORIGIN)
      noteSeen(health.presence, Object.keys(report.ballot), nowMs)
    // A trial is judged only by requests that were sent during it.
    if (report.sentByMs > (known.breaker.sinceMs ?? 0)) apply(known, report, nowMs)
  }
}

function apply(known: UpstreamHealth, report: VoteReport, nowMs: number): void {
  if (report.kind === 'retry-after') known.retryAfterMs = Math.max(known.retryAfterMs, report.afterMs)
  else if (report.kind === 'votes') addVotes(known, report, nowMs)
  else if (Object.hasOwn(known.patterns, report.pattern) || Object.keys(known.patterns).length < PATTERNS_MAX) {
    const ballot = ownOr(known.patterns, report.pattern, (): Ballot => ({}))
    for (const [lot, marks] of Object.entries(report.ballot)) cast(ballot, Number(lot), marks)
  }
}

function addVotes(known: UpstreamHealth, { upstream, ballot, sentByMs }: VoteReport & CastVotes, nowMs: number): void {
  const isNamed = upstream !== ORIGIN
  if (isNamed) followFailures(known, ballot, Math.min(sentByMs, nowMs), nowMs)
  for (const [lot, marks] of Object.entries(ballot)) {
    const counted = marks === 0 && isNamed && known.breaker.state === 'half-open' ? ANSWERED : marks
    if (counted === 0) continue
    cast(known.ballot, Number(lot), counted)
    known.votes++
  }
}

/**
 * Records the sessions that a named upstream has failed since its last good answer. Newcomers do not count, because
 * all of them may be one visitor. The clocks of edges may run ahead, so `sentMs` is at most `nowMs`.
 */
function followFailures(known: UpstreamHealth, ballot: Ballot, sentMs: number, nowMs: number): void {
  const votes = Object.entries(ballot)
  if (votes.some(([, marks]) => marks === 0 || !(marks & FAILED || marks & 1))) known.failing = {}
  for (const [lot, marks] of votes) {
    if (!(marks & FAILED) || Number(lot) === NEWCOMERS_LOT) continue
    const before = known.failing[Number(lot)]?.sentMs ?? 0
    known.failing[Number(lot)] = { sentMs: Math.max(before, sentMs), reportedMs: nowMs }
  }
}
