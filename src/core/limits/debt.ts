/**
 * The tokens that a session has spent of one limit, as its door counts them: GCRA with leases, exact over all isolates
 * (I11).
 *
 * Tokens lent on a lease are outstanding: a debt that does not drain. A report turns the used ones into draining debt
 * and frees those given back. Tokens that are never reported are charged whole at the lease's end. The door lends more
 * only while draining debt, outstanding tokens and the grant together stay within the burst. So in any window D at most
 * floor(D / interval) + burst tokens are spent: each was granted in the window, or was outstanding when it began.
 * Repeated and late messages change nothing, or make the limit stricter.
 */
import type { Quota } from '../gcra.ts'
import type { TokenGrant, TokenRequest } from '../protocol/messages.ts'

/**
 * An edge's clock may go back this far during a lease, so the door counts the lease as outstanding this much longer.
 */
export const LEASE_GRACE_MS = 1_000
/**
 * At most this many leases per bucket, one per isolate. Beyond this the door drops an empty lease. If there is none, it
 * charges the oldest one whole.
 */
const LEASES_MAX = 500

/** The tokens that one isolate has been lent from a bucket. */
interface Lease {
  readonly id: string
  /** The number of the isolate's newest request. */
  nth: number
  /** The tokens lent and used in total, since the door first received a request of this lease. */
  tokens: number
  used: number
  /** When the newest request arrived. */
  askedMs: number
  endMs: number
  grant: TokenGrant
}

/** A lease that has ended, and the debt before and after its end was charged. */
interface Ended {
  readonly lease: Lease
  readonly beforeMs: number
  readonly afterMs: number
}

/** One bucket: a session under one policy, or under one policy on one path. */
export interface Debt {
  /** Draining debt, as the theoretical arrival time. */
  tatMs: number
  /** The interval of the quota under which the debt was counted. */
  intervalMs: number
  readonly leases: Map<string, Lease>
  /** The last lease that ended with outstanding tokens. Its isolate may still report how many it used. */
  ended?: Ended | null
}

export function newDebt(quota: Quota): Debt {
  return { tatMs: 0, intervalMs: quota.intervalMs, leases: new Map() }
}

/** The present time, and for how long tokens are lent. */
export interface LeaseTerm {
  readonly nowMs: number
  readonly leaseMs: number
}

/**
 * Applies an isolate's report on its lease, then lends tokens: what it wants, as far as the quota allows, and spare
 * tokens up to half of the rest. The other half stays for other isolates of the same session. Owed tokens are charged
 * whatever the debt is. Returns the earlier grant when the request is a repeated or late one.
 */
export function lend(debt: Debt, quota: Quota, request: TokenRequest, { leaseMs, nowMs }: LeaseTerm): TokenGrant {
  settle(debt, quota, nowMs)
  const known = debt.leases.get(request.lease)
  if (known && request.nth <= known.nth) return known.grant
  // If the door does not know the lease, its tokens were charged at its end, or the door has restarted. Then they are
  // the one extra burst that a restart costs.
  if (known) chargeUsed(debt, known, request, nowMs)
  else chargeLate(debt, request, nowMs)
  if (request.owed) charge(debt, request.owed, nowMs)
  const { used } = request
  const lease: Lease = {
    ...{
      id: request.lease,
      nth: request.nth,
      tokens: used + request.has,
      used,
      askedMs: nowMs,
      endMs: 0,
      grant: NOTHING,
    },
  }
  // The end never moves back: the isolate may use its earlier tokens until the earlier end.
  lease.endMs = Math.max(known?.endMs ?? 0, nowMs + leaseMs + LEASE_GRACE_MS)
  debt.leases.set(request.lease, lease)
  if (debt.leases.size > LEASES_MAX) evictOne(debt, request.lease)
  const free = available(debt, quota, nowMs)
  // Only whole requests get tokens. A part of one would be useless here, and would be missing at other isolates.
  const tokens = free >= request.want ? request.want : Math.floor(free / request.least) * request.least
  const spare = tokens < request.want ? 0 : Math.min(request.spare, Math.floor((free - tokens) / 2))
  lease.tokens += tokens + spare
  const waitMs = tokens < request.want ? retryAfterMs(debt, quota, request.least, nowMs) : 0
  lease.grant = { tokens: tokens + spare, remaining: free - tokens - spare, retryAfterMs: waitMs }
  return lease.grant
}

const NOTHING: TokenGrant = { tokens: 0, remaining: 0, retryAfterMs: 0 }

/** Returns how many whole tokens can be lent now. */
function available(debt: Debt, quota: Quota, nowMs: number): number {
  return Math.max(0, Math.floor((quota.burst * quota.intervalMs - debtMs(debt, nowMs)) / quota.intervalMs))
}

/** Returns the draining debt and the outstanding tokens as the milliseconds that they take to drain. */
export function debtMs(debt: Debt, nowMs: number): number {
  return Math.max(0, debt.tatMs - nowMs) + outstandingTokens(debt) * debt.intervalMs
}

/**
 * Returns the theoretical arrival time if no report on the outstanding leases ever comes. The ledger stores this value.
 */
export function tatIfUnreported(debt: Debt): number {
  const unreported: Debt = { ...debt, leases: new Map() }
  for (const lease of byEnd(debt)) chargeAtEnd(unreported, lease)
  return unreported.tatMs
}

