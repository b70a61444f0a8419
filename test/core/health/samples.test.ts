import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellOf, forgetOldSamples, readCell } from '../../../src/core/health/cells.ts'
import {
  add,
  apdexOf,
  bucketOf,
  type Counts,
  failureShareOf,
  merge,
  noCounts,
  outcomeOf,
  quantileMs,
  samplesOf,
} from '../../../src/core/health/samples.ts'
import { Tally } from '../../../src/core/tally.ts'

const NOW = 1_700_000_000_000

function countsOf(...tookMs: number[]): Counts {
  const counts = noCounts()
  for (const ms of tookMs) add(counts, outcomeOf(ms, 500), bucketOf(ms))
  return counts
}

describe('Apdex', () => {
  it('counts answers within the target whole and those within four times the target half', () => {
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

describe('a cell', () => {
  it('is read back as it was written', () => {
    expect(readCell(cellOf('payment', 'tolerating', 800, NOW), NOW)).toEqual({
      kind: 'sample',
      upstream: 'payment',
      mark: 'tolerating',
      bucket: bucketOf(800),
      sentByMs: NOW + 1_000,
    })
  })

  it('is ignored when it is over a minute old, from the future, or no sample', () => {
    const cell = cellOf('origin', 'failed', 5, NOW)
    expect(readCell(cell, NOW + 30_000)).not.toBeNull()
    expect(readCell(cell, NOW + 70_000)).toBeNull()
    expect(readCell(cell, NOW - 60_000)).toBeNull()
    for (const other of ['polls', 'line/main/7', 'health/origin/x/s1', 'health/origin/1', 'health/a/1700000000/q3'])
      expect(readCell(other, NOW), other).toBeNull()
  })

  it('of a late 503 still counts, however short or long its Retry-After is', () => {
    for (const restMs of [1_000, 120_000]) {
      const cell = cellOf('origin', 'retry-after', restMs, NOW)
      expect(readCell(cell, NOW + 100_000)).not.toBeNull()
      expect(readCell(cell, NOW + 165_000)).toBeNull()
    }
  })
})

describe('a tally without acknowledgements', () => {
  it('drops samples that are too old to count, and keeps everything else', () => {
    const tally = new Tally()
    tally.add('line/main/5', 7)
    let cells = 0
    for (let second = 0; second < 3_600; second++) {
      const nowMs = NOW + second * 1_000
      for (let n = 0; n < 10; n++) tally.add(cellOf('origin', 'satisfied', 2 ** n, nowMs))
      forgetOldSamples(tally, nowMs)
      // A report is long, and within ten seconds it changes by two windows.
      if (second % 10 === 9) cells = Math.max(cells, Object.keys(tally.report().cells).length)
    }
    expect(cells).toBeLessThan(3_000)
    const last = tally.report().cells
    expect(last['line/main/5']).toBe(7)
    const heard = Object.keys(last).filter(cell => readCell(cell, NOW + 3_600_000))
    expect(heard.length).toBeGreaterThanOrEqual(600)
  })
})
