/** The decisions of health, for operators to read: the evidence, the action, and its end. */
import type { Breaker } from './breaker.ts'
import type { Load, Moment } from './controller.ts'
import { type Grade, gradeOfTrial } from './grade.ts'
import { type Counts, merge, noCounts, samplesOf } from './samples.ts'
import type { HealthRules } from './state.ts'

/** One decision: the evidence, the action, and its end. */
export interface Decision {
  readonly atMs: number
  readonly upstream: string
  readonly did:
    | { readonly kind: 'ceiling-lowered' | 'ceiling-rising'; readonly from: number; readonly to: number }
    | { readonly kind: 'ceiling-lifted' | 'breaker-half-open' | 'breaker-closed' }
    | { readonly kind: 'breaker-open'; readonly untilMs: number }
  /** Null where time alone decided. */
  readonly saw: {
    readonly samples: number
    readonly apdex: number
    readonly failures: number
    readonly inside: number
  } | null
  /** False in shadow mode, where nothing is done. */
  readonly enforced: boolean
}

/** The graded samples. */
export interface Seen {
  readonly grade: Grade
  readonly samples: number
}

export function said(
  upstream: string,
  breaker: Breaker,
  seen: Seen | null,
  { load, rules, nowMs }: Pick<Moment, 'load' | 'nowMs'> & { readonly rules: Pick<HealthRules, 'mode'> },
): Decision {
  const did =
    breaker.state === 'open'
      ? ({ kind: 'breaker-open', untilMs: breaker.untilMs } as const)
      : ({ kind: breaker.state === 'closed' ? 'breaker-closed' : 'breaker-half-open' } as const)
  return { atMs: nowMs, upstream, did, saw: sawOf(seen, load), enforced: rules.mode === 'enforce' }
}

export function sawOf(seen: Seen | null, { inside }: Load): Decision['saw'] {
  return seen && { samples: seen.samples, apdex: seen.grade.apdex, failures: seen.grade.failures, inside }
}

/** Returns what a breaker was judged by: the window, or in a trial the few samples so far. */
export function seenBy(before: Breaker, window: Counts, grade: Grade | null, apdexTarget: number): Seen | null {
  if (before.state !== 'half-open') return grade && { grade, samples: samplesOf(window) }
  const counts = noCounts()
  merge(counts, before.pending)
  merge(counts, window)
  return { grade: gradeOfTrial(counts, apdexTarget), samples: samplesOf(counts) }
}
