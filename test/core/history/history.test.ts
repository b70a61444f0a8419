import { describe, expect, it } from 'vitest'
import {
  beginMinute,
  type HistoryStep,
  inSteps,
  isOver,
  newOpenMinute,
  noteGauges,
  packed,
  soFar,
  unpacked,
} from '../../../src/core/history/history.ts'

const MINUTE = 60_000
const T0 = 1_700_000_040_000
const GAUGES = { inside: 10, waiting: 5, ratePerMinute: 60, totalActiveUsers: 100, waitMs: 1_000 }

const step = (minute: number, more: Partial<HistoryStep>): HistoryStep => ({
  ...unpacked(minute * MINUTE, {}),
  ...more,
})

describe('a minute of the history', () => {
  it('counts by how much the totals have grown since it began', () => {
    const before = { minted: 5, walked_in: 2, admitted: 3, 'limit/login/limited': 1 }
    const open = newOpenMinute(before, T0)
    const totals = { minted: 9, walked_in: 3, admitted: 8, called: 4.6, 'limit/login/limited': 3, 'limit/a/limited': 2 }
    expect(soFar(open, totals, null)).toMatchObject({ atMs: T0, arrived: 5, admitted: 5, called: 5, limited: 4 })
  })

  it('is never below zero, when a total of a removed policy is dropped', () => {
    const open = newOpenMinute({ 'limit/login/limited': 9 }, T0)
    expect(soFar(open, {}, null).limited).toBe(0)
  })

  it('has the most people at once, and the newest limits and wait', () => {
    const open = newOpenMinute({}, T0)
    noteGauges(open, { ...GAUGES, inside: 90, waiting: 700 })
    noteGauges(open, { ...GAUGES, ratePerMinute: 30, waitMs: null })
    expect(soFar(open, {}, null)).toMatchObject({ inside: 90, waiting: 700, ratePerMinute: 30, waitMs: null })
  })

  it('is over when the next minute begins, which starts with the people who are there then', () => {
    const open = newOpenMinute({}, T0)
    noteGauges(open, { ...GAUGES, inside: 90 })
    expect([T0 - MINUTE, T0 + MINUTE - 1, T0 + MINUTE].map(nowMs => isOver(open, nowMs))).toEqual([false, false, true])
    beginMinute(open, { admitted: 7 }, { inside: 12, waiting: 0 }, T0 + 2 * MINUTE)
    expect(soFar(open, { admitted: 8 }, null)).toMatchObject({ atMs: T0 + 2 * MINUTE, admitted: 1, inside: 12 })
  })

  it('is stored without figures that an empty minute has, too, and is read back as it was', () => {
    const minute = step(7, { arrived: 12, apdex: 0.123456, samples: 3, waitMs: 0 })
    expect(packed(minute)).toEqual({ arrived: 12, apdex: 0.123, samples: 3, waitMs: 0 })
    expect(unpacked(7 * MINUTE, packed(minute))).toEqual({ ...minute, apdex: 0.123 })
  })
})

describe('a longer step', () => {
  it('adds up counts, and keeps the most people, the longest wait and the last limits', () => {
    const minutes = [
      step(10, { arrived: 3, inside: 40, waiting: 9, waitMs: 5_000, totalActiveUsers: 50 }),
      step(14, { arrived: 4, inside: 30, waiting: 11, waitMs: null, totalActiveUsers: 80 }),
      step(15, { arrived: 1 }),
    ]
    expect(inSteps(minutes, 5 * MINUTE)).toMatchObject([
      { atMs: 10 * MINUTE, arrived: 7, inside: 40, waiting: 11, waitMs: 5_000, totalActiveUsers: 80 },
      { atMs: 15 * MINUTE, arrived: 1 },
    ])
  })

  it('weighs Apdex by its answers, and has the p95 of its slowest minute', () => {
    const minutes = [
      step(0, { samples: 30, apdex: 1, p95Ms: 100 }),
      step(1, { samples: 10, apdex: 0, p95Ms: 900 }),
      step(2, {}),
    ]
    expect(inSteps(minutes, 60 * MINUTE)).toMatchObject([{ samples: 40, apdex: 0.75, p95Ms: 900 }])
  })
})
