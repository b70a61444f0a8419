import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newShedder, noteAsked, noteOk, shedShare } from '../../../src/edge/limits/client-throttle.ts'

const NOW = 1_700_000_000_000

function shedderOf(asked: number, ok: number) {
  const shedder = newShedder()
  for (let i = 0; i < asked; i++) noteAsked(shedder, NOW)
  for (let i = 0; i < ok; i++) noteOk(shedder, NOW)
  return shedder
}

describe('shedding', () => {
  it('begins when fewer than one in k requests is answered well', () => {
    expect(shedShare(shedderOf(100, 100), 2)).toBe(0)
    expect(shedShare(shedderOf(100, 50), 2)).toBe(0)
    expect(shedShare(shedderOf(99, 24), 2)).toBeCloseTo(0.51)
    expect(shedShare(shedderOf(99, 0), 2)).toBeCloseTo(0.99)
  })

  it('fades: half of each count is left after 30 seconds', () => {
    const shedder = shedderOf(100, 0)
    noteOk(shedder, NOW + 30_000)
    expect(shedder.asked).toBeCloseTo(50)
  })

  it('never refuses everything, so that good answers can end it', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.double({ min: 1.1, max: 10, noNaN: true }), (asked, ok, k) => {
        const share = shedShare(shedderOf(asked, ok), k)
        expect(share).toBeGreaterThanOrEqual(0)
        expect(share).toBeLessThan(1)
      }),
    )
  })
})
