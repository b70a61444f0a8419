/** How an isolate applies the answer of a door to its token requests. */
import type { Quota } from '../gcra.ts'
import type { TokenGrant, TokenRequest } from '../protocol/messages.ts'
import { LEASE_GRACE_MS } from './debt.ts'
import type { TokenLease } from './token-lease.ts'

/**
 * A refusal is remembered for at least this long. Otherwise a busy session would call its door for each token as it
 * drains. Meanwhile tokens gather at the door. None is lost, because the time is at most the time in which a quarter of
 * the burst drains.
 */
const REFUSED_FOR_MS = 1_000
const REFUSED_SHARE = 1 / 4

/**
 * Returns the grant with the time for which this isolate refuses further requests. A door with older settings may give
 * a longer time. It is cut to the time in which everything drains under the quota known here.
 */
export function boundRefusal(grant: TokenGrant, request: TokenRequest, quota: Quota, leaseMs: number): TokenGrant {
  if (grant.retryAfterMs === 0) return grant
  const burstMs = quota.burst * quota.intervalMs
  const drainedMs = request.least > quota.burst ? Number.POSITIVE_INFINITY : burstMs + leaseMs + LEASE_GRACE_MS
  const leastMs = Math.min(REFUSED_FOR_MS, burstMs * REFUSED_SHARE)
  return { ...grant, retryAfterMs: Math.max(leastMs, Math.min(grant.retryAfterMs, drainedMs)) }
}

/**
 * Applies a grant if it answers the newest request. An older grant is ignored: the newest request does not report its
 * tokens as kept, so the door takes them back.
 */
export function noteGrant(
  lease: TokenLease,
  request: TokenRequest,
  grant: TokenGrant,
  term: { readonly sentMs: number; readonly leaseMs: number; readonly nowMs: number },
): void {
  if (lease.nth !== request.nth) return
  lease.tokens += grant.tokens
  lease.sentMs = term.sentMs
  // The lease is counted from the sending of the request, because it must never outlast the door's own count.
  lease.untilMs = term.sentMs + term.leaseMs
  lease.remaining = grant.remaining
  if (grant.retryAfterMs > 0) lease.refusedUntilMs = term.nowMs + grant.retryAfterMs
}

/** Applies the number of remaining tokens in an answer to a report that requested no tokens. */
export function noteRemaining(lease: TokenLease, request: TokenRequest, grant: TokenGrant): void {
  if (lease.nth === request.nth) lease.remaining = grant.remaining
}

/** Notes that a request had no answer. Its owed tokens stay owed. */
export function noteNoAnswer(lease: TokenLease, request: TokenRequest): void {
  lease.owed += request.owed ?? 0
}
