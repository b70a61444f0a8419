import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DOWN, GOOD, Observed, OPERATOR, origin, payment, rulesOf, type Served, SLOW } from './observed.ts'

describe('the operator', () => {
  it('sees in shadow mode what would have been done', () => {
    const room = new Observed(rulesOf({ mode: 'shadow' })).windows(2, DOWN)
    expect(room.kinds).toEqual(['breaker-open'])
    expect(room.decisions.every(({ enforced }) => !enforced)).toBe(true)
    expect([room.limits, room.snapshot]).toEqual([OPERATOR, null])
  })

  it('sees no decisions when health control is off', () => {
    expect(new Observed(rulesOf({ mode: 'off' })).windows(5, DOWN).decisions).toEqual([])
  })

  it.each(['enforce', 'shadow', 'off'] as const)(
    'who blocks the origin by hand stops all admissions in mode %s, whatever rate is pinned',
    mode => {
      for (const ratePerMinute of [null, 30]) {
        const pins = { ratePerMinute, sessions: null, breakers: { origin: 'open' } } as const
        const room = new Observed(rulesOf({ mode, pins })).pass(1_000)
        expect(room.limits).toEqual({ ...OPERATOR, ratePerMinute: 0 })
        expect(room.snapshot).toMatchObject({ reason: 'outage', inside: 0 })
      }
      const pins = { ratePerMinute: 30, sessions: null, breakers: { payment: 'open' } } as const
      expect(new Observed(rulesOf({ mode, pins })).pass(1_000).limits.ratePerMinute).toBe(30)
    },
  )

  it('finds no trace of an old outage when health control is on again', () => {
    const room = new Observed().windows(2, DOWN)
    room.rules = rulesOf({ mode: 'off' })
    room.pass(60_000)
    room.rules = rulesOf()
    expect([room.pass(1_000).snapshot, room.limits]).toEqual([null, OPERATOR])
  })

  it('blocks no session after an outage during which the breaker was pinned closed', () => {
    const room = new Observed(
      rulesOf({ pins: { ratePerMinute: null, sessions: null, breakers: { origin: 'closed' } } }),
    )
    room.inside = 200
    room.windows(3, GOOD)
    room.inside = 800
    room.windows(2, { frustrated: 100 }).pass(31_000).windows(3, GOOD)
    expect(room.health.upstreams.origin?.breaker.state).toBe('closed')
    expect(room.snapshot?.inside).toBe(1)
  })

  it('overrides decisions with a pin in both directions, but never above the configured limits', () => {
    const pins = { ratePerMinute: 30, sessions: 5_000, breakers: { origin: 'closed', payment: 'open' } } as const
    const room = new Observed(rulesOf({ pins })).windows(2, DOWN)
    expect(room.snapshot).toMatchObject({ inside: 1, breakers: { payment: 'open' } })
    expect(room.limits).toMatchObject({ ratePerMinute: 30, totalActiveUsers: 1_000 })
  })
})

describe('health control', () => {
  const window = fc.constantFrom<Served>(GOOD, SLOW, DOWN, {}, { failed: 3 }, { frustrated: 50 })

  it('only lowers limits, and restores all of them once the origin is healthy', () => {
    fc.assert(
      fc.property(fc.array(window, { maxLength: 60 }), windows => {
        const room = new Observed()
        for (const samples of windows) {
          room.window(samples)
          expect(room.limits.ratePerMinute).toBeLessThanOrEqual(OPERATOR.ratePerMinute)
          expect(room.limits.totalActiveUsers).toBeLessThanOrEqual(OPERATOR.totalActiveUsers)
          expect(room.limits.totalActiveUsers).toBeGreaterThanOrEqual(10)
        }
        for (let i = 0; i < 2_000 && room.limits !== OPERATOR; i++) {
          room.inside = room.limits.totalActiveUsers
          room.window(room.snapshot?.inside === 0 ? {} : GOOD)
        }
        expect(room.limits).toBe(OPERATOR)
        expect(room.snapshot).toBeNull()
      }),
      { numRuns: 60 },
    )
  })

  it('restores all limits whatever settings changed meanwhile, however few requests come', () => {
    const step = fc.record({
      samples: window,
      mode: fc.constantFrom('enforce', 'shadow', 'off'),
      hasBreaker: fc.boolean(),
      totalActiveUsers: fc.constantFrom(1, 3, 50, 1_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 2, 10), (steps, sessionsMin) => {
        const room = new Observed(rulesOf({ sessionsMin }))
        const shops = (openMs: number | null) => [origin, { ...payment, critical: true, openMs }]
        for (const { samples, mode, hasBreaker, totalActiveUsers } of steps) {
          room.operator = { ...OPERATOR, totalActiveUsers }
          room.rules = rulesOf({ sessionsMin, mode, upstreams: shops(hasBreaker ? 30_000 : null) })
          room.window(samples).window(samples, 'payment')
        }
        room.rules = rulesOf({ sessionsMin, upstreams: shops(30_000) })
        const isLowered = () =>
          room.limits.ratePerMinute < OPERATOR.ratePerMinute ||
          room.limits.totalActiveUsers < room.operator.totalActiveUsers
        for (let i = 0; i < 20_000 && isLowered(); i++) {
          room.inside = room.limits.totalActiveUsers
          for (const { name } of room.rules.upstreams)
            room.window(room.snapshot?.breakers[name] === 'open' ? {} : { satisfied: 1 }, name)
        }
        expect(room.limits).toEqual(room.operator)
      }),
      { numRuns: 60 },
    )
  })
})
