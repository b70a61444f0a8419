import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Quota, quotaOf, spend } from '../../src/core/gcra.ts'

/**
 * The cases of redis-cell's own test of its limiter (`it_rate_limits`): max_burst 4 and one token a second.
 * Times are milliseconds from the start. A retry of -1 means "no need to wait" or "never".
 */
const VECTORS: [atMs: number, volume: number, remaining: number, resetMs: number, retryMs: number, limited: boolean][] =
  [
    [0, 6, 5, 0, -1, true],
    [0, 1, 4, 1_000, -1, false],
    [0, 1, 3, 2_000, -1, false],
    [0, 1, 2, 3_000, -1, false],
    [0, 1, 1, 4_000, -1, false],
    [0, 1, 0, 5_000, -1, false],
    [0, 1, 0, 5_000, 1_000, true],
    [3_000, 1, 2, 3_000, -1, false],
    [3_100, 1, 1, 3_900, -1, false],
    [4_000, 1, 1, 4_000, -1, false],
    [8_000, 1, 4, 1_000, -1, false],
    [9_500, 1, 4, 1_000, -1, false],
    [9_500, 0, 4, 1_000, -1, false],
    [9_500, 2, 2, 3_000, -1, false],
    [9_500, 5, 2, 3_000, 3_000, true],
  ]

describe('GCRA', () => {
  it('decides like redis-cell in its own test', () => {
    const quota = quotaOf(1, 1_000, 5)
    const startMs = 1_000_000
    let tatMs = 0
    const decided = VECTORS.map(([atMs, volume]) => {
      const nowMs = startMs + atMs
      const verdict = spend(quota, tatMs, volume, nowMs)
      tatMs = verdict.tatMs
      const resetMs = Math.max(0, tatMs - nowMs)
      const remaining = Math.floor((5_000 - resetMs) / 1_000)
      const waitMs = verdict.allowed || verdict.retryAfterMs === Number.POSITIVE_INFINITY ? -1 : verdict.retryAfterMs
      return [atMs, volume, remaining, resetMs, waitMs, !verdict.allowed]
    })
    expect(decided).toEqual(VECTORS)
  })

  it('decides each spend like a log of all earlier spends', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 4 })), {
      maxLength: 80,
    })
    const quotas = fc.record({ intervalMs: fc.integer({ min: 1, max: 2_000 }), burst: fc.integer({ min: 1, max: 12 }) })
    fc.assert(
      fc.property(quotas, gaps, (quota, steps) => {
        const log: { atMs: number; cost: number }[] = []
        let tatMs = 0
        let nowMs = 1_000_000
        for (const [gapMs, cost] of steps) {
          nowMs += gapMs
          const verdict = spend(quota, tatMs, cost, nowMs)
          tatMs = verdict.tatMs
          expect(verdict.allowed).toBe(fits(quota, [...log, { atMs: nowMs, cost }]))
          if (verdict.allowed) log.push({ atMs: nowMs, cost })
        }
      }),
    )
  })

  it.each([
    [7, 60_000],
    [1_000, 60_000],
    [3, 1_000],
    [999, 86_400_000],
  ])('never lets one of %i in %i ms pass early because of rounding', (count, periodMs) => {
    const quota = quotaOf(count, periodMs, 1)
    let tatMs = 0
    let nowMs = 1_790_000_000_000
    const startMs = nowMs
    for (let cells = 1; cells <= 5_000; cells++) {
      const verdict = spend(quota, tatMs, 1, nowMs)
      if (!verdict.allowed) throw new Error('refused at its own time')
      tatMs = verdict.tatMs
      expect(cells).toBeLessThanOrEqual(Math.floor(((nowMs - startMs) * count) / periodMs) + 1)
      const next = spend(quota, tatMs, 1, nowMs)
      if (!next.allowed) nowMs += next.retryAfterMs
    }
  })
})

/** The oracle: each window that ends with the last spend must have room for all spends in it. */
function fits(quota: Quota, log: readonly { atMs: number; cost: number }[]): boolean {
  const endMs = log.at(-1)?.atMs ?? 0
  let sum = 0
  for (const { atMs, cost } of log.toReversed()) {
    sum += cost
    if (sum * quota.intervalMs > endMs - atMs + quota.burst * quota.intervalMs) return false
  }
  return true
}
