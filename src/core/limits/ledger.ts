/**
 * The debts of all sessions of a door. They are in memory, because nearly all of them drain within seconds. If a debt
 * takes longer than ten seconds to drain, it is stored before the door answers. So when a door loses its memory, a
 * session gains at most one extra burst. With such a long debt it gains nothing.
 */

import type { Quota } from '../gcra.ts'
import type { TokenGrant, TokenRequest } from '../protocol/messages.ts'
import { type Debt, debtMs, isClear, type LeaseTerm, lend, newDebt, tatIfUnreported } from './debt.ts'

/** The part of a debt that outlives the door's memory. */
export interface StoredDebt {
  readonly bucket: string
  readonly tatMs: number
  readonly intervalMs: number
}

export interface DebtStore {
  load(sid: string): Iterable<StoredDebt>
  save(sid: string, debt: StoredDebt): void
}

/**
 * At most this many sessions are in memory. Beyond this the session that was idle for longest is stored and dropped.
 */
const SESSIONS_MAX = 20_000
/**
 * At most this many buckets per session. Beyond this the paths of one policy share a bucket. A person never opens so
 * many.
 */
const BUCKETS_MAX = 256
/**
 * Debts that take longer than this to drain are stored. A stored debt never differs from the real one by more than
 * this.
 */
export const WRITTEN_OVER_MS = 10_000

/** Every 100 ms up to 200 sessions are pruned, which is 2,000 a second. No more than that arrive at one door. */
const LOOK_EVERY_MS = 100
const LOOK_AT = 200

interface Account {
  readonly debts: Map<string, Debt>
  /** The theoretical arrival times that are stored. */
  readonly written: Map<string, number>
}

/**
 * Returns the quota of a policy. Returns undefined if the door's settings are older than the edge's and lack the
 * policy.
 */
export type QuotaOf = (policy: string) => Quota | undefined

export class Ledger {
  readonly #store: DebtStore
  readonly #sessionsMax: number
  /** Least recently used first. */
  readonly #accounts = new Map<string, Account>()
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(store: DebtStore, sessionsMax = SESSIONS_MAX) {
    this.#store = store
    this.#sessionsMax = sessionsMax
  }

  get size(): number {
    return this.#accounts.size
  }

  /** A new session owes nothing, so nothing of it is stored. The caller has just admitted it. */
  begin(sid: string): void {
    this.#accounts.set(sid, { debts: new Map(), written: new Map() })
  }

  /**
   * Applies the renewal's reports on its leases, and lends what it requests. Returns the grants in the order of the
   * requests.
   */
  lend(sid: string, requests: readonly TokenRequest[], quotaOf: QuotaOf, term: LeaseTerm): readonly TokenGrant[] {
    if (requests.length === 0) return []
    const { nowMs } = term
    const account = this.#open(sid, nowMs)
    const grants = requests.map(request => {
      const quota = quotaOf(request.policy)
      // The edge has newer settings, with a policy that this door does not know yet. Until it does, the policy limits
      // no session.
      if (!quota) return { tokens: request.want, remaining: 0, retryAfterMs: 0 }
      const bucket = bucketOf(account, request, nowMs)
      const debt = account.debts.get(bucket) ?? newDebt(quota)
      account.debts.set(bucket, debt)
      const grant = lend(debt, quota, request, term)
      this.#write(sid, account, bucket, nowMs)
      return grant
    })
    this.#bound(nowMs)
    return grants
  }

  #open(sid: string, nowMs: number): Account {
    const known = this.#accounts.get(sid)
    if (known) this.#accounts.delete(sid)
    const account = known ?? this.#load(sid, nowMs)
    this.#accounts.set(sid, account)
    return account
  }

  #load(sid: string, nowMs: number): Account {
    const account: Account = { debts: new Map(), written: new Map() }
    for (const { bucket, tatMs, intervalMs } of this.#store.load(sid)) {
      if (tatMs <= nowMs) continue
      account.debts.set(bucket, { tatMs, intervalMs, leases: new Map() })
      account.written.set(bucket, tatMs)
    }
    return account
  }

  /**
   * Prunes drained debts. It begins with the session that was idle for longest, and stops at the first one with a debt.
   */
  #pruneQuiet(nowMs: number): void {
    if (Math.abs(nowMs - this.#lookedAtMs) < LOOK_EVERY_MS) return
    this.#lookedAtMs = nowMs
    let looks = LOOK_AT
    for (const [sid, account] of this.#accounts) {
      if (looks-- === 0) return
      pruneClear(account, nowMs)
      if (account.debts.size > 0 || [...account.written.values()].some(tatMs => tatMs > nowMs)) return
      this.#accounts.delete(sid)
    }
  }

  #write(sid: string, { debts, written }: Account, bucket: string, nowMs: number): void {
    const debt = debts.get(bucket)
    if (!debt) return
    const last = written.get(bucket) ?? 0
    const tatMs = tatIfUnreported(debt)
    const isLong = debtMs(debt, nowMs) > WRITTEN_OVER_MS
    // A lower debt than the stored one need not be stored. If the door loses its memory, the session pays at most ten
    // seconds too much.
    if (isLong ? tatMs <= last && last - tatMs <= WRITTEN_OVER_MS : last - Math.max(tatMs, nowMs) <= WRITTEN_OVER_MS)
      return
    this.#store.save(sid, { bucket, tatMs, intervalMs: debt.intervalMs })
    written.set(bucket, tatMs)
  }

  #bound(nowMs: number): void {
    this.#pruneQuiet(nowMs)
    for (const [sid, account] of this.#accounts) {
      if (this.#accounts.size <= this.#sessionsMax) return
      this.#accounts.delete(sid)
      for (const [bucket, debt] of account.debts) {
        const tatMs = tatIfUnreported(debt)
        if (tatMs > Math.max(nowMs, account.written.get(bucket) ?? 0))
          this.#store.save(sid, { bucket, tatMs, intervalMs: debt.intervalMs })
      }
    }
  }
}

/** Returns the bucket of the request: one for each path, while the session has few. */
function bucketOf(account: Account, { bucket, policy }: TokenRequest, nowMs: number): string {
  const { debts } = account
  if (bucket === policy || debts.has(bucket) || debts.size < BUCKETS_MAX) return bucket
  pruneClear(account, nowMs)
  return debts.size < BUCKETS_MAX ? bucket : `${policy}/*`
}

function pruneClear({ debts }: Account, nowMs: number): void {
  for (const [name, debt] of debts) if (isClear(debt, nowMs)) debts.delete(name)
}
