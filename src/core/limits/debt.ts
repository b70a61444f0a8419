/**
 * What a session has spent of one limit, as its door keeps it: GCRA with leases, exact over all isolates (I11).
 *
 * Tokens out on a lease are debt that does not drain. A report turns the used ones into draining debt and frees what is given back; what is
 * never reported is charged whole at the lease's end. More is lent only while draining debt, tokens out and the grant together stay within
 * the burst, so whenever tokens are spent, at most ⌊Δ / interval⌋ + burst are in any window Δ: a token spent in the window was either granted
 * in it, or out when it began. Repeated and late messages change nothing, or make it stricter.
 */
import type { Quota } from '../gcra.ts'
import type { Ask, Grant } from '../protocol/messages.ts'

/** A clock of an edge may go back this far while it holds a lease: the door counts it as out for so much longer. */
export const LEASE_GRACE_MS = 1_000
/** Leases of a bucket, one an isolate. Empty ones are forgotten first, and others are charged whole. */
const LEASES_MAX = 500

/** What one isolate has of the bucket. */
interface Lease {
  readonly id: string
  /** The newest of its asks. */
  nth: number
  /** Lent and used in total, while the door has known it. */
  tokens: number
  used: number
  /** When the newest ask came. */
  askedMs: number
  endMs: number
  grant: Grant
}

/** A lease that came to its end, and what that has made of the debt. */
interface Ended {
  readonly lease: Lease
  readonly beforeMs: number
  readonly afterMs: number
}

/** One bucket: a session under one policy, or under one policy on one path. */
export interface Debt {
  /** Draining debt, as the theoretical arrival time. */
  tatMs: number
  /** The interval that it was counted in. */
  intervalMs: number
  readonly leases: Map<string, Lease>
  /** The last that ended with tokens out: its isolate may still say what became of them. */
  ended?: Ended | null
}

export function newDebt(quota: Quota): Debt {
  return { tatMs: 0, intervalMs: quota.intervalMs, leases: new Map() }
}

/**
 * Takes what an isolate says of its lease, then lends what it wants as far as the quota allows, and what it would like to have spare, up to
 * half of what is left then: other isolates may hold leases of the same session. What is owed is charged whatever the debt is.
 */
export function lend(debt: Debt, quota: Quota, ask: Ask, leaseMs: number, nowMs: number): Grant {
  settle(debt, quota, nowMs)
  const known = debt.leases.get(ask.lease)
  if (known && ask.nth <= known.nth) return known.grant
  // What an unknown lease has used was charged at its end, or is the one burst that a restart of the door costs.
  if (known) chargeUsed(debt, known, ask, nowMs)
  else chargeLate(debt, ask, nowMs)
  if (ask.owed) charge(debt, ask.owed, nowMs)
  const { used } = ask
  const lease: Lease = {
    ...{ id: ask.lease, nth: ask.nth, tokens: used + ask.has, used, askedMs: nowMs, endMs: 0, grant: NOTHING },
  }
  // The end only moves on: of the tokens had before, some may be used up to it.
  lease.endMs = Math.max(known?.endMs ?? 0, nowMs + leaseMs + LEASE_GRACE_MS)
  debt.leases.set(ask.lease, lease)
  if (debt.leases.size > LEASES_MAX) forgetOne(debt, ask.lease)
  const free = available(debt, quota, nowMs)
  // Whole requests only: a part of one would be kept from others and be of no use.
  const tokens = free >= ask.want ? ask.want : Math.floor(free / ask.least) * ask.least
  const spare = tokens < ask.want ? 0 : Math.min(ask.spare, Math.floor((free - tokens) / 2))
  lease.tokens += tokens + spare
  const waitMs = tokens < ask.want ? retryAfterMs(debt, quota, ask.least, nowMs) : 0
  lease.grant = { tokens: tokens + spare, remaining: free - tokens - spare, retryAfterMs: waitMs }
  return lease.grant
}

const NOTHING: Grant = { tokens: 0, remaining: 0, retryAfterMs: 0 }

/** Tokens that can be lent now, whole. */
function available(debt: Debt, quota: Quota, nowMs: number): number {
  return Math.max(0, Math.floor((quota.burst * quota.intervalMs - debtMs(debt, nowMs)) / quota.intervalMs))
}

/** Draining debt and tokens out, as the time that they take to drain. */
export function debtMs(debt: Debt, nowMs: number): number {
  return Math.max(0, debt.tatMs - nowMs) + out(debt) * debt.intervalMs
}

