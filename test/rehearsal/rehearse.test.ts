import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rehearse } from '../../src/rehearsal/rehearse.ts'
import { both, drawn, emptyAfter, MINUTE, momentAt, NOON_MS, seenRoom } from './seen.ts'

const FIVE_SECONDS = 5 / 60

describe('a rehearsal', () => {
  it('draws the line as it is beside the line under a typed rate', () => {
    const [asIs, typed] = both({ ratePerMinute: 240 })
    // 1,200 people, and 60 more a minute: 120 or 240 come in.
    expect(emptyAfter(asIs)).toBeCloseTo(20, 0)
    expect(emptyAfter(typed)).toBeCloseTo(6.6, 0)
    expect(asIs.untilMs).toBe(typed.untilMs)
  })

  it('shows for each moment the wait of a visitor who comes then', () => {
    const { future } = drawn({})
    expect((future.moments[0]?.waitMs ?? 0) / MINUTE).toBeCloseTo(10, 0)
    expect(momentAt(drawn({}), 10).waitMs).toBeLessThan(6 * MINUTE)
    expect(future.moments.at(-1)?.waitMs).toBe(0)
  })

  it('lets no visitor in while the line is held, and goes on afterwards', () => {
    const held = drawn({ typed: { holdMinutes: 10 } })
    const beforeMs = held.fromMs + 10 * MINUTE
    expect(held.future.moments.filter(({ atMs }) => atMs < beforeMs).at(-1)?.admitted).toBeLessThanOrEqual(10)
    expect(momentAt(held, 10).waiting).toBeGreaterThan(1_700)
    expect(emptyAfter(held)).toBeCloseTo(40, -1)
  })

  it('keeps a held room held, and lets it go after the typed minutes', () => {
    const room = seenRoom({
      settings: { queue_all: true },
      figures: { effectiveRatePerMinute: 0, admittedLastMinute: 0 },
    })
    const [asIs, typed] = both({ holdMinutes: 0 }, room)
    expect(asIs.future.moments.at(-1)?.admitted).toBe(0)
    expect(emptyAfter(asIs)).toBeNull()
    expect(Math.abs((emptyAfter(typed) ?? 0) - 20)).toBeLessThan(1)
  })

  it('lets in as many visitors as leave, once all places are taken', () => {
    const figures = { active: 600, totalActiveUsers: 600, effectiveRatePerMinute: 600 }
    const room = seenRoom({ settings: { new_users_per_minute: 600, total_active_users: 600 }, figures })
    const [asIs, typed] = both({ totalActiveUsers: 900 }, room)
    // 600 places for five minutes are 120 a minute.
    expect(emptyAfter(asIs)).toBeCloseTo(20, -1)
    expect(emptyAfter(typed) ?? 0).toBeLessThan(12)
    expect(typed.future.mostInside).toBeGreaterThan(800)
  })

  it('lets sessions of another duration take their places for longer or shorter', () => {
    const figures = { active: 600, totalActiveUsers: 600, effectiveRatePerMinute: 600 }
    const room = seenRoom({ settings: { new_users_per_minute: 600, total_active_users: 600 }, figures })
    const [asIs, typed] = both({ sessionMinutes: 2.5 }, room)
    expect(emptyAfter(typed) ?? 0).toBeLessThan((emptyAfter(asIs) ?? 0) * 0.7)
  })

  it('shows an announced crowd at its time, and in both futures if a setting is typed, too', () => {
    const burst = { people: 3_000, atMs: NOON_MS + 30 * MINUTE }
    const [asIs, typed] = both({ burst })
    expect(asIs.future.mostWaiting).toBeLessThan(1_300)
    expect(typed.future.mostWaiting).toBeGreaterThan(2_500)
    const [beside, other] = both({ burst, ratePerMinute: 600 })
    expect(beside.future.mostWaiting).toBeGreaterThan(2_500)
    expect(other.future.mostWaiting).toBeLessThan(2_500)
  })

  it('has more newcomers where they are multiplied', () => {
    const [asIs, typed] = both({ arrivalsTimes: 3 })
    expect(Math.abs((emptyAfter(asIs) ?? 0) - 20)).toBeLessThan(1)
    expect(emptyAfter(typed)).toBeNull()
    expect(typed.future.lineUntilMs).toBe(typed.untilMs)
  })

  it('stops where the budget is used up', () => {
    const { future, fromMs } = drawn({ room: seenRoom({ figures: { remaining: 240 } }) })
    expect(((future.soldOutAtMs ?? 0) - fromMs) / MINUTE).toBeCloseTo(2, 0)
    expect(future.moments.at(-1)?.admitted).toBe(240)
  })

  it('keeps the limits that origin health has lowered', () => {
    const room = seenRoom({ figures: { effectiveRatePerMinute: 60 } })
    const { caps, future } = drawn({ room, typed: { ratePerMinute: 600 } })
    expect(caps).toEqual({ ratePerMinute: 60, totalActiveUsers: null })
    expect(future.moments.every(({ ratePerMinute }) => ratePerMinute <= 60 + 1e-9)).toBe(true)
  })

  it('follows the events that begin and end meanwhile', () => {
    const events = [
      {
        ...{ name: 'sale', state: 'upcoming', prequeueAt: null, instead: { new_users_per_minute: 600 } },
        startsAt: new Date(NOON_MS + 5 * MINUTE).toISOString(),
        endsAt: new Date(NOON_MS + 10 * MINUTE).toISOString(),
      },
    ]
    const answer = drawn({ room: seenRoom({ events }), typed: { ratePerMinute: 60 } })
    const rates = [4, 7, 12].map(minutes => Math.round(momentAt(answer, minutes).ratePerMinute))
    expect(rates).toEqual([60, 600, 60])
  })

  it('begins with an empty room before an event, and holds its line until the doors open', () => {
    const events = [
      {
        ...{ name: 'sale', state: 'upcoming', instead: { new_users_per_minute: 600, total_active_users: 5_000 } },
        prequeueAt: '2026-11-28T08:30:00Z',
        startsAt: '2026-11-28T09:00:00Z',
        endsAt: '2026-11-28T20:00:00Z',
      },
    ]
    const event = { name: 'sale', people: 10_000, earlyShare: 0.6 }
    const answer = drawn({ room: seenRoom({ events }), typed: { event } })
    expect(answer.fromMs).toBe(Date.parse('2026-11-28T08:30:00Z'))
    expect(momentAt(answer, 29).admitted).toBeLessThan(10)
    expect(momentAt(answer, 30).waiting).toBeCloseTo(6_000, -3)
    const { moments } = answer.future
    expect(moments.at(-1)?.admitted).toBeGreaterThan(9_900)
    expect(emptyAfter(answer) ?? 0).toBeGreaterThan(40)
    const none = rehearse({ room: seenRoom(), minutes: [], typed: { event }, which: 'typed' })
    expect(none).toEqual({ kind: 'none', why: 'no-event' })
  })

  it.each([
    ['passes', { settings: { suspended: true } }],
    ['passes', { settings: { queueing_method: 'passthrough' } }],
    ['passes', { settings: { mode: 'observe' } }],
    ['outage', { figures: { health: { reason: 'outage' } } }],
  ] as const)('answers %s where nothing can be foreseen', (why, different) => {
    expect(rehearse({ room: seenRoom(different), minutes: [], typed: {}, which: 'as-is' })).toEqual({
      kind: 'none',
      why,
    })
  })

  it('is the same each time', () => {
    expect(drawn({ typed: { ratePerMinute: 200 } })).toEqual(drawn({ typed: { ratePerMinute: 200 } }))
  })

  it('never lets in more than the rate and the places allow, in any drawn future', () => {
    const rooms = fc.record({
      ...{ rate: fc.integer({ min: 1, max: 2_000 }), places: fc.integer({ min: 1, max: 2_000 }) },
      ...{ waiting: fc.integer({ min: 0, max: 5_000 }), inside: fc.integer({ min: 0, max: 2_000 }) },
      ...{ came: fc.integer({ min: 0, max: 500 }), showRate: fc.double({ min: 0.02, max: 1, noNaN: true }) },
      ...{ hold: fc.integer({ min: 0, max: 60 }), open: fc.boolean() },
    })
    fc.assert(
      fc.property(rooms, ({ rate, places, waiting, inside, came, showRate, hold, open }) => {
        const settings = { new_users_per_minute: rate, total_active_users: places }
        const figures = {
          ...{ active: Math.min(inside, places), waiting: open ? 0 : waiting, open, showRate, cameLastMinute: came },
          ...{ effectiveRatePerMinute: rate, totalActiveUsers: places, burst: Math.max(3, rate / 12), standing: 0 },
        }
        const { future, scale } = drawn({ room: seenRoom({ settings, figures }), typed: { holdMinutes: hold } })
        // A step may stand for several seconds, and one person for several. The burst is as many times larger.
        const burst = Math.max(3 * scale.peopleEach, rate * FIVE_SECONDS * scale.timesAsFast)
        const { moments, mostInside } = future
        for (const [nth, { atMs, admitted, ratePerMinute }] of moments.entries()) {
          const before = moments[nth - 1]
          if (!before) continue
          const most = (Math.max(ratePerMinute, before.ratePerMinute) * (atMs - before.atMs)) / MINUTE + burst
          expect(admitted - before.admitted).toBeLessThanOrEqual(most + 1e-6)
        }
        expect(mostInside).toBeLessThanOrEqual(Math.max(places, scale.peopleEach, figures.active + scale.peopleEach))
      }),
      { numRuns: 5 },
    )
  })
})
