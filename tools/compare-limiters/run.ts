/**
 * Plays the same traffic to every limiter: once decision by decision for the oracle, once in slices for the stopwatch.
 */
import { medians } from '../simulation/order.ts'
import { Clock } from './clock.ts'
import type { Limiter } from './limiters.ts'
import { type Judgement, Oracle } from './oracle.ts'
import type { Request } from './traffic.ts'

export interface Exactness extends Judgement {
  readonly calls: number
  readonly beyondGrain: number | null
}

/** Plays the requests one after another, each at its exact time. */
export async function judge(limiter: Limiter, traffic: readonly Request[]): Promise<Exactness> {
  using clock = new Clock()
  const oracle = new Oracle(limiter.promised)
  for (const { atMs, session, isolate } of traffic) {
    clock.nowMs = atMs
    oracle.judge(session, await limiter.check(session, isolate, atMs), atMs)
  }
  return { ...oracle.judgement, calls: limiter.calls(), beyondGrain: limiter.beyondGrain() }
}

/** Requests that one process has under way at once. */
const AT_ONCE = 32

/**
 * Returns the decisions a second of each limiter: the median of its time slices. The limiters take turns, and the first
 * slice of each only warms up.
 */
export async function race(
  limiters: readonly Limiter[],
  traffic: readonly Request[],
  slices: number,
): Promise<Map<string, number>> {
  using clock = new Clock()
  const rates = new Map<string, number[]>(limiters.map(({ name }) => [name, []]))
  const length = Math.floor(traffic.length / (slices + 1))
  for (let slice = 0; slice <= slices; slice++) {
    for (const limiter of limiters) {
      const beganMs = performance.now()
      await play(limiter, traffic.slice(slice * length, (slice + 1) * length), clock)
      if (slice > 0) rates.get(limiter.name)?.push((length * 1_000) / (performance.now() - beganMs))
    }
  }
  return medians(rates)
}

async function play(limiter: Limiter, traffic: readonly Request[], clock: Clock): Promise<void> {
  for (let from = 0; from < traffic.length; from += AT_ONCE) {
    const together = traffic.slice(from, from + AT_ONCE)
    // Requests that are under way together have the same time.
    const nowMs = together[0]?.atMs ?? clock.nowMs
    clock.nowMs = nowMs
    await Promise.all(together.map(({ session, isolate }) => limiter.check(session, isolate, nowMs)))
  }
}
