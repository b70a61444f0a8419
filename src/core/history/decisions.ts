/** The decisions of health, for operators to read: the evidence, the action, and its end. */
import type { Breaker } from './breaker.ts'
import { type Load, thereOf } from './presence.ts'
import type { HealthRules, HealthState } from './state.ts'
import type { HealthVerdict } from './verdict.ts'

/** One decision: the evidence, the action, and its end. */
export interface Decision {
  readonly atMs: number
  readonly upstream: string
  readonly did:
    | { readonly kind: 'ceiling-lowered' | 'ceiling-rising'; readonly from: number; readonly to: number }
    | { readonly kind: 'ceiling-lifted' | 'breaker-half-open' | 'breaker-closed' }
    | { readonly kind: 'breaker-open'; readonly untilMs: number }
    /** Addresses that fail while the rest of the site is well. Nothing was done. */
    | { readonly kind: 'feature-broken'; readonly patterns: readonly string[] }
  /** Null where time alone decided. */
  readonly saw: {
    /** Sessions that voted; null in a decision from before sessions voted. */
    readonly sessions: number | null
    /** Their mean satisfaction, 0 to 1. */
    readonly apdex: number
    /** The share of them whose requests failed. */
    readonly failures: number
    /** Sessions that had a place, and those of them who were there. */
    readonly inside: number
    readonly there?: number
  } | null
  /** False in shadow mode, where nothing is done. */
  readonly enforced: boolean
}

/** The circumstances that each decision records. */
export interface Recorded {
  readonly inside: number
  readonly there: number
  readonly enforced: boolean
  readonly nowMs: number
}

export function decided(upstream: string, did: Decision['did'], seen: HealthVerdict | null, of: Recorded): Decision {
  const { inside, there, enforced, nowMs } = of
  const saw = seen && { sessions: seen.voters, apdex: seen.score, failures: seen.failed, inside, there }
  return { atMs: nowMs, upstream, did, saw, enforced }
}

export function breakerDecision(
  upstream: string,
  breaker: Breaker,
  seen: HealthVerdict | null,
  of: Recorded,
): Decision {
  if (breaker.state === 'open') return decided(upstream, { kind: 'breaker-open', untilMs: breaker.untilMs }, seen, of)
  return decided(upstream, { kind: breaker.state === 'closed' ? 'breaker-closed' : 'breaker-half-open' }, seen, of)
}

export function recordedOf(
  health: HealthState,
  { load, rules, nowMs }: { readonly load: Load; readonly rules: Pick<HealthRules, 'mode'>; readonly nowMs: number },
): Recorded {
  return { inside: load.inside, there: thereOf(health.presence, load), enforced: rules.mode === 'enforce', nowMs }
}
