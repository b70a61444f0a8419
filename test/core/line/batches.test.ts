import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  batchAt,
  followShuffling,
  keyIn,
  newBatchState,
  openKey,
  SETTLED_AFTER_MS,
  settledKey,
} from '../../../src/core/line/batches.ts'

const MINUTE = 60_000
/** The start of a minute. */
const T0 = 1_700_000_040_000
const byMinute = { fromMs: T0 - 10 * MINUTE, windowMs: MINUTE }

describe('a batch', () => {
  it('is the window of the clock that contains the arrival', () => {
    expect(batchAt(byMinute, T0)).toEqual({ fromKey: T0, untilMs: T0 + MINUTE })
    expect(batchAt(byMinute, T0 + 59_999)).toEqual({ fromKey: T0, untilMs: T0 + MINUTE })
    expect(batchAt(byMinute, T0 - 1)).toEqual({ fromKey: T0 - MINUTE, untilMs: T0 })
  })

  it('begins when drawing is switched on in the middle of it, and not before', () => {
    const began = { fromMs: T0 + 45_000, windowMs: MINUTE }
    expect(batchAt(began, T0 + 50_000)).toEqual({ fromKey: T0 + 45_000, untilMs: T0 + MINUTE })
    expect(batchAt(began, T0 + 30_000)).toEqual({ fromKey: T0 + 45_000, untilMs: T0 + MINUTE })
  })

  it('contains every key that is drawn in it, to three decimals', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6_000, max: 3_600_000 }),
        fc.double({ min: 0, max: 1 - 2 ** -52, noNaN: true }),
        (windowMs, draw) => {
          const batch = batchAt({ fromMs: 0, windowMs }, T0)
          const key = keyIn(batch, draw)
          expect(key).toBeGreaterThanOrEqual(batch.fromKey)
          expect(key).toBeLessThan(batch.untilMs)
          expect(Math.abs(key * 1_000 - Math.round(key * 1_000))).toBeLessThan(0.5)
        },
      ),
    )
  })
})

describe('the line of a random room', () => {
  const drawing = { ...newBatchState(), batches: byMinute }

  it('is settled up to the first batch that is not counted yet', () => {
    expect(settledKey(drawing, T0 + 30_000)).toBeCloseTo(T0 - 0.001)
    expect(settledKey(drawing, T0 + 4_999)).toBeCloseTo(T0 - MINUTE - 0.001)
    expect(settledKey(drawing, T0 + 5_000)).toBeCloseTo(T0 - 0.001)
  })

  it('is called up to the current batch while the room is open', () => {
    expect(openKey(drawing, T0 + 30_000)).toBeCloseTo(T0 - 0.001)
    expect(openKey(newBatchState(), T0 + 30_000)).toBe(T0 + 30_000)
  })

  it('is settled after five seconds if it is in order of arrival', () => {
    expect(settledKey(newBatchState(), T0)).toBe(T0 - SETTLED_AFTER_MS)
  })
})

describe('a change of the method', () => {
  it('begins to draw behind every key that was called', () => {
    const draws = newBatchState()
    followShuffling(draws, MINUTE, T0 + 700.5, T0 + 100)
    expect(draws.batches).toEqual({ fromMs: T0 + 701, windowMs: MINUTE })
  })

  it('neither shows nor calls the batch it cuts short until that batch is counted', () => {
    const draws = { ...newBatchState(), batches: byMinute }
    const changedMs = T0 + 20_000
    followShuffling(draws, null, T0 - MINUTE, changedMs)
    expect(draws.batches).toBeNull()
    expect(settledKey(draws, changedMs + 6_999)).toBeCloseTo(T0 - 0.001)
    expect(openKey(draws, changedMs + 6_999)).toBeCloseTo(T0 - 0.001)
    followShuffling(draws, null, T0 - MINUTE, changedMs + 7_000)
    expect(settledKey(draws, changedMs + 7_000)).toBe(changedMs + 2_000)
  })

  it('still waits for the oldest cut batch after a second change', () => {
    const draws = { ...newBatchState(), batches: byMinute }
    followShuffling(draws, 2 * MINUTE, T0 - MINUTE, T0 + 20_000)
    followShuffling(draws, null, T0 - MINUTE, T0 + 21_000)
    expect(settledKey(draws, T0 + 27_999)).toBeCloseTo(T0 - 0.001)
  })

  it('never settles a key that can still be given, after any sequence of changes', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 1, max: 90_000 }),
      windowMs: fc.constantFrom(null, 6_000, 60_000, 600_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const draws = newBatchState()
        let nowMs = T0
        let frontierKey = T0
        for (const { waitMs, windowMs } of steps) {
          nowMs += waitMs
          followShuffling(draws, windowMs, frontierKey, nowMs)
          const youngest = draws.batches ? batchAt(draws.batches, nowMs).fromKey : nowMs
          frontierKey = Math.max(frontierKey, settledKey(draws, nowMs))
          expect(frontierKey).toBeLessThanOrEqual(youngest)
          expect(openKey(draws, nowMs)).toBeLessThanOrEqual(youngest)
        }
      }),
    )
  })
})
