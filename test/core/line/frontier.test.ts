import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrivalBucketOf } from '../../../src/core/line/arrivals.ts'
import {
  comingIn,
  hasCalled,
  type LaneLoad,
  newFrontier,
  peopleToCall,
  recordTick,
  showRate,
  supplyOf,
} from '../../../src/core/line/frontier.ts'
import { callNext, confirm, countCalledAhead, newLine, snapshotOf, waiting } from '../../../src/core/line/line.ts'

const T0 = 1_700_000_000_000
const CLAIM_WINDOW_MS = 300_000

/** Ten permits a second, an empty bank, and no ready visitors. */
const load = (more: Partial<LaneLoad> = {}): LaneLoad => ({
  ...{ ready: 0, permits: 0, freeCapacity: 1_000_000, permitsPerSecond: 10, departuresPerSecond: 0, shown: 0 },
  ...more,
})

const numbers = fc.double({ min: 0, max: 10_000, noNaN: true })
const loads = fc.record({
  ready: fc.nat(2_000),
  permits: numbers,
  freeCapacity: fc.oneof(fc.constant(0), numbers),
  permitsPerSecond: numbers,
  departuresPerSecond: numbers,
  shown: fc.nat(2_000),
})
/** A tick after 0.4 s to 1.5 s, a sleep of up to 120 s, or a clock that goes back. */
const ticks = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 400, max: 1_500 }), fc.integer({ min: -30_000, max: 120_000 })),
  load: loads,
})

describe('the frontier', () => {
  it('calls for the permits of the next 3.5 seconds, plus two seconds in reserve', () => {
    expect(supplyOf(load())).toBe(35)
    expect(peopleToCall(newFrontier(T0), load(), T0)).toBe(55)
  })

  it('calls no visitor for a permit that a ready or called visitor will take', () => {
    expect(peopleToCall(newFrontier(T0), load({ ready: 55 }), T0)).toBe(0)
    const state = newFrontier(T0)
    recordTick(state, peopleToCall(state, load(), T0), 0, T0)
    expect(peopleToCall(state, load(), T0 + 500)).toBe(0)
  })

  it('learns that every second called visitor stays away', () => {
    const state = newFrontier(T0)
    for (let second = 0; second < 300; second++) {
      peopleToCall(state, load({ shown: 10 }), T0 + second * 1_000)
      recordTick(state, 20, 10, T0 + second * 1_000)
    }
    expect(showRate(state)).toBeGreaterThan(0.48)
    expect(showRate(state)).toBeLessThan(0.53)
  })

  it('calls a number of people that is bounded by the supply, whatever the load, the order and the clock', () => {
    fc.assert(
      fc.property(fc.array(ticks, { maxLength: 60 }), steps => {
        const state = newFrontier(T0)
        let nowMs = T0
        for (const { afterMs, load } of steps) {
          nowMs += afterMs
          const people = peopleToCall(state, load, nowMs)
          const flow = Math.min(
            load.permitsPerSecond,
            load.freeCapacity > 0 ? Number.POSITIVE_INFINITY : load.departuresPerSecond,
          )
          const most = (supplyOf(load) + Math.max(2, 2 * flow)) / showRate(state)
          expect(people).toBeGreaterThanOrEqual(0)
          expect(people).toBeLessThanOrEqual(most * (1 + 1e-9))
          expect(showRate(state)).toBeGreaterThanOrEqual(0.02)
          expect(showRate(state)).toBeLessThanOrEqual(1)
          recordTick(state, people, load.shown, nowMs)
          expect(comingIn(state, load.ready)).toBeGreaterThanOrEqual(load.ready)
          expect(hasCalled(state)).toBe(hasCalled(state) || people > 0)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('never has more called visitors on their way than the supply allows', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 60 }), gapsMs => {
        const state = newFrontier(T0)
        const called: { atMs: number; people: number }[] = []
        let nowMs = T0
        for (const gapMs of gapsMs) {
          nowMs += gapMs
          const people = peopleToCall(state, load(), nowMs)
          recordTick(state, people, 0, nowMs)
          called.push({ atMs: nowMs, people })
          // No visitor is expected sooner than 1.5 s after the call.
          const lately = called.filter(({ atMs }) => nowMs - atMs < 1_500)
          expect(lately.reduce((sum, one) => sum + one.people, 0)).toBeLessThanOrEqual(55 / showRate(state) + 1e-6)
        }
      }),
    )
  })
})

describe('a line that is called', () => {
  const steps = fc.array(
    fc.record({
      afterMs: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: -60_000, max: 400_000 })),
      load: loads,
      /** When people arrived, in milliseconds relative to the step. */
      cameMs: fc.array(fc.integer({ min: -20_000, max: 2_000 }), { maxLength: 20 }),
    }),
    { maxLength: 40 },
  )

  it('never steps back, never calls beyond what is settled, and forgets no place, whatever the clock does', () => {
    fc.assert(
      fc.property(steps, script => {
        const line = newLine(T0)
        let nowMs = T0
        let before = { frontierKey: line.state.frontierKey, lapsedKey: line.state.lapsedKey, calledAhead: 0 }
        for (const { afterMs, load, cameMs } of script) {
          nowMs += afterMs
          for (const moment of cameMs) {
            const bucket = arrivalBucketOf(nowMs + moment)
            confirm(line, bucket, (bucket + 1) / 8, 1)
          }
          const settledKey = nowMs - 5_000
          const people = waiting(line)
          const passed = callNext(line, { ...load, settledKey }, CLAIM_WINDOW_MS, nowMs)
          const { frontierKey, lapsedKey } = line.state
          expect(frontierKey).toBeGreaterThanOrEqual(before.frontierKey)
          expect(lapsedKey).toBeGreaterThanOrEqual(before.lapsedKey)
          expect(lapsedKey).toBeLessThanOrEqual(frontierKey)
          expect(frontierKey).toBeLessThanOrEqual(Math.max(before.frontierKey, settledKey))
          // A bucket that is called in part is cut at a key. Keys have a limited precision, so the sum is not exact.
          expect(Math.abs(waiting(line) + passed - people)).toBeLessThan(0.5)
          countCalledAhead(line, load.ready)
          // A place that was shown stays true: only people who have been called are added ahead of it.
          const { calledAhead } = snapshotOf(line)
          expect(calledAhead).toBeGreaterThanOrEqual(0)
          expect(calledAhead).toBeLessThanOrEqual(before.calledAhead + passed)
          before = { frontierKey, lapsedKey, calledAhead }
        }
      }),
      { numRuns: 500 },
    )
  })
})
