/**
 * Episodes of an alert: each begins with one firing and ends with one resolution. A condition that comes and goes
 * faster than the time of its rule changes nothing, so an alert does not flap.
 */
import type { AlertRule, LastingKind } from './rules.ts'

/** The state of one rule. */
export interface Episode {
  /** When the alert fired; null while no episode is open. */
  readonly firedAtMs: number | null
  /** Since when the condition has been other than the episode: present without one, or gone during one. */
  readonly changingSinceMs: number | null
  /** When the alert fired last. The pause counts from there. */
  readonly lastFiredAtMs: number | null
  /** When the last episode ended. Episodes that an older version has stored lack it. */
  readonly resolvedAtMs?: number | null
}

export const NO_EPISODE: Episode = { firedAtMs: null, changingSinceMs: null, lastFiredAtMs: null }

/** Conditions that no time ends: a person adds stock or replaces a token, and the room judges its rules then. */
const ENDED_BY_PEOPLE: readonly LastingKind[] = ['budget_below', 'token_ends']

interface Step {
  readonly episode: Episode
  readonly notice: 'firing' | 'resolved' | null
}

/** Advances a rule to `nowMs`. `holds` is null while the condition cannot be judged: then nothing changes. */
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

/** True if time can bring the next notice of a rule, so that an object without visitors must wake for it. */
export function awaitsTime(when: LastingKind, { firedAtMs, changingSinceMs }: Episode): boolean {
  return changingSinceMs !== null || (firedAtMs !== null && !ENDED_BY_PEOPLE.includes(when))
}
