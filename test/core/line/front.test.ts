import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arrivals, arrivalBucketOf, BUCKET_MS } from '../../../src/core/line/arrivals.ts'
import { curveOf } from '../../../src/core/line/curve.ts'
import { frontOf, peopleAhead } from '../../../src/core/line/front.ts'
import { placeOf } from '../../../src/core/place/place.ts'
import { newTicket } from '../../../src/core/place/tickets.ts'
import { newRoom, sync } from '../../../src/core/room/room.ts'
import { emptyReport } from '../../support/reports.ts'

const T0 = 1_700_000_000_000
const HELD = { ratePerMinute: 0, totalActiveUsers: 100, claimWindowMs: 300_000 }

function lineOf(keys: readonly number[]): Arrivals {
  const arrivals = new Arrivals()
  for (const key of keys) arrivals.add(arrivalBucketOf(key), 1)
  return arrivals
}

/** A line as an edge gets it. Its front has at most `peopleMax` people. */
const seenOf = (line: Arrivals, fromKey = T0, peopleMax?: number) => ({
  frontierKey: fromKey,
  curve: curveOf(line, fromKey),
  front: frontOf(line, fromKey, peopleMax),
})

/** Keys with three decimals. No two people share a bucket, from a crowd to a few people in an hour. */
const distinctKeys = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 1_200 }),
    fc.constantFrom(1, 7, 80, 9_000),
    fc.integer({ min: 0, max: 124 }),
  )
  .map(([buckets, apart, micros]) =>
    buckets.toSorted((a, b) => a - b).map(bucket => T0 + bucket * apart * BUCKET_MS + micros / 1_000),
  )

describe('the front of a line', () => {
  it('gives each of the first thousand people exactly the place of the arrival', () => {
    fc.assert(
      fc.property(distinctKeys, keys => {
        const seen = seenOf(lineOf(keys))
        const ahead = keys.slice(0, 1_000).map(key => peopleAhead(seen, { key, confirmed: true }))
        expect(ahead).toEqual(ahead.map((_, i) => i))
      }),
    )
  })

  it('places all later people behind its end, with an error of at most a hundredth of the line ahead', () => {
    fc.assert(
      fc.property(distinctKeys, fc.integer({ min: 0, max: 60 }), (keys, peopleMax) => {
        const seen = seenOf(lineOf(keys), T0, peopleMax)
        const behind = keys.map((key, i) => [i, peopleAhead(seen, { key, confirmed: true })] as const).slice(peopleMax)
        const wrong = behind.filter(
          ([i, ahead]) => ahead < peopleMax || Math.abs(ahead - i) > Math.max(1.5, i / 100 + 1),
        )
        expect(wrong).toEqual([])
      }),
    )
  })

  it('counts people who share a bucket in proportion to the part of the bucket before a key', () => {
    const seen = seenOf(lineOf([T0, T0 + 1, T0 + 1, T0 + 1, T0 + 2]))
    const ahead = (ms: number) => peopleAhead(seen, { key: T0 + ms, confirmed: true })
    expect([0, 1, 1 + BUCKET_MS / 2, 2, 3].map(ahead)).toEqual([0, 1, 2, 4, 5])
  })

  it('does not count a confirmed ticket twice while its count is still on its way', () => {
    const seen = seenOf(lineOf([T0, T0 + 2]))
    const key = T0 + 1 + BUCKET_MS * 0.9
    expect(peopleAhead(seen, { key, confirmed: true })).toBe(1)
    expect(peopleAhead(seen, { key, confirmed: false })).toBe(1)
  })

  it('is not needed in a snapshot of an earlier version, which has only a curve', () => {
    const { curve } = seenOf(lineOf([T0, T0 + 1_000, T0 + 2_000]))
    expect(peopleAhead({ frontierKey: T0, curve }, { key: T0 + 3_000, confirmed: false })).toBe(3)
  })

  it('has at most a thousand numbers, and never a part of a bucket', () => {
    const crowd = lineOf(Array.from({ length: 3_000 }, (_, i) => T0 + i))
    expect(frontOf(crowd, T0)).toHaveLength(1_000)
    const together = lineOf(Array.from({ length: 1_200 }, (_, i) => T0 + (i < 900 ? i : 900)))
    expect(frontOf(together, T0)).toHaveLength(900)
  })
})

describe('a held line into which sixty people come one after another', () => {
  it('shows them the places 1 to 60, even while one of these visitors is refused again and again', () => {
    const room = newRoom(T0)
    const keys = Array.from({ length: 60 }, (_, i) => T0 + 10_000 + i * 1_137.431 + (i % 7) * 61.173)
    const cells = Object.fromEntries(keys.map(key => [`line/main/${arrivalBucketOf(key)}`, 1]))
    const demand = [{ lane: 'main', ready: 1, oldestKey: T0 + 10_000, perSecond: 0 }]
    sync(room, { ...emptyReport('a'), demand }, HELD, T0 + 10_000)
    const nowMs = T0 + 100_000
    sync(room, { ...emptyReport('a'), seq: 2, open: false, demand, cells }, HELD, nowMs)
    const { snapshot } = room
    if (!snapshot) throw new Error('the room has made no snapshot')
    const positions = keys.map(key => {
      const ticket = { ...newTicket({ room: 'r', sid: 'a.x', lane: 'main', key }, snapshot, key), confirmed: true }
      const place = placeOf(ticket, snapshot, HELD.claimWindowMs, nowMs)
      return place.state === 'waiting' ? place.position : place.state
    })
    expect(positions).toEqual(keys.map((_, i) => i + 1))
  })
})
