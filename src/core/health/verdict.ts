/** Judges the votes of a window: the upstream is well, slow or down. */
import { BADLY, type Ballot, countVotes, type Poll, sessionsOn } from './votes.ts'

/** The votes of a window, and the patterns of addresses where some sessions were badly served. */
interface Evidence {
  readonly ballot: Ballot
  readonly patterns: Readonly<Record<string, Ballot>>
}

export interface HealthVerdict extends Poll {
  readonly state: 'well' | 'slow' | 'failing' | 'down'
  /** True if the upstream is so well that more load would do no harm. */
  readonly hasRoom: boolean
  /** True if it is well, but so close to the target that less load would be better. */
  readonly isTight: boolean
  /** Patterns that are broken while the rest of the site is well. */
  readonly broken: readonly { readonly pattern: string; readonly sessions: number }[]
}

/** With fewer voters than this a usual window is not judged. */
export const VOTERS_MIN = 10
/** An upstream is down if this share of its sessions failed, or if its score is below the second value. */
const FAILED_DOWN = 0.25
const SCORE_DOWN = 0.5
/** A score that reaches this share of the target counts as reaching it. */
const WELL_FROM = 0.98
/**
 * Parts of the way from the target to full satisfaction. Above the first one there is room for more load. Below the
 * second one the origin is close to the target.
 */
const ROOM_SHARE = 0.75
const TIGHT_SHARE = 0.3
/** The share of the newest window in the smoothed speed. */
const NEWEST_SHARE = 0.5
/** If more patterns than this have trouble, the whole site has trouble. */
const BROKEN_MAX = 2
const BROKEN_NAMED_MAX = 4
/** A pattern is broken when this share of the sessions that asked for it were badly served. */
const BROKEN_SHARE = 0.5
/**
 * The votes at a broken pattern are left out if at least this many sessions were badly served there. Fewer votes would
 * not change the result.
 */
const BROKEN_SESSIONS = 3
/** If more than this share of the sessions ask for a pattern, it is not a feature of the site, but the site itself. */
const FEATURE_SHARE = 0.6

/** Returns the speed, smoothed over windows. `before` is null in the first window. */
export function smoothed(before: number | null, now: number): number {
  if (before === null) return now
  return before + (now - before) * NEWEST_SHARE
}

/** Judges the votes. `speedBefore` is the smoothed speed of the windows before, or null to take each vote as it is. */
export function judge({ ballot, patterns }: Evidence, speedBefore: number | null, target: number): HealthVerdict {
  const all = countVotes(ballot)
  const verdict = verdictOf(all, speedBefore, target)
  const broken = brokenIn(patterns, all.voters)
  const out = broken.slice(0, BROKEN_MAX).filter(({ bad }) => bad.length >= BROKEN_SESSIONS)
  const rest = verdictOf(countVotes(ballot, new Set(out.flatMap(({ bad }) => bad))), null, target)
  const isRestWell = out.length > 0 && rest.state === 'well' && rest.voters >= BROKEN_SESSIONS
  const judged = isRestWell ? rest : verdict
  const named = broken.map(({ pattern, bad }) => ({ pattern, sessions: bad.length }))
  return judged.state === 'well' ? { ...judged, broken: named } : judged
}

function verdictOf(poll: Poll, before: number | null, target: number): HealthVerdict {
  const speed = smoothed(before, poll.speed)
  const steady = speed * (1 - poll.failed)
  const isDown = poll.failed >= FAILED_DOWN || poll.score < SCORE_DOWN
  const isWell = steady >= WELL_FROM * target
  return {
    ...poll,
    speed,
    state: isDown ? 'down' : isWell ? 'well' : speed < WELL_FROM * target ? 'slow' : 'failing',
    hasRoom: steady >= target + (1 - target) * ROOM_SHARE,
    isTight: steady < target + (1 - target) * TIGHT_SHARE,
    broken: [],
  }
}

/** Returns the patterns where most sessions were badly served. The pattern with most such sessions is first. */
function brokenIn(patterns: Evidence['patterns'], voters: number): { pattern: string; bad: number[] }[] {
  const most = FEATURE_SHARE * sessionsOn(voters, 1)
  return Object.entries(patterns)
    .map(([pattern, ballot]) => ({ pattern, asked: Object.keys(ballot).length, bad: badlyServed(ballot) }))
    .filter(({ bad, asked }) => bad.length > 0 && bad.length >= BROKEN_SHARE * asked && sessionsOn(asked, 1) <= most)
    .sort((a, b) => b.bad.length - a.bad.length)
    .slice(0, BROKEN_NAMED_MAX)
}

function badlyServed(ballot: Ballot): number[] {
  return Object.entries(ballot).flatMap(([lot, marks]) => (marks & BADLY ? [Number(lot)] : []))
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
