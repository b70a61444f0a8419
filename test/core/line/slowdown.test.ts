import { describe, expect, it } from 'vitest'
import { followPace, newPace, slowedAt } from '../../../src/core/line/slowdown.ts'

const MINUTE_MS = 60_000

/** A room with 600 permits a minute and 1,000 places. Its limits have not changed and it has not been full so far. */
function steady() {
  const pace = newPace()
  return (change: { rate?: number; total?: number; full?: boolean }, atMs: number) => {
    const { rate = 600, total = 1_000, full = false } = change
    followPace(pace, { ratePerMinute: rate, totalActiveUsers: total }, full, atMs)
    return slowedAt(pace, atMs)
  }
}

describe('the notice of a slower line', () => {
  it('is not shown while nothing changes, nor when more visitors are admitted', () => {
    const at = steady()
    expect([at({}, 0), at({}, 1_000)]).toEqual([null, null])
    expect(at({ rate: 1_200 }, 2_000)).toBe(null)
    expect(at({ rate: 1_200, total: 2_000 }, 3_000)).toBe(null)
  })

  it('is shown for three minutes when the rate fell by more than a tenth', () => {
    const at = steady()
    at({}, 0)
    expect(at({ rate: 545 }, 1_000)).toBe(null)
    expect(at({ rate: 535 }, 2_000)).toBe('rate')
    expect(at({ rate: 535 }, 2_000 + 3 * MINUTE_MS - 1)).toBe('rate')
    expect(at({ rate: 535 }, 2_000 + 3 * MINUTE_MS)).toBe(null)
  })

  it('is shown for a rate that sinks little by little once it has sunk by a tenth', () => {
    const at = steady()
    const told = Array.from({ length: 20 }, (_, window) => at({ rate: 600 * 0.99 ** window }, window * 5_000))
    expect(told.indexOf('rate')).toBe(11)
  })

  it('is shown when the room fills, but not each time that a free place is taken again', () => {
    const at = steady()
    at({}, 0)
    expect(at({ full: true }, 1_000)).toBe('full')
    for (let minute = 1; minute < 10; minute++) {
      at({ full: false }, minute * MINUTE_MS - 30_000)
      at({ full: true }, minute * MINUTE_MS)
    }
    expect(at({ full: true }, 9 * MINUTE_MS)).toBe(null)
    expect(at({ full: true }, 10 * MINUTE_MS + 1)).toBe('full')
  })

  it('is shown for a lower total only while the room is full', () => {
    const at = steady()
    at({}, 0)
    expect(at({ total: 500 }, 1_000)).toBe(null)
    at({ total: 500, full: true }, 2_000)
    expect(at({ total: 400, full: true }, 10 * MINUTE_MS)).toBe('rate')
  })
})
