/** The tokens left to a session, as this isolate counts them, for the RateLimit fields. */
import { tokensLeft } from '../../core/limits/token-lease.ts'
import type { Policy } from '../../settings/rate-limits.ts'
import type { Visit } from '../request/visit.ts'
import type { RequestLimits } from './limits.ts'
import type { SessionLimits } from './session.ts'

/** The state of a policy after a decision. */
export interface LimitState {
  readonly policy: Policy
  readonly remaining: number
  readonly resetMs: number
}

/** Returns the state of each enforced policy that covers the request. */
export function statesOf(limits: RequestLimits, visit: Visit, session: SessionLimits): readonly LimitState[] {
  const { nowMs } = visit
  return limits
    .covering(visit, session)
    .filter(({ policy }) => !policy.isShadow)
    .map(({ policy, lease }) => {
      const refusedMs = Math.max(0, lease.refusedUntilMs - nowMs)
      const remaining = refusedMs > 0 ? 0 : Math.min(policy.quota.burst, tokensLeft(lease, nowMs) + lease.remaining)
      const drainMs = (policy.quota.burst - remaining) * policy.quota.intervalMs
      return { policy, remaining, resetMs: refusedMs > 0 ? refusedMs : drainMs }
    })
}

/**
 * True if an enforced policy has less than this share of its burst left. Policies that count paths are ignored here.
 */
export function isLow({ policies }: RequestLimits, session: SessionLimits | undefined, share: number): boolean {
  if (!session) return false
  for (let i = 0; i < session.whole.length; i++) {
    const lease = session.whole[i]
    const policy = policies[i]
    if (!lease || !policy || policy.isShadow) continue
    if (lease.tokens - lease.used + lease.remaining < policy.quota.burst * share) return true
  }
  return false
}
