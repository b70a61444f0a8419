import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HistoryStep, unpacked } from '../../../src/core/history/history.ts'
import { figuresOf } from '../../../src/core/history/report.ts'
import { waitsIn } from '../../../src/core/history/waits.ts'

const MINUTE = 60_000
const minutes = (...steps: Partial<HistoryStep>[]) => steps.map((step, nth) => unpacked(nth * MINUTE, step))
const figures = (steps: readonly HistoryStep[], toMs = steps.length * MINUTE) =>
  figuresOf({ steps, stepMs: MINUTE, fromMs: 0, toMs, doors: 2 })

describe('the waits of people in line', () => {
  it('are as long as the line ahead took to be called', () => {
    // 600 people come in the first minute, and 100 a minute are called from the second on.
    const called = Array.from({ length: 6 }, (_, nth) => ({ called: 100, waiting: 500 - 100 * nth }))
    const waits = waitsIn(minutes({ confirmed: 600, waiting: 600 }, ...called), MINUTE)
    // The middle person has 300 people ahead, and waits half a minute to the end of the first minute and three more.
    expect(waits).toEqual({ people: 600, medianMs: 3.5 * MINUTE, p95Ms: 5.5 * MINUTE })
  })

  it('count each person once, and leave out people who were not called in this time', () => {
    const steps = minutes(
      { confirmed: 96, waiting: 0, called: 96 },
      { confirmed: 4, waiting: 8 },
      { called: 2, waiting: 6 },
      { called: 2, waiting: 4 },
    )
    expect(waitsIn(steps, MINUTE)).toEqual({ people: 98, medianMs: 0, p95Ms: 0 })
    // Those who came late in the minute have more than four people ahead, of whom only four were called.
    expect(waitsIn(steps.slice(1), MINUTE)).toEqual({ people: 2, medianMs: 1.9 * MINUTE, p95Ms: 2.5 * MINUTE })
  })

  it('are not known where no visitor was called', () => {
    expect(waitsIn(minutes({ confirmed: 10, waiting: 10 }, { waiting: 10 }), MINUTE)).toBeNull()
  })

  it('are close to those of a line that is counted person by person', () => {
    const shape = fc.record({
      arrivals: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 5, maxLength: 40 }),
      rate: fc.integer({ min: 20, max: 200 }),
    })
    fc.assert(
      fc.property(shape, ({ arrivals, rate }) => {
        const { steps, waits } = served(arrivals, rate)
        const found = waitsIn(steps, MINUTE)
        if (!found || waits.length < 50) return
        const median = waits[Math.ceil(waits.length / 2) - 1] ?? 0
        // A step, and half of the group that stands for a fifth of its people.
        expect(Math.abs(found.medianMs - median)).toBeLessThanOrEqual(Math.max(1.1 * MINUTE, 0.1 * median))
      }),
    )
  })
})

describe('the figures of a stretch of time', () => {
  it('count who came, gave up and got in', () => {
    const steps = minutes(
      { arrived: 100, confirmed: 60, admitted: 40, waiting: 60, inside: 40, ratePerMinute: 50, totalActiveUsers: 100 },
      {
        called: 50,
        shown: 40,
        admitted: 40,
        left: 5,
        waiting: 5,
        inside: 99,
        ratePerMinute: 50,
        totalActiveUsers: 100,
      },
      { called: 5, shown: 5, admitted: 5, inside: 50, ratePerMinute: 50, totalActiveUsers: 100 },
    )
    expect(figures(steps)).toMatchObject({
      ...{ came: 100, waited: 60, admitted: 85, admittedAtOnce: 40, gaveUp: { noShow: 10, left: 5 } },
      peaks: {
        waiting: { value: 60, atMs: 0 },
        inside: { value: 99, atMs: MINUTE },
        admittedPerMinute: { value: 40, atMs: 0 },
      },
      atEnd: { waiting: 0, inside: 50 },
      line: { minutes: 2, allowed: 100, admitted: 80, fullMinutes: 1 },
    })
  })

  it('weigh the Apdex by answers, and name the slowest minute', () => {
    const steps = minutes({ samples: 30, apdex: 1, p95Ms: 200 }, {}, { samples: 10, apdex: 0.6, p95Ms: 900 })
    const worstP95 = { value: 900, atMs: 2 * MINUTE }
    expect(figures(steps).origin).toEqual({ answers: 40, apdex: 0.9, worstP95 })
  })

  it('include the cost of their requests, calls, seconds and rows', () => {
    const { usage, usd } = figures(minutes({ decided: 1_000_000, samples: 200_000, admitted: 10_000 })).cost
    expect(usage).toEqual({
      ...{ workerRequests: 1_200_000, objectRequests: 20_240, objectSeconds: 180 },
      ...{ rowsRead: 30_000, rowsWritten: 30_180 },
    })
    // 0.36 for requests, 0.024 for their CPU, 0.003 for calls, 0.0003 for seconds, 0.0302 for rows.
    expect(usd).toBe(0.4175)
  })

  it('are empty where the room slept', () => {
    expect(figures([], 5 * MINUTE)).toMatchObject({ came: 0, waits: null, peaks: null, steps: [], cost: { usd: 0 } })
  })

  it('have at most 120 steps, whatever the length', () => {
    const day = minutes(...Array.from({ length: 1_440 }, () => ({ admitted: 1 })))
    const { stepMs, steps } = figures(day)
    expect([stepMs, steps.length, steps[0]?.admitted]).toEqual([15 * MINUTE, 96, 15])
  })
})

/** Serves people in the order of their arrival. They come evenly over each minute. Returns the sorted waits of all. */
function served(arrivals: readonly number[], rate: number): { steps: HistoryStep[]; waits: number[] } {
  const times = arrivals.flatMap((count, nth) =>
    Array.from({ length: count }, (_, i) => (nth + (i + 0.5) / count) * MINUTE),
  )
  let freeAtMs = 0
  const calls = times.map(atMs => {
    freeAtMs = Math.max(atMs, freeAtMs + MINUTE / rate)
    return freeAtMs
  })
  const length = Math.floor((calls.at(-1) ?? 0) / MINUTE) + 1
  const within = (list: readonly number[], nth: number) => list.filter(ms => Math.floor(ms / MINUTE) === nth).length
  const steps = Array.from({ length }, (_, nth) => {
    const endMs = (nth + 1) * MINUTE
    const waiting = times.filter(ms => ms < endMs).length - calls.filter(ms => ms < endMs).length
    return unpacked(nth * MINUTE, { confirmed: within(times, nth), called: within(calls, nth), waiting })
  })
  return { steps, waits: calls.map((ms, nth) => ms - (times[nth] ?? 0)).sort((a, b) => a - b) }
}
