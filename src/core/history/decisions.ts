/** The decisions of health, for operators to read: the evidence, the action, and its end. */
import { type Load, thereOf } from '../health/presence.ts'
import type { HealthRules, HealthState } from '../health/state.ts'
import type { HealthStep } from '../health/step.ts'

export interface Decision extends Pick<HealthStep, 'upstream' | 'did'> {
  readonly atMs: number
  /** The evidence; null if time alone decided. */
  readonly saw: {
    /** Sessions that voted; null in a decision from a version in which sessions did not vote. */
    readonly sessions: number | null
    /** The mean satisfaction of these sessions, 0 to 1. */
    readonly apdex: number
    /** The share of these sessions whose requests failed. */
    readonly failures: number
    /** Sessions that had a place, and how many of them were there. */
    readonly inside: number
    readonly there?: number
  } | null
  /** False in shadow mode, where nothing is done. */
  readonly enforced: boolean
}

/** Returns health's steps as decisions, with the time, the load and the mode in which they were taken. */
export function decisionsOf(
  steps: readonly HealthStep[],
  health: HealthState,
  { load, rules, nowMs }: { readonly load: Load; readonly rules: HealthRules; readonly nowMs: number },
): Decision[] {
  const { inside } = load
  const there = thereOf(health.presence, load)
  const enforced = rules.mode === 'enforce'
  return steps.map(({ upstream, did, verdict }) => {
    const saw = verdict && { sessions: verdict.voters, apdex: verdict.score, failures: verdict.failed, inside, there }
    return { atMs: nowMs, upstream, did, saw, enforced }
  })
}