/** Returns true when the debt has drained and every lease has ended, so that no message still needs this bucket. */
export function isClear(debt: Debt, nowMs: number): boolean {
  for (const { endMs } of debt.leases.values()) if (endMs > nowMs) return false
  return tatIfUnreported(debt) <= nowMs
}

/**
 * Returns exactly how many milliseconds pass until `cost` tokens can be lent, if no isolate reports before. Until then
 * the debt drains, and leases end and begin to drain.
 */
function retryAfterMs(debt: Debt, quota: Quota, cost: number, nowMs: number): number {
  if (cost > quota.burst) return Number.POSITIVE_INFINITY
  const ahead: Debt = { ...debt, leases: new Map() }
  let tokensLent = outstandingTokens(debt)
  for (const lease of byEnd(debt)) {
    const freeAtMs = ahead.tatMs - (quota.burst - cost - tokensLent) * quota.intervalMs
    if (tokensLent + cost <= quota.burst && freeAtMs <= lease.endMs) return untilMs(freeAtMs, nowMs)
    tokensLent -= unusedTokens(lease)
    chargeAtEnd(ahead, lease)
  }
  return untilMs(ahead.tatMs - (quota.burst - cost) * quota.intervalMs, nowMs)
}

function untilMs(atMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil(atMs - nowMs))
}

/** Ends the leases that are over, and applies a changed quota. */
function settle(debt: Debt, quota: Quota, nowMs: number): void {
  if (debt.intervalMs !== quota.intervalMs) follow(debt, quota, nowMs)
  for (const lease of byEnd(debt)) {
    if (lease.endMs > nowMs) break
    const beforeMs = debt.tatMs
    chargeAtEnd(debt, lease)
    debt.ended = { lease, beforeMs, afterMs: debt.tatMs }
  }
  for (const [id, lease] of debt.leases) if (lease.endMs <= nowMs) debt.leases.delete(id)
}

/**
 * Converts the debt to a quota with another interval. The number of tokens stays, but is at most the new burst. Without
 * this cap a strict policy would shut out, for hours, a session that had used up a generous one. In a window that
 * contains the change, the larger of the two bursts bounds what is spent.
 */
function follow(debt: Debt, quota: Quota, nowMs: number): void {
  const tokens = Math.max(0, debt.tatMs - nowMs) / debt.intervalMs
  // Rounded up to 1/1024 ms, like intervals: sums of such numbers are exact.
  if (tokens > 0) debt.tatMs = nowMs + Math.ceil(Math.min(tokens, quota.burst) * quota.intervalMs * 1_024) / 1_024
  debt.intervalMs = quota.intervalMs
}

function charge(debt: Debt, tokens: number, fromMs: number): void {
  debt.tatMs = Math.max(debt.tatMs, fromMs) + tokens * debt.intervalMs
}

/**
 * Charges the tokens that were used since the last request. They were outstanding until now, and drain from the last
 * use on. The last use is at or after the last request, and at or before the end of the lease.
 */
function chargeUsed(debt: Debt, known: Lease, request: TokenRequest, nowMs: number): void {
  const used = Math.min(request.used, known.tokens) - known.used
  if (used <= 0) return
  const usedMs = nowMs - (request.usedAgoMs ?? 0)
  const fromMs = Math.max(usedMs, known.askedMs)
  charge(debt, used, Math.min(fromMs, nowMs, known.endMs))
}

/**
 * Corrects the charge of a lease that has ended. At its end all its tokens were charged as used, and its isolate
 * reports only now. Unused tokens are freed, and used ones drain from the last use on. Nothing may have been charged in
 * between.
 */
function chargeLate(debt: Debt, request: TokenRequest, nowMs: number): void {
  const { ended } = debt
  if (ended?.lease.id !== request.lease || request.nth <= ended.lease.nth || debt.tatMs !== ended.afterMs) return
  debt.tatMs = ended.beforeMs
  debt.ended = null
  chargeUsed(debt, ended.lease, request, nowMs)
}

function chargeAtEnd(debt: Debt, lease: Lease): void {
  const tokens = unusedTokens(lease)
  if (tokens > 0) charge(debt, tokens, lease.endMs)
}

/**
 * Drops an empty lease, or else the oldest one. The oldest is charged whole at its end, which is stricter than a charge
 * by its reports.
 */
function evictOne(debt: Debt, except: string): void {
  const others = [...debt.leases].filter(([id]) => id !== except)
  const oldest = others.find(([, lease]) => unusedTokens(lease) === 0) ?? others[0]
  if (!oldest) return
  chargeAtEnd(debt, oldest[1])
  debt.leases.delete(oldest[0])
}

function outstandingTokens(debt: Debt): number {
  let tokens = 0
  for (const lease of debt.leases.values()) tokens += unusedTokens(lease)
  return tokens
}

function unusedTokens(lease: Lease): number {
  return lease.tokens - lease.used
}

function byEnd(debt: Debt): Lease[] {
  const open = [...debt.leases.values()].filter(lease => unusedTokens(lease) > 0)
  return open.length < 2 ? open : open.sort((a, b) => a.endMs - b.endMs)
}
