import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit, end, endedByInactivity, type SessionRules } from '../../../src/core/session.ts'
import { type Asker, type Entry, SmallRoom } from '../../support/small-room.ts'

const SESSION_MS = 12_000
const rules: SessionRules = {
  sessionMs: SESSION_MS,
  renewal: true,
  sessionMaxMs: null,
  reentryGraceMs: 120_000,
  claimWindowMs: 300_000,
}
/** Two rules that end a session, however busy its visitor is. */
const ENDS_BY_TIME: readonly Partial<SessionRules>[] = [{ renewal: false }, { sessionMaxMs: SESSION_MS }]

const busy: Asker = { everyMs: 1_000, restsMs: 1_000 }
const asker = fc.record({
  everyMs: fc.integer({ min: 500, max: 2_500 }),
  restsMs: fc.integer({ min: 250, max: 2_500 }),
})
/** Rests for longer than a session lasts, so that each session ends by inactivity. */
const idler = fc.record({
  everyMs: fc.integer({ min: 500, max: 2_500 }),
  restsMs: fc.integer({ min: 16_000, max: 40_000 }),
})

function shares(entries: readonly Entry[], visitors: number): number[] {
  return Array.from({ length: visitors }, (_, index) => entries.filter(({ visitor }) => visitor === index).length)
}

describe('sessions that end by time', () => {
  it.each(ENDS_BY_TIME)('share one place among two visitors who ask every second, with %o', more => {
    const entries = new SmallRoom([busy, busy], { ...rules, ...more }, 1).play(240_000)
    const [first = 0, second = 0] = shares(entries, 2)
    expect(first + second).toBeGreaterThanOrEqual(14)
    expect(Math.abs(first - second)).toBeLessThanOrEqual(1)
    expect(entries.some(({ isReentry }) => isReentry)).toBe(false)
  })

  it('share the places fairly among any visitors who keep asking', () => {
    const crowd = fc.array(asker, { minLength: 3, maxLength: 6 })
    fc.assert(
      fc.property(crowd, fc.constantFrom(...ENDS_BY_TIME), fc.integer({ min: 1, max: 2 }), (askers, more, places) => {
        const entries = new SmallRoom(askers, { ...rules, ...more }, places).play(400_000)
        const counts = shares(entries, askers.length)
        expect(Math.min(...counts)).toBeGreaterThan(2)
        // Slow visitors come back a little later, so they have somewhat fewer sessions.
        expect(Math.max(...counts)).toBeLessThanOrEqual(1.5 * Math.min(...counts) + 1)
      }),
      { numRuns: 60 },
    )
  })
})

describe('sessions that end by inactivity', () => {
  it('lead to the front once, and to the back of the line after that', () => {
    fc.assert(
      fc.property(fc.array(idler, { minLength: 2, maxLength: 5 }), askers => {
        const entries = new SmallRoom(askers, rules, 1).play(900_000)
        for (const [index] of askers.entries()) {
          const own = entries.filter(({ visitor }) => visitor === index)
          expect(own.length).toBeGreaterThan(1)
          for (const [nth, entry] of own.entries()) {
            if (entry.isReentry) expect(own[nth - 1]?.isReentry, 'the session before').toBe(false)
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('an end by inactivity', () => {
  const session = (more: Partial<SessionRules> = {}) => ({
    ...admit({ sid: 'a', key: 0, lane: 'main' }, { ...rules, ...more }, 0),
    returned: true,
  })

  it('is the end of a session whose visitor came back once and then opened nothing', () => {
    expect(endedByInactivity(session())).toBe(true)
  })

  it('is not the end of a session that was revoked, that ended by time, or whose visitor never came back', () => {
    const revoked = session()
    end(revoked, 'revoked', rules, 0)
    const others = [revoked, { ...session(), returned: false }, ...ENDS_BY_TIME.map(session)]
    expect(others.map(endedByInactivity)).toEqual([false, false, false, false])
  })
})
