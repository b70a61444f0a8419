/** Addresses that are broken while the rest of the site is well: they are logged, and no admission is lost for them. */
import { own } from '../own.ts'
import { ORIGIN } from './outcome.ts'
import type { HealthState } from './state.ts'
import type { HealthStep } from './step.ts'
import type { HealthVerdict } from './verdict.ts'

/** A broken address is logged once this many sessions were badly served there. A session counts once a window. */
const BROKEN_LOGGED_AT = 6
const BROKEN_OVER_AFTER_MS = 600_000

/** Returns the step to log for addresses that have stayed broken, if any. */
export function brokenPatterns(health: HealthState, verdict: HealthVerdict, nowMs: number): HealthStep[] {
  for (const [pattern, { atMs }] of Object.entries(health.broken))
    if (nowMs - atMs > BROKEN_OVER_AFTER_MS) delete health.broken[pattern]
  const patterns: string[] = []
  for (const { pattern, sessions } of verdict.broken) {
    const before = own(health.broken, pattern)?.votes ?? 0
    const votes = Math.min(BROKEN_LOGGED_AT, before + sessions)
    health.broken[pattern] = { atMs: nowMs, votes }
    if (before < BROKEN_LOGGED_AT && votes >= BROKEN_LOGGED_AT) patterns.push(pattern)
  }
  return patterns.length === 0 ? [] : [{ upstream: ORIGIN, did: { kind: 'feature-broken', patterns }, verdict }]
}
