/** The tokens of rate limits that a door lends with its answers about sessions. */
import type { Ledger, QuotaOf } from '../limits/ledger.ts'
import type { Claim, ClaimAnswer, Renewal, RenewalAnswer } from '../protocol/messages.ts'
import { leaseMs } from '../session.ts'
import { type DoorSessions, renewSession } from './sessions.ts'

export interface Lender {
  readonly ledger: Ledger
  readonly quotaOf: QuotaOf
}

/**
 * Adds the requested tokens to the answer that admits a claim. A repeated claim gets no tokens, because the first one
 * was charged.
 */
export function lendToClaim(
  { ledger, quotaOf }: Lender,
  sessions: DoorSessions,
  { request, answer }: { readonly request: Claim; readonly answer: ClaimAnswer },
  nowMs: number,
): ClaimAnswer {
  if (answer.verdict !== 'admitted' || answer.known || !request.tokenRequests) return answer
  const sid = answer.sid ?? request.sid
  ledger.begin(sid)
  const term = { leaseMs: leaseMs(sessions.rules), nowMs }
  return { ...answer, grants: ledger.lend(sid, request.tokenRequests, quotaOf, term) }
}

/** Renews a session, and lends the tokens that the renewal requests. */
export function renewAndLend(
  { ledger, quotaOf }: Lender,
  sessions: DoorSessions,
  request: Renewal,
  nowMs: number,
): RenewalAnswer {
  const answer = renewSession(sessions, request, nowMs)
  if (answer.verdict === 'ended' || !request.tokenRequests) return answer
  const term = { leaseMs: answer.leaseMs, nowMs }
  return { ...answer, grants: ledger.lend(request.sid, request.tokenRequests, quotaOf, term) }
}
