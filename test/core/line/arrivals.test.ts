import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arrivals, arrivalBucketOf, BUCKET_MS, CHUNK_MS, chunkOf } from '../../../src/core/line/arrivals.ts'
import { aheadOf, curveOf, total } from '../../../src/core/line/curve.ts'

const T0 = 1_700_000_000_000
/** The smallest difference between two numbers of the size of T0. */
const KEY_STEP_MS = 2 ** -12

/** A line in which one person arrived at each of these moments after T0. */
function lineOf(...momentsMs: number[]): Arrivals {
  const arrivals = new Arrivals()
  for (const momentMs of momentsMs) arrivals.add(arrivalBucketOf(T0 + momentMs), 1)
  return arrivals
}

/** Every bucket that is not empty. */
function bucketsOf(line: Arrivals): number[][] {
  const buckets: number[][] = []
  line.forEach(T0, (...bucket) => buckets.push(bucket))
  return buckets
}

describe('Arrivals', () => {
  it('counts the people in a span', () => {
    const line = lineOf(50, 150, 1_000, 90_000)
    expect(line.between(T0, T0 + 200)).toBe(2)
    expect(line.between(T0 + 200, T0 + 100_000)).toBe(2)
    expect(line.after(T0)).toBe(4)
  })

  it('takes part of a bucket in proportion', () => {
    const line = new Arrivals()
    line.add(arrivalBucketOf(T0), 10)
    expect(line.between(T0, T0 + BUCKET_MS / 4)).toBeCloseTo(2.5)
    expect(line.advance(T0, 5)).toEqual({ key: T0 + BUCKET_MS / 2, passed: 5 })
  })

  it('never advances beyond the last ticket', () => {
    const line = lineOf(50, 250)
    expect(line.advance(T0, 100)).toEqual({ key: T0 + 250 + BUCKET_MS, passed: 2 })
    expect(line.advance(T0 + 251, 1)).toEqual({ key: T0 + 251, passed: 0 })
  })

  it('passes over a gap without arrivals', () => {
    const line = lineOf(50, 10 * CHUNK_MS)
    expect(line.advance(T0, 1.5).key).toBeGreaterThan(T0 + 10 * CHUNK_MS)
  })

  it('forgets only whole chunks, and keeps the counts of the rest', () => {
    const line = lineOf(0, 2 * CHUNK_MS, 5 * CHUNK_MS)
    line.pruneBefore(T0 + 2 * CHUNK_MS)
    expect(line.after(T0)).toBe(2)
  })

  it('removes people from their own bucket, and from no other', () => {
    const line = new Arrivals()
    for (const bucket of [10, 10, 11, 12]) line.add(bucket, 1)
    for (const bucket of [9, 10, 12, 12, 13, 99_999]) line.remove(bucket, 1)
    const left = new Arrivals()
    for (const bucket of [10, 11]) left.add(bucket, 1)
    expect(line.save(0)).toEqual(left.save(0))
    line.remove(10, 5)
    expect([line.after(0), line.between(0, 11 * BUCKET_MS)]).toEqual([1, 0])
  })

  it('is the same after it is saved and loaded', () => {
    const line = lineOf(50, 150, 150, 2 * CHUNK_MS)
    const again = new Arrivals()
    for (const momentMs of [50, 2 * CHUNK_MS]) {
      const chunk = chunkOf(arrivalBucketOf(T0 + momentMs))
      again.load(chunk, line.save(chunk) as Uint8Array)
    }
    expect(bucketsOf(again)).toEqual(bucketsOf(line))
    expect(again.lastKey).toBe(line.lastKey)
  })

  const moments = fc.array(fc.integer({ min: 0, max: 5 * CHUNK_MS }), { minLength: 1, maxLength: 80 })

  it('advances to the key behind which the remaining people wait', () => {
    fc.assert(
      fc.property(moments, fc.double({ min: 0, max: 100, noNaN: true }), (momentsMs, people) => {
        const line = lineOf(...momentsMs)
        const { key, passed } = line.advance(T0, people)
        // A bucket of few people is called as a whole.
        expect(passed).toBeGreaterThanOrEqual(Math.min(people, momentsMs.length) - 1e-9)
        expect(passed).toBeLessThanOrEqual(Math.min(people + 4, momentsMs.length) + 1e-9)
        expect(line.after(key)).toBeCloseTo(momentsMs.length - passed, 4)
      }),
    )
  })

  it('has a curve that is off by at most half a place, or a hundredth of the line ahead', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 5 * CHUNK_MS }), (momentsMs, atMs) => {
        const line = lineOf(...momentsMs)
        const curve = curveOf(line, T0)
        const exact = line.between(T0, T0 + atMs)
        expect(Math.abs(aheadOf(curve, T0 + atMs) - exact)).toBeLessThanOrEqual(Math.max(0.5, exact / 100) + 1e-6)
        expect(total(curve)).toBe(momentsMs.length)
      }),
    )
  })

  it('counts like a list of tickets, whatever is added, forgotten, saved and loaded in any order', () => {
    const key = fc.integer({ min: 0, max: 6 * CHUNK_MS })
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key, count: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant('forget' as const), key }),
      fc.record({ kind: fc.constant('restart' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), key, key, (steps, one, other) => {
        let line = new Arrivals()
        let tickets: number[] = []
        for (const step of steps) {
          if (step.kind === 'add') {
            line.add(arrivalBucketOf(T0 + step.key), step.count)
            tickets.push(...Array.from({ length: step.count }, () => T0 + step.key))
          } else if (step.kind === 'forget') {
            // Only chunks that end before the key are forgotten.
            const gone = new Set(line.pruneBefore(T0 + step.key))
            for (const number of gone) expect((number + 1) * CHUNK_MS).toBeLessThanOrEqual(T0 + step.key)
            tickets = tickets.filter(ticket => !gone.has(chunkOf(arrivalBucketOf(ticket))))
          } else {
            const again = new Arrivals()
            for (const chunk of new Set(tickets.map(ticket => chunkOf(arrivalBucketOf(ticket)))))
              again.load(chunk, line.save(chunk) as Uint8Array)
            line = again
          }
        }
        // Keys are whole milliseconds here, and so are edges of buckets.
        const [from, to] = [T0 + Math.min(one, other), T0 + Math.max(one, other)]
        expect(line.after(from)).toBeCloseTo(tickets.filter(ticket => ticket >= from).length, 6)
        expect(line.between(from, to)).toBeCloseTo(tickets.filter(ticket => ticket >= from && ticket < to).length, 6)
        const last = Math.max(...tickets)
        if (tickets.length > 0) expect(line.lastKey).toBe(last + BUCKET_MS)
      }),
      { numRuns: 500 },
    )
  })

  it('advances only forward, and counts each person once on the way', () => {
    const calls = fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(moments, calls, (momentsMs, people) => {
        const line = lineOf(...momentsMs)
        let key = T0
        let passed = 0
        for (const some of people) {
          const next = line.advance(key, some)
          expect(next.key).toBeGreaterThanOrEqual(key)
          expect(next.key).toBeLessThanOrEqual(line.lastKey)
          key = next.key
          passed += next.passed
          const off = Math.abs(line.after(key) - (momentsMs.length - passed))
          // A bucket that is called in part is cut at a key. Such keys are a step apart, so the cut is not exact.
          expect(off).toBeLessThanOrEqual((momentsMs.length * KEY_STEP_MS) / BUCKET_MS)
        }
      }),
    )
  })

  it('has a short curve for a long line, and the curve still rises', () => {
    const line = new Arrivals()
    // Three hours of a crowd that comes in waves.
    for (let i = 0; i < 3 * 36_000; i++) line.add(arrivalBucketOf(T0 + i * 100), i % 7 === 0 ? 13 : i % 3)
    const curve = curveOf(line, T0)
    expect(curve.length).toBeLessThanOrEqual(400)
    for (let i = 2; i < curve.length; i += 2) {
      expect(curve[i] as number).toBeGreaterThan(curve[i - 2] as number)
      expect(curve[i + 1] as number).toBeGreaterThanOrEqual(curve[i - 1] as number)
    }
  })
})
