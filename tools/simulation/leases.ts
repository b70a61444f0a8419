/** How an isolate uses a session's token lease, when each request costs one token. The edge's limits do the same. */
import type { Quota } from '../../src/core/gcra.ts'
import { isWorthReturning, type TokenLease, takeTokens, tokensLeft } from '../../src/core/limits/lease.ts'

/** One request: allowed by tokens at hand, refused as the door decided before, or the door must be asked. */
export function take(lease: TokenLease, nowMs: number): 'allowed' | 'limited' | 'ask' {
  if (tokensLeft(lease, nowMs) >= 1 && lease.owed === 0) {
    takeTokens(lease, 1, nowMs)
    return 'allowed'
  }
  return lease.refusedUntilMs > nowMs ? 'limited' : 'ask'
}

/** The state of a lease every few seconds: not worth a call, used since the last look, or idle. */
export function look(lease: TokenLease, quota: Quota, nowMs: number): 'worthless' | 'used' | 'idle' {
  if (!isWorthReturning(lease, quota, nowMs)) return 'worthless'
  if (lease.used === lease.usedSeen) return 'idle'
  lease.usedSeen = lease.used
  return 'used'
}
