/**
 * Naive and exact: logs of what was allowed, looked through for every decision. Each limiter is judged by its own promise and by what it
 * did before, and each of its mistakes counts once: a request that was refused wrongly is taken for served when later ones are judged.
 */
import type { Quota } from '../../src/core/gcra.ts'

/** So many in any window of the period; or, of a bucket, ⌊Δ / interval⌋ + burst in any window Δ. */
export type Promised =
  | { readonly kind: 'window'; readonly count: number; readonly periodMs: number }
  | { readonly kind: 'bucket'; readonly quota: Quota }

export interface Judgement {
  decisions: number
  allowed: number
  /** Allowed beyond the promise. */
  over: number
  /** Refused, though the promise leaves room. */
  refusedWrongly: number
  /** The most that was allowed in any window, as a share of what is promised for it. */
  worstShare: number
}

export class Oracle {
  readonly #promised: Promised
  readonly #logs = new Map<string, { readonly allowed: number[]; readonly served: number[] }>()
  readonly judgement: Judgement = { decisions: 0, allowed: 0, over: 0, refusedWrongly: 0, worstShare: 0 }

  constructor(promised: Promised) {
    this.#promised = promised
  }

  judge(session: string, allowed: boolean, nowMs: number): void {
    const { judgement } = this
    const logs = this.#logs.get(session) ?? { allowed: [], served: [] }
    this.#logs.set(session, logs)
    judgement.decisions++
    if (!allowed) {
      if (shareWithOneMore(this.#promised, logs.served, nowMs) > 1) return
      judgement.refusedWrongly++
      logs.served.push(nowMs)
      return
    }
    const share = shareWithOneMore(this.#promised, logs.allowed, nowMs)
    logs.allowed.push(nowMs)
    logs.served.push(nowMs)
    judgement.allowed++
    if (share > 1) judgement.over++
    judgement.worstShare = Math.max(judgement.worstShare, share)
  }
}

/** One more now: how full is the fullest window that ends with it? Above 1 is more than is promised. */
function shareWithOneMore(promised: Promised, log: readonly number[], nowMs: number): number {
  if (promised.kind === 'window') {
    const inWindow = log.filter(atMs => atMs > nowMs - promised.periodMs).length
    return (inWindow + 1) / promised.count
  }
  const { intervalMs, burst } = promised.quota
  let worst = 1 / burst
  for (let i = log.length - 1; i >= 0; i--) {
    const most = Math.floor((nowMs - (log[i] as number)) / intervalMs) + burst
    worst = Math.max(worst, (log.length - i + 1) / most)
  }
  return worst
}
