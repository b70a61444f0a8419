import type { Breaker } from './breaker.ts'
import type { HealthVerdict } from './verdict.ts'

/** An action of health, and the verdict that led to it. The verdict is null if time alone led to it. */
export interface HealthStep {
  readonly upstream: string
  readonly did:
    | { readonly kind: 'ceiling-lowered' | 'ceiling-rising'; readonly from: number; readonly to: number }
    | { readonly kind: 'ceiling-lifted' | 'breaker-half-open' | 'breaker-closed' }
    | { readonly kind: 'breaker-open'; readonly untilMs: number }
    /** Addresses that fail while the rest of the site is well. Nothing was done. */
    | { readonly kind: 'feature-broken'; readonly patterns: readonly string[] }
  readonly verdict: HealthVerdict | null
}

/** The step of a breaker that has changed its state. */
export function breakerStep(upstream: string, breaker: Breaker, verdict: HealthVerdict | null): HealthStep {
  const { state } = breaker
  if (state === 'open') return { upstream, did: { kind: 'breaker-open', untilMs: breaker.untilMs }, verdict }
  return { upstream, did: { kind: state === 'closed' ? 'breaker-closed' : 'breaker-half-open' }, verdict }
}
