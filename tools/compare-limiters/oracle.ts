/**
 * Naive and exact: for every decision it searches logs of what was allowed. Each limiter is judged by its own promise
 * and by its own earlier decisions. Each mistake counts once: for later decisions a wrongly refused request counts as
 * served.
 */
import type { Quota } from '../../src/core/gcra.ts'

/**
 * `window`: at most `count` in any window of `periodMs`. `bucket`: at most floor(d / interval) + burst in any window d.
 */
export type Promised =
  | { readonly kind: 'window'; readonly count: number; readonly periodMs: number }
  | { readonly kind: 'bucket'; readonly quota: Quota }

export interface Judgement {
  decisions: number
  allowed: number
  /** The number of requests that were allowed beyond the promise. */
  over: number
  /** The number of requests that were refused although the promise would allow one more. */
  refusedWrongly: number
  /** The most that was allowed in any window, as a share of what is promised for that window. */
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

/** Returns the used share of the promise in the fullest window that ends now, if one more request is allowed. */
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
