import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advanceEpisode, awaitsTime, type Episode, NO_EPISODE } from '../../../src/core/alerts/episodes.ts'

const RULE = { forMs: 60_000, pauseMs: 300_000 }

/** Plays samples of a condition, one every ten seconds, and returns the notices with their seconds. */
function play(samples: readonly (boolean | null)[], rule = RULE, stepMs = 10_000) {
  let episode: Episode = NO_EPISODE
  const notices: (readonly ['firing' | 'resolved', number])[] = []
  samples.forEach((holds, index) => {
    const step = advanceEpisode(rule, episode, holds, index * stepMs)
    episode = step.episode
    if (step.notice !== null) notices.push([step.notice, (index * stepMs) / 1_000])
  })
  return notices
}

const times = (count: number, holds: boolean | null) => Array.from({ length: count }, () => holds)

describe('an episode', () => {
  it('begins when the condition has lasted, and ends when it has been gone as long', () => {
    expect(play([...times(13, true), ...times(10, false)])).toEqual([
      ['firing', 60],
      ['resolved', 190],
    ])
  })

  it('does not begin while the condition comes and goes', () => {
    expect(play(Array.from({ length: 200 }, (_, index) => index % 6 !== 5))).toEqual([])
  })

  it('waits for time while time alone may begin or end it, and not while only a person can end it', () => {
    const open = { ...NO_EPISODE, firedAtMs: 1, lastFiredAtMs: 1 }
    expect(awaitsTime('line_longer_than', open)).toBe(true)
    expect(awaitsTime('budget_below', open)).toBe(false)
    expect(awaitsTime('token_ends', open)).toBe(false)
    expect(awaitsTime('budget_below', { ...NO_EPISODE, changingSinceMs: 1 })).toBe(true)
    expect(awaitsTime('line_longer_than', NO_EPISODE)).toBe(false)
  })

  it('does not end when its condition is gone only for a moment', () => {
    expect(play([...times(10, true), ...times(5, false), ...times(5, true), ...times(5, false)])).toEqual([
      ['firing', 60],
    ])
  })

  it('fires again only after the pause', () => {
    const [first, gone, second] = play([...times(7, true), ...times(7, false), ...times(60, true)])
    expect([first, gone, second]).toEqual([
      ['firing', 60],
      ['resolved', 130],
      ['firing', 360],
    ])
  })

  it('keeps the time at which it was resolved, while it is quiet and while it fires again', () => {
    const rule = { forMs: 0, pauseMs: 0 }
    const fired = advanceEpisode(rule, NO_EPISODE, true, 1_000).episode
    const resolved = advanceEpisode(rule, fired, false, 2_000).episode
    expect(resolved).toEqual({ firedAtMs: null, changingSinceMs: null, lastFiredAtMs: 1_000, resolvedAtMs: 2_000 })
    expect(advanceEpisode(rule, resolved, true, 3_000).episode).toMatchObject({ firedAtMs: 3_000, resolvedAtMs: 2_000 })
  })

  it('fires at once where it has no duration, and stays as it is while the condition is not known', () => {
    expect(play([true, null, null, false], { forMs: 0, pauseMs: 0 })).toEqual([
      ['firing', 0],
      ['resolved', 30],
    ])
  })

  it('fires and resolves alternately, with the pause between two firings', () => {
    const samples = fc.array(fc.constantFrom(true, true, true, false, null), { maxLength: 400 })
    fc.assert(
      fc.property(
        samples,
        fc.integer({ min: 0, max: 90_000 }),
        fc.integer({ min: 0, max: 600_000 }),
        (all, forMs, pauseMs) => {
          const notices = play(all, { forMs, pauseMs })
          expect(notices.map(([kind]) => kind)).toEqual(
            notices.map((_, index) => (index % 2 === 0 ? 'firing' : 'resolved')),
          )
          const fired = notices.filter(([kind]) => kind === 'firing').map(([, second]) => second)
          fired.slice(1).forEach((second, index) => {
            expect((second - (fired[index] ?? 0)) * 1_000).toBeGreaterThanOrEqual(pauseMs)
          })
        },
      ),
    )
  })

  it('always ends once the condition has been gone for its duration', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 100 }), fc.integer({ min: 0, max: 90_000 }), (all, forMs) => {
        const last = play([...all, ...times(11, false)], { forMs, pauseMs: 0 }).at(-1)
        expect(last?.[0] ?? 'resolved').toBe('resolved')
      }),
    )
  })
})