/** The theoretical arrival time if nothing is heard of the leases that are out any more: what must not be forgotten. */
export function tatIfUnheard(debt: Debt): number {
  const unheard: Debt = { ...debt, leases: new Map() }
  for (const lease of byEnd(debt)) chargeAtEnd(unheard, lease)
  return unheard.tatMs
}

/** Nothing is owed any more, and no message can come that needs an answer of this bucket: its leases are over. */
export function isClear(debt: Debt, nowMs: number): boolean {
  for (const { endMs } of debt.leases.values()) if (endMs > nowMs) return false
  return tatIfUnheard(debt) <= nowMs
}

/**
 * When `cost` tokens could be lent, if nobody reports before: exactly, in milliseconds from now. The debt drains, and leases come to
 * their ends and begin to drain.
 */
function retryAfterMs(debt: Debt, quota: Quota, cost: number, nowMs: number): number {
  if (cost > quota.burst) return Number.POSITIVE_INFINITY
  const ahead: Debt = { ...debt, leases: new Map() }
  let tokensOut = out(debt)
  for (const lease of byEnd(debt)) {
    const freeAtMs = ahead.tatMs - (quota.burst - cost - tokensOut) * quota.intervalMs
    if (tokensOut + cost <= quota.burst && freeAtMs <= lease.endMs) return untilMs(freeAtMs, nowMs)
    tokensOut -= outOf(lease)
    chargeAtEnd(ahead, lease)
  }
  return untilMs(ahead.tatMs - (quota.burst - cost) * quota.intervalMs, nowMs)
}

function untilMs(atMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil(atMs - nowMs))
}

/** Lets leases end, and follows a changed quota. */
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
 * A quota with another interval: debt is kept in tokens, and at most the new burst of it, or who had used up a generous policy would be
 * shut out for hours by a strict one. Over a window with the change in it the bound has the larger burst of the two.
 */
function follow(debt: Debt, quota: Quota, nowMs: number): void {
  const tokens = Math.max(0, debt.tatMs - nowMs) / debt.intervalMs
  // Rounded up to where sums are exact, as intervals are.
  if (tokens > 0) debt.tatMs = nowMs + Math.ceil(Math.min(tokens, quota.burst) * quota.intervalMs * 1_024) / 1_024
  debt.intervalMs = quota.intervalMs
}

function charge(debt: Debt, tokens: number, fromMs: number): void {
  debt.tatMs = Math.max(debt.tatMs, fromMs) + tokens * debt.intervalMs
}

/**
 * Charges the tokens that were used since the last ask. They were out until now, and they drain from the last use on. That
 * is never before the last ask, and never after the end of the lease.
 */
function chargeUsed(debt: Debt, known: Lease, ask: Ask, nowMs: number): void {
  const used = Math.min(ask.used, known.tokens) - known.used
  if (used <= 0) return
  const usedMs = nowMs - (ask.usedAgoMs ?? 0)
  const fromMs = Math.max(usedMs, known.askedMs)
  charge(debt, used, Math.min(fromMs, nowMs, known.endMs))
}

/**
 * Corrects the charge of a lease that has ended. All of it was taken for used up at its end, and its isolate reports only
 * now: unused tokens are free, and used ones drain from the last use on. Nothing may have been charged in between.
 */
function chargeLate(debt: Debt, ask: Ask, nowMs: number): void {
  const { ended } = debt
  if (ended?.lease.id !== ask.lease || ask.nth <= ended.lease.nth || debt.tatMs !== ended.afterMs) return
  debt.tatMs = ended.beforeMs
  debt.ended = null
  chargeUsed(debt, ended.lease, ask, nowMs)
}

function chargeAtEnd(debt: Debt, lease: Lease): void {
  const tokens = outOf(lease)
  if (tokens > 0) charge(debt, tokens, lease.endMs)
}

/** An empty lease, or else the oldest: it is taken for used up at its end, which is stricter than its reports would have been. */
function forgetOne(debt: Debt, except: string): void {
  const others = [...debt.leases].filter(([id]) => id !== except)
  const oldest = others.find(([, lease]) => outOf(lease) === 0) ?? others[0]
  if (!oldest) return
  chargeAtEnd(debt, oldest[1])
  debt.leases.delete(oldest[0])
}

function out(debt: Debt): number {
  let tokens = 0
  for (const lease of debt.leases.values()) tokens += outOf(lease)
  return tokens
}

function outOf(lease: Lease): number {
  return lease.tokens - lease.used
}

function byEnd(debt: Debt): Lease[] {
  const open = [...debt.leases.values()].filter(lease => outOf(lease) > 0)
  return open.length < 2 ? open : open.sort((a, b) => a.endMs - b.endMs)
}
