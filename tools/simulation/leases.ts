/** One request at an isolate, where each request costs one token. */
import { atHand, type TokenLease, takeTokens } from '../../src/core/limits/token-lease.ts'

export function take(lease: TokenLease, nowMs: number): ReturnType<typeof atHand> {
  const state = atHand(lease, 1, nowMs)
  if (state === 'enough') takeTokens(lease, 1, nowMs)
  return state
}
