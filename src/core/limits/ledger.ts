/**
 * The debts of all sessions of a door. In memory, because nearly all of them drain within seconds; those that take longer than ten
 * seconds are written down before the answer that made them, so that a door that loses its memory gives nobody more than one extra
 * burst, and nothing at all to who had such a debt.
 */

import type { Quota } from '../gcra.ts'
import type { Ask, Grant } from '../protocol/messages.ts'
import { type Debt, debtMs, isClear, lend, newDebt, tatIfUnheard } from './debt.ts'

/** What of a debt outlives the door's memory. */
export interface StoredDebt {
  readonly bucket: string
  readonly tatMs: number
  readonly intervalMs: number
}

export interface DebtStore {
  load(sid: string): Iterable<StoredDebt>
  save(sid: string, debt: StoredDebt): void
}

/** Sessions in memory. Beyond it the one that was quiet for longest is written down. */
const SESSIONS_MAX = 20_000
/** Buckets of a session with a debt: beyond it, paths of one policy share one. A person does not get there. */
const BUCKETS_MAX = 256
/** Debts that take longer to drain are written down, and what is written is never further off than this. */
export const WRITTEN_OVER_MS = 10_000

/** Two thousand sessions a second may go: a door has no more that come. */
const LOOK_EVERY_MS = 100
const LOOK_AT = 200

interface Account {
  readonly debts: Map<string, Debt>
  /** Theoretical arrival times as they were written. */
  readonly written: Map<string, number>
}

/** The quota of a policy, undefined when the door knows none of that name: its settings may be older than an edge's. */
export type QuotaOf = (policy: string) => Quota | undefined

export class Ledger {
  readonly #store: DebtStore
  readonly #sessionsMax: number
  /** Least recently heard of first. */
  readonly #accounts = new Map<string, Account>()
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(store: DebtStore, sessionsMax = SESSIONS_MAX) {
    this.#store = store
    this.#sessionsMax = sessionsMax
  }

  get size(): number {
    return this.#accounts.size
  }

  /** Takes what a touch says of its leases, and lends what it asks for, for `leaseMs`; answers in the order asked. */
  touch(sid: string, asks: readonly Ask[], quotaOf: QuotaOf, leaseMs: number, nowMs: number): readonly Grant[] {
    if (asks.length === 0) return []
    const account = this.#open(sid, nowMs)
    const grants = asks.map(ask => {
      const quota = quotaOf(ask.policy)
      // Named by a change that has not arrived here: for a moment nobody is limited by it.
      if (!quota) return { tokens: ask.want, remaining: 0, retryAfterMs: 0 }
      const bucket = bucketOf(account, ask, nowMs)
      const debt = account.debts.get(bucket) ?? newDebt(quota)
      account.debts.set(bucket, debt)
      const grant = lend(debt, quota, ask, leaseMs, nowMs)
      this.#write(sid, account, bucket, debt, nowMs)
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

  /** Of those that were quiet for longest, what is drained. */
  #forgetQuiet(nowMs: number): void {
    if (Math.abs(nowMs - this.#lookedAtMs) < LOOK_EVERY_MS) return
    this.#lookedAtMs = nowMs
    let looks = LOOK_AT
    for (const [sid, account] of this.#accounts) {
      if (looks-- === 0) return
      forgetClear(account, nowMs)
      if (account.debts.size > 0 || [...account.written.values()].some(tatMs => tatMs > nowMs)) return
      this.#accounts.delete(sid)
    }
  }

  #write(sid: string, { written }: Account, bucket: string, debt: Debt, nowMs: number): void {
    const last = written.get(bucket) ?? 0
    const tatMs = tatIfUnheard(debt)
    const isLong = debtMs(debt, nowMs) > WRITTEN_OVER_MS
    // A lower debt than is written would cost its session something only if the door lost its memory: ten seconds at most.
    if (isLong ? tatMs <= last && last - tatMs <= WRITTEN_OVER_MS : last - Math.max(tatMs, nowMs) <= WRITTEN_OVER_MS)
      return
    this.#store.save(sid, { bucket, tatMs, intervalMs: debt.intervalMs })
    written.set(bucket, tatMs)
  }

  #bound(nowMs: number): void {
    this.#forgetQuiet(nowMs)
    for (const [sid, account] of this.#accounts) {
      if (this.#accounts.size <= this.#sessionsMax) return
      this.#accounts.delete(sid)
      for (const [bucket, debt] of account.debts) {
        const tatMs = tatIfUnheard(debt)
        if (tatMs > Math.max(nowMs, account.written.get(bucket) ?? 0))
          this.#store.save(sid, { bucket, tatMs, intervalMs: debt.intervalMs })
      }
    }
  }
}

/** A bucket for each path while there are few. */
function bucketOf(account: Account, { bucket, policy }: Ask, nowMs: number): string {
  const { debts } = account
  if (bucket === policy || debts.has(bucket) || debts.size < BUCKETS_MAX) return bucket
  forgetClear(account, nowMs)
  return debts.size < BUCKETS_MAX ? bucket : `${policy}/*`
}

function forgetClear({ debts }: Account, nowMs: number): void {
  for (const [name, debt] of debts) if (isClear(debt, nowMs)) debts.delete(name)
}
