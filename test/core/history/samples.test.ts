import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../../../src/core/health/outcome.ts'
import {
  add,
  apdexOf,
  bucketOf,
  type Counts,
  failureShareOf,
  merge,
  noCounts,
  quantileMs,
  samplesOf,
} from '../../../src/core/history/samples.ts'

function countsOf(...tookMs: number[]): Counts {
  const counts = noCounts()
  for (const ms of tookMs) add(counts, outcomeOf(ms, 500), bucketOf(ms))
  return counts
}

describe('Apdex', () => {
  it('counts an answer within the target as 1, and one within four times the target as 1/2', () => {
    expect([500, 501, 2_000, 2_001].map(ms => outcomeOf(ms, 500))).toEqual([
      'satisfied',
      'tolerating',
      'tolerating',
      'frustrated',
    ])
    expect(apdexOf(countsOf(100, 100, 1_000, 5_000))).toBe(0.625)
    expect(apdexOf(noCounts())).toBeNull()
  })

  it('counts a frustrated request that then fails once, as a failure', () => {
    const counts = countsOf(100, 3_000)
    add(counts, 'turned-failed', 0)
    expect([samplesOf(counts), failureShareOf(counts)]).toEqual([2, 0.5])
  })

  it('counts a failure as a new sample if it was frustrated a window earlier: failures never exceed samples', () => {
    const counts = countsOf(100)
    for (let i = 0; i < 3; i++) add(counts, 'turned-failed', 0)
    expect([samplesOf(counts), failureShareOf(counts)]).toEqual([4, 0.75])
  })
})

describe('the histogram', () => {
  it('returns percentiles that are at most a fifth too high', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 2, max: 100_000 }), { minLength: 1, maxLength: 200 }), tookMs => {
        const sorted = tookMs.toSorted((a, b) => a - b)
        const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1] as number
        const told = quantileMs(countsOf(...tookMs), 0.95) as number
        expect(told).toBeGreaterThanOrEqual(p95 - 1)
        expect(told).toBeLessThanOrEqual(p95 * 1.2 + 1)
      }),
    )
  })

  it('is the same however its parts are merged', () => {
    const tookMs = fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 50 })
    fc.assert(
      fc.property(tookMs, tookMs, (one, other) => {
        const merged = countsOf(...one)
        merge(merged, countsOf(...other))
        expect(merged).toEqual(countsOf(...other, ...one))
      }),
    )
  })
})
