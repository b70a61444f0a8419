/** How an isolate uses a session's token lease, when each request costs one token. The edge's limits do the same. */
import type { Quota } from '../../src/core/gcra.ts'
import { type Holding, held, isWorthGivingBack, use } from '../../src/core/limits/lease.ts'

/** One request: allowed by tokens at hand, refused as the door decided before, or the door must be asked. */
export function take(holding: Holding, nowMs: number): 'allowed' | 'limited' | 'ask' {
  if (held(holding, nowMs) >= 1 && holding.owed === 0) {
    use(holding, 1, nowMs)
    return 'allowed'
  }
  return holding.refusedUntilMs > nowMs ? 'limited' : 'ask'
}

/** The state of a lease every few seconds: not worth a call, used since the last look, or idle. */
export function look(holding: Holding, quota: Quota, nowMs: number): 'worthless' | 'used' | 'idle' {
  if (!isWorthGivingBack(holding, quota, nowMs)) return 'worthless'
  if (holding.used === holding.usedSeen) return 'idle'
  holding.usedSeen = holding.used
  return 'used'
}
