/** What an isolate does with what it holds of a session's limit, where each request costs one token: as the edge's limits do. */
import type { Quota } from '../../src/core/gcra.ts'
import { type Holding, held, isWorthGivingBack, use } from '../../src/core/limits/lease.ts'

/** One request: let on by what is at hand, refused as its door said, or its door must be asked. */
export function take(holding: Holding, nowMs: number): 'allowed' | 'limited' | 'ask' {
  if (held(holding, nowMs) >= 1 && holding.owed === 0) {
    use(holding, 1, nowMs)
    return 'allowed'
  }
  return holding.refusedUntilMs > nowMs ? 'limited' : 'ask'
}

/** Looked at every few seconds: of what is held nothing is worth a call, or it was used since the last look, or it lies idle. */
export function look(holding: Holding, quota: Quota, nowMs: number): 'worthless' | 'used' | 'idle' {
  if (!isWorthGivingBack(holding, quota, nowMs)) return 'worthless'
  if (holding.used === holding.usedSeen) return 'idle'
  holding.usedSeen = holding.used
  return 'used'
}
