/**
 * Quotas that an isolate counts by itself: preflights of a network, tickets, and requests while no door answers.
 *
 * The table is bounded, so that no crowd of addresses can fill an isolate. But a full table must not forget a spent
 * quota. Otherwise a visitor could get a fresh quota by sending from other addresses first. So newcomers to a full
 * table share a few quotas.
 */
import { type Quota, type Spend, spend } from '../../core/gcra.ts'
import { fnv1a } from '../../core/hash.ts'

const ENTRIES_MAX = 10_000
/** For each kind, the number of quotas that the newcomers to a full table share. */
const SHARED = 64
/** When a newcomer meets a full table, this many entries are checked for being unused. */
const LOOKS = 16

/** The visitor or network that has a quota, and the kind of the quota. */
export interface Spender {
  readonly kind: string
  readonly who: string
}

export class Quotas {
  readonly #max: number
  /** Theoretical arrival times. The quota that was unused for longest is first. */
  readonly #tats = new Map<string, number>()

  constructor(max = ENTRIES_MAX) {
    this.#max = max
  }

  /** Spends from the quota that `who` has among those of `kind`. */
  spend({ kind, who }: Spender, quota: Quota, cost: number, nowMs: number): Spend {
    const own = `${kind}/${who}`
    const known = this.#tats.get(own)
    const shared = known === undefined ? sharedKey(kind, who, quota) : ''
    const key = known !== undefined || this.#hasRoom(nowMs) ? own : shared
    // A separate quota begins where the shared one stands. Otherwise a visitor would get two bursts.
    const verdict = spend(quota, known ?? this.#tats.get(shared) ?? 0, cost, nowMs)
    this.#tats.delete(key)
    this.#tats.set(key, verdict.tatMs)
    return verdict
  }

  /** Undoes a spend. For a shared quota it does nothing, because others may have spent since. */
  giveBack({ kind, who }: Spender, { intervalMs }: Quota, cost: number): void {
    const own = `${kind}/${who}`
    const tatMs = this.#tats.get(own)
    if (tatMs !== undefined) this.#tats.set(own, tatMs - intervalMs * cost)
  }

  /** Forgets quotas that are full again, until there is space or enough entries were checked. */
  #hasRoom(nowMs: number): boolean {
    if (this.#tats.size < this.#max) return true
    let looks = 0
    for (const [key, tatMs] of this.#tats) {
      this.#tats.delete(key)
      if (tatMs <= nowMs) return true
      // The entry moves to the end, so that the next newcomer has other entries checked.
      this.#tats.set(key, tatMs)
      if (++looks === LOOKS) break
    }
    return false
  }
}

/** Only quotas of the same speed are shared: a slow one must not hold up a fast one. */
function sharedKey(kind: string, who: string, { intervalMs, burst }: Quota): string {
  return `${kind} ${intervalMs} ${burst} ${fnv1a(who) % SHARED}`
}
