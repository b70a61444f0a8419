import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge } from '../../../src/core/health/verdict.ts'
import {
  ASKED,
  BADLY,
  type Ballot,
  cast,
  countVotes,
  isVoter,
  lotOfSession,
  marksOf,
  sessionsOn,
  voterShare,
} from '../../../src/core/health/votes.ts'
import { ballotOf, GOOD, marksFor } from './observed.ts'

const ballots = fc.dictionary(fc.integer({ min: 0, max: 1_023 }).map(String), fc.integer({ min: 0, max: 63 }))

function merged(...parts: Ballot[]): Ballot {
  const all: Ballot = {}
  for (const part of parts) for (const [lot, marks] of Object.entries(part)) cast(all, Number(lot), marks)
  return all
}

describe('a ballot', () => {
  it('is the same however often and in which order its parts arrive', () => {
    fc.assert(
      fc.property(ballots, ballots, (one, other) => {
        expect(merged(other, one, other, one)).toEqual(merged(one, other))
      }),
    )
  })

  it('counts one session once, however often it fails and however many isolates it asks', () => {
    const hammered = merged(ballotOf(GOOD), ...Array.from({ length: 8 }, () => ({ 500: marksFor('failed') })))
    expect(countVotes(hammered)).toMatchObject({ voters: 101, failed: 0, speed: 1 })
  })

  it('counts a session as half well served where two isolates disagree', () => {
    const torn = Object.fromEntries(
      Array.from({ length: 11 }, (_, n) => [n + 3, marksFor('satisfied') | marksFor('failed')]),
    )
    expect(countVotes(torn).failed).toBeCloseTo(0.5)
  })

  it('measures how quick the answers were before a crash by the sessions without a failure', () => {
    // These sessions had one or two good answers before the crash. Each failure after it lowers the mean of the window.
    const crashed = [
      marksFor('satisfied') | marksOf({ samples: 2, points: 1, failed: 1 }),
      marksOf({ samples: 3, points: 2, failed: 1 }) | marksOf({ samples: 4, points: 2, failed: 2 }),
      marksOf({ samples: 3, points: 1, failed: 2 }) | marksFor('failed'),
    ]
    const ballot = { ...ballotOf({ satisfied: 5 }), 500: crashed[0] ?? 0, 501: crashed[1] ?? 0, 502: crashed[2] ?? 0 }
    expect(countVotes(ballot)).toMatchObject({ quick: 1, speed: 1 })
    expect(countVotes({ 500: crashed[1] ?? 0, 501: crashed[2] ?? 0 })).toMatchObject({ quick: null, speed: 1 })
    expect(countVotes(ballotOf({ tolerating: 20 }))).toMatchObject({ quick: 0.5 })
  })

  it('takes the mean of what a session got: half of its samples must be bad for a bad vote', () => {
    expect(marksOf({ samples: 30, points: 29, failed: 1 })).toBe(marksFor('satisfied'))
    expect(marksOf({ samples: 2, points: 1, failed: 0 })).toBe(marksFor('tolerating'))
    expect(marksOf({ samples: 3, points: 1, failed: 2 }) & marksFor('failed')).not.toBe(0)
  })

  it('shows how many sessions have voted, although several sessions share one lot', () => {
    for (const sessions of [1, 60, 400, 1_000]) {
      const lots = new Set(Array.from({ length: sessions }, (_, n) => lotOfSession(`session-${n}`)))
      expect(Math.abs(sessionsOn(lots.size, 1) / sessions - 1)).toBeLessThan(0.1)
    }
  })

  it('contains the votes of only a share of the sessions in a large room, and always of the same sessions', () => {
    expect([1, 1_024, 1_025, 100_000].map(voterShare)).toEqual([1, 1, 0.5, 2 ** -7])
    const sids = Array.from({ length: 10_000 }, (_, n) => `session-${n}`)
    const few = sids.filter(sid => isVoter(sid, 0.125))
    expect(few.length / sids.length).toBeCloseTo(0.125, 1)
    expect(few.every(sid => isVoter(sid, 0.25))).toBe(true)
  })
})

describe('a pattern of addresses', () => {
  /** `asked` of 40 sessions ask for this one address only, and it fails for `bad` of them. */
  const patternsOf = (bad: number, asked = bad) => ({
    '/report/yearly': Object.fromEntries(
      Array.from({ length: asked }, (_, n) => [n + 3 + 40 - bad, n < bad ? ASKED | BADLY : ASKED]),
    ),
  })

  it('that fails while the rest is well is a broken feature, and no failure of the origin', () => {
    for (const bad of [4, 10, 20]) {
      const evidence = { ballot: ballotOf({ satisfied: 40 - bad, failed: bad }), patterns: patternsOf(bad) }
      expect(judge(evidence, null, 0.85)).toMatchObject({
        state: 'well',
        hasRoom: true,
        broken: [{ pattern: '/report/yearly', sessions: bad }],
      })
    }
  })

  it('counts as a failure of the origin where most sessions ask for it, or where the rest is not well', () => {
    const ballot = ballotOf({ satisfied: 10, failed: 30 })
    expect(judge({ ballot, patterns: patternsOf(30) }, null, 0.85).state).toBe('down')
    const slow = ballotOf({ tolerating: 30, failed: 10 })
    expect(judge({ ballot: slow, patterns: patternsOf(10) }, null, 0.85)).toMatchObject({ state: 'down', broken: [] })
  })

  it('is not broken while most sessions that ask for it are served', () => {
    const ballot = ballotOf({ satisfied: 30, failed: 10 })
    const patterns = {
      '/report/yearly': {
        ...patternsOf(10)['/report/yearly'],
        3: 1,
        4: 1,
        5: 1,
        6: 1,
        7: 1,
        8: 1,
        9: 1,
        10: 1,
        11: 1,
        12: 1,
        13: 1,
      },
    }
    expect(judge({ ballot, patterns }, null, 0.85)).toMatchObject({ state: 'failing', broken: [] })
  })
})

describe('an origin', () => {
  it('is down when a quarter of the sessions fail, failing when fewer do, and slow when its answers are slow', () => {
    const stateOf = (served: Parameters<typeof ballotOf>[0]) =>
      judge({ ballot: ballotOf(served), patterns: {} }, null, 0.85).state
    expect(stateOf({ satisfied: 95, failed: 5 })).toBe('well')
    expect(stateOf({ satisfied: 80, failed: 20 })).toBe('failing')
    expect(stateOf({ satisfied: 70, failed: 30 })).toBe('down')
    expect(stateOf({ satisfied: 60, tolerating: 40 })).toBe('slow')
    expect(stateOf({ satisfied: 30, frustrated: 70 })).toBe('down')
  })
})
