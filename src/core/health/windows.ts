/**
 * When there are enough votes to judge an upstream: in a usual window, in a thin one, in a trial, and when all sessions
 * in a row fail.
 */
import { clearVotes, type HealthState, type UpstreamHealth, type UpstreamRules } from './state.ts'
import { type HealthVerdict, judge, VOTERS_MIN } from './verdict.ts'

/** A window with too few votes goes on, up to this many windows. */
export const THIN_WINDOWS_MAX = 4
/**
 * After those windows this many good votes are enough. Otherwise a ceiling over a few sessions could not rise again.
 */
export const WELL_VOTES_MIN = 3
/** After those windows this many voters are enough if most of them are badly served. */
const DOWN_VOTERS_MIN = 5
/** A trial has few visitors. So this many votes are enough, and one vote after a second window. */
const TRIAL_VOTES = 3
/** One session alone ends a trial only after it has failed this often. */
const TRIAL_VOTES_OF_ONE = 6
/** A named upstream is down when this many sessions in a row were failed. */
const DEAD_SESSIONS = 5
/** These failures must span at least this time, because the fault of one moment may be over at the next. */
const DEAD_OVER_MS = 2_000
/** A failure that is older than this does not count. */
const DEAD_WITHIN_MS = 120_000

/** Judges the votes so far. Returns null while there are too few. */
export function verdictOn(
  health: HealthState,
  known: UpstreamHealth,
  { apdexTarget }: UpstreamRules,
): HealthVerdict | null {
  if (known.breaker.state === 'open' || known.votes === 0) return null
  if (known.breaker.state === 'half-open') return trialVerdict(known, apdexTarget)
  const verdict = judge(known, known.speed, apdexTarget)
  if (verdict.voters >= VOTERS_MIN) return verdict
  const thin = judge(known, null, apdexTarget)
  const isLong = known.thinWindows + 1 >= THIN_WINDOWS_MAX
  const isWell = thin.state === 'well' && known.votes >= WELL_VOTES_MIN && (isLong || health.isRationed)
  const isDown = isLong && thin.state === 'down' && thin.voters >= DOWN_VOTERS_MIN && thin.score < 0.5
  return isWell || isDown ? thin : null
}

/** The few votes of a trial. A failing session alone does not end it. */
function trialVerdict(known: UpstreamHealth, apdexTarget: number): HealthVerdict | null {
  const verdict = judge(known, null, apdexTarget)
  const isEnough = known.votes >= TRIAL_VOTES
  if (verdict.state === 'down') {
    const isSure = (isEnough && verdict.voters > 1) || known.votes >= TRIAL_VOTES_OF_ONE
    return isSure ? verdict : null
  }
  return isEnough || (known.thinWindows > 0 && verdict.state === 'well') ? verdict : null
}

/**
 * Goes on with a window that has too few votes, for a while. Under a ceiling few sessions ask: their votes decide
 * whether it may rise, so they are kept for longer.
 */
export function continueWindow(known: UpstreamHealth, isAwaited: boolean): void {
  if (known.votes === 0) return
  known.thinWindows++
  const mayWait = known.breaker.state === 'half-open' || (isAwaited && known.votes < WELL_VOTES_MIN)
  if (known.thinWindows >= THIN_WINDOWS_MAX && !mayWait) clearVotes(known)
}

/** Whether every session that asked lately has failed. Each of them counts once, however often it tried. */
export function hasDied(known: UpstreamHealth, nowMs: number): boolean {
  for (const [lot, { reportedMs }] of Object.entries(known.failing))
    if (reportedMs < nowMs - DEAD_WITHIN_MS) delete known.failing[Number(lot)]
  const sent = Object.values(known.failing).map(({ sentMs }) => sentMs)
  return sent.length >= DEAD_SESSIONS && Math.max(...sent) - Math.min(...sent) >= DEAD_OVER_MS
}
