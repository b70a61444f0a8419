import { describe, expect, it } from 'vitest'
import { nextAttemptMs, wordsFor } from '../../../src/core/alerts/notices.ts'
import { type AlertFigures, judgeCondition, LASTING, type LastingKind } from '../../../src/core/alerts/rules.ts'

const figures = (more: Partial<AlertFigures> = {}): AlertFigures => ({
  waiting: 200,
  waitMs: 600_000,
  admittedLastMinute: 100,
  ratePerMinute: 100,
  freePlaces: 50,
  remaining: null,
  origin: 'well',
  openBreakers: 0,
  tokenEndsInMs: null,
  silentDoors: 0,
  ...more,
})

describe('a condition', () => {
  it.each<[LastingKind, number | null, Partial<AlertFigures>, boolean | null, number | null]>([
    ['line_longer_than', 200, {}, false, 200],
    ['line_longer_than', 199, {}, true, 200],
    ['wait_longer_than', 10, {}, false, 10],
    ['wait_longer_than', 9, {}, true, 10],
    ['wait_longer_than', 9, { waitMs: null }, null, null],
    ['wait_longer_than', 9, { waitMs: null, waiting: 0 }, false, 0],
    ['rate_unused', 30, { admittedLastMinute: 60 }, true, 40],
    ['rate_unused', 50, { admittedLastMinute: 60 }, false, 40],
    ['rate_unused', 30, { admittedLastMinute: 0, waiting: 0 }, false, 0],
    ['rate_unused', 30, { admittedLastMinute: 0, ratePerMinute: 0 }, false, 0],
    ['rate_unused', 30, { admittedLastMinute: 0, freePlaces: 0 }, false, 0],
    ['budget_below', 100, {}, false, null],
    ['budget_below', 100, { remaining: 99 }, true, 99],
    ['origin_slowed', null, { origin: 'slowed' }, true, null],
    ['origin_slowed', null, { origin: 'down' }, false, null],
    ['origin_down', null, { origin: 'down' }, true, null],
    ['door_silent', null, { silentDoors: 2 }, true, 2],
    ['breaker_open', null, { openBreakers: 1 }, true, 1],
    ['token_ends', 7, {}, false, null],
    ['token_ends', 7, { tokenEndsInMs: 6.9 * 86_400_000 }, true, 6],
    ['token_ends', 7, { tokenEndsInMs: 7 * 86_400_000 }, false, 7],
  ])('%s with limit %s and %j is %s', (when, threshold, more, holds, value) => {
    expect(judgeCondition(when, threshold, figures(more))).toEqual({ holds, value })
  })

  it('has words for its begin and its end', () => {
    for (const when of Object.keys(LASTING) as LastingKind[]) {
      const rule = { name: when, when, threshold: 1_000, forMs: 0, pauseMs: 0, to: [] }
      const [firing, resolved] = (['firing', 'resolved'] as const).map(state => wordsFor(rule, state, 2_500))
      expect(firing).toMatch(/^[^A-Z].{15,}[^.]$/)
      expect(resolved).not.toBe(firing)
    }
  })
})

describe('a failed delivery', () => {
  it('is tried again after 5 s, then four times as long each time, up to two hours, for a day', () => {
    const waits: number[] = []
    let nowMs = 0
    for (let failures = 1; ; failures++) {
      const next = nextAttemptMs(0, failures, nowMs)
      if (next === null) break
      waits.push((next - nowMs) / 1_000)
      nowMs = next
    }
    expect(waits.slice(0, 7)).toEqual([5, 20, 80, 320, 1_280, 5_120, 7_200])
    expect(nowMs).toBeLessThanOrEqual(86_400_000)
    expect(nowMs).toBeGreaterThan(79_000_000)
  })
})
