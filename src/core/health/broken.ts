/** Addresses that are broken while the rest of the site is well: they are logged, and no admission is lost for them. */
import { type Decision, decided, type Recorded } from './decision-log.ts'
import { ORIGIN } from './outcome.ts'
import type { HealthState } from './state.ts'
import type { HealthVerdict } from './verdict.ts'

/** A broken address is logged when so many sessions were badly served there, counted once a window. */
const BROKEN_LOGGED_AT = 6
const BROKEN_OVER_AFTER_MS = 600_000

/** Logs addresses that stay broken while the rest of the site is well. */
export function brokenPatterns(health: HealthState, verdict: HealthVerdict, recorded: Recorded): Decision[] {
  const { nowMs } = recorded
  for (const [pattern, { atMs }] of Object.entries(health.broken))
    if (nowMs - atMs > BROKEN_OVER_AFTER_MS) delete health.broken[pattern]
  const news: string[] = []
  for (const { pattern, sessions } of verdict.broken) {
    const before = Object.hasOwn(health.broken, pattern) ? (health.broken[pattern]?.votes ?? 0) : 0
    const votes = Math.min(BROKEN_LOGGED_AT, before + sessions)
    health.broken[pattern] = { atMs: nowMs, votes }
    if (before < BROKEN_LOGGED_AT && votes >= BROKEN_LOGGED_AT) news.push(pattern)
  }
  if (news.length === 0) return []
  return [decided(ORIGIN, { kind: 'feature-broken', patterns: news }, verdict, recorded)]
}
