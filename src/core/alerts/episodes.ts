/**
 * Episodes of an alert: each begins with one firing and ends with one resolution. A condition must last as long as its
 * rule demands. So an alert does not flap when its condition comes and goes.
 */
import type { AlertRule, LastingKind } from './rules.ts'

/** The state of one rule. */
export interface Episode {
  /** When the alert fired; null while no episode is open. */
  readonly firedAtMs: number | null
  /**
   * Since when the condition has differed from the episode: true while none is open, or false during one. Otherwise
   * null.
   */
  readonly changingSinceMs: number | null
  /** When the alert last fired. The rule's `pauseMs` is counted from here. */
  readonly lastFiredAtMs: number | null
  /** When the last episode ended. Episodes stored by an older version lack it. */
  readonly resolvedAtMs?: number | null
}

export const NO_EPISODE: Episode = { firedAtMs: null, changingSinceMs: null, lastFiredAtMs: null }

/** Conditions that end only when a person adds stock or replaces a token. The room judges its rules at that moment. */
const ENDED_BY_PEOPLE: readonly LastingKind[] = ['budget_below', 'token_ends']

interface Step {
  readonly episode: Episode
  readonly notice: 'firing' | 'resolved' | null
}

/** Advances a rule to `nowMs`. `holds` is null while the condition cannot be judged. Then nothing changes. */
export function advanceEpisode(
  rule: Pick<AlertRule, 'forMs' | 'pauseMs'>,
  episode: Episode,
  holds: boolean | null,
  nowMs: number,
): Step {
  if (holds === null) return { episode, notice: null }
  const isOpen = episode.firedAtMs !== null
  if (holds === isOpen) return { episode: { ...episode, changingSinceMs: null }, notice: null }
  const changingSinceMs = Math.min(episode.changingSinceMs ?? nowMs, nowMs)
  const changing = { ...episode, changingSinceMs }
  if (nowMs - changingSinceMs < rule.forMs) return { episode: changing, notice: null }
  if (isOpen)
    return { episode: { ...episode, firedAtMs: null, changingSinceMs: null, resolvedAtMs: nowMs }, notice: 'resolved' }
  const last = episode.lastFiredAtMs
  if (last !== null && nowMs - last < rule.pauseMs) return { episode: changing, notice: null }
  return { episode: { ...episode, firedAtMs: nowMs, changingSinceMs: null, lastFiredAtMs: nowMs }, notice: 'firing' }
}

/** True if a notice may become due just because time passes. Then an object without visitors must wake for it. */
export function awaitsTime(when: LastingKind, { firedAtMs, changingSinceMs }: Episode): boolean {
  return changingSinceMs !== null || (firedAtMs !== null && !ENDED_BY_PEOPLE.includes(when))
}
