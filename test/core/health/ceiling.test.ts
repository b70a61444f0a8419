import { describe, expect, it } from 'vitest'
import { GOOD, Observed, OPERATOR, rulesOf, type Served, SLOW } from './observed.ts'

describe('an origin that a crowd overruns', () => {
  /** Returns a room at the start of the trial. Its origin served `borne` sessions well, and then failed under 800. */
  function overrun(borne: number, ...slowing: Served[]) {
    const room = new Observed()
    room.inside = borne
    room.windows(3, GOOD)
    room.inside = 800
    for (const samples of slowing) room.window(samples)
    return room.windows(2, { frustrated: 100 }).pass(31_000)
  }

  it('gets back as many sessions as it has borne, and then more in small steps', () => {
    const room = overrun(500).windows(3, { satisfied: 3 })
    expect(room.limits.totalActiveUsers).toBeGreaterThanOrEqual(300)
    expect(room.limits.totalActiveUsers).toBeLessThan(330)
    room.windows(9, GOOD)
    expect(room.limits.totalActiveUsers).toBeGreaterThanOrEqual(500)
    expect(room.limits.totalActiveUsers).toBeLessThan(510)
    room.inside = 500
    room.windows(12, GOOD)
    expect(room.limits.totalActiveUsers).toBeGreaterThan(540)
    expect(room.limits.totalActiveUsers).toBeLessThan(600)
  })

  it('gets more sessions back although the first few send fewer than twenty samples', () => {
    const room = overrun(500).windows(3, { satisfied: 3 })
    const before = room.snapshot?.inside ?? 1
    expect(room.windows(9, { satisfied: 3 }).snapshot?.inside).toBeGreaterThan(1.5 * before)
  })

  it('gets back many times the sessions that it had borne, not at once but within minutes', () => {
    const room = overrun(50).windows(3, { satisfied: 3 })
    expect(room.limits.totalActiveUsers).toBeLessThan(50)
    expect(room.windows(40, GOOD).limits.totalActiveUsers).toBeGreaterThan(250)
  })

  it('gets back at first as many sessions as the cut just before the outage allowed', () => {
    const slowing = { satisfied: 10, tolerating: 82, frustrated: 8 }
    const room = overrun(700, slowing, slowing).windows(3, { satisfied: 3 })
    expect(room.kinds).toEqual([
      'ceiling-lowered',
      'breaker-open',
      'ceiling-lowered',
      'breaker-half-open',
      'breaker-closed',
      'ceiling-rising',
    ])
    const { totalActiveUsers } = room.windows(12, GOOD).limits
    expect(totalActiveUsers).toBeGreaterThanOrEqual(480)
    expect(totalActiveUsers).toBeLessThan(700)
  })

  it('gets more sessions later even if it was slow again while most sessions were blocked', () => {
    const room = overrun(500).windows(3, { satisfied: 3 }).windows(1, GOOD).windows(2, SLOW)
    const { totalActiveUsers } = room.limits
    expect(totalActiveUsers).toBeLessThan(500)
    room.pass(180_000).full(60, GOOD)
    expect(room.limits.totalActiveUsers).toBeGreaterThan(totalActiveUsers + 100)
  })
})

describe('a slow origin', () => {
  it('is given fewer sessions after two slow windows, and is not cut again before the first cut can help', () => {
    const room = new Observed().windows(2, SLOW)
    const { totalActiveUsers, ratePerMinute } = room.limits
    expect(totalActiveUsers).toBe(720)
    expect(ratePerMinute).toBe(600)
    expect(room.snapshot).toMatchObject({ reason: 'slow', inside: 1, paused: false })
    expect(room.windows(20, SLOW).kinds).toEqual(['ceiling-lowered'])
    expect(room.windows(10, SLOW).kinds).toEqual(['ceiling-lowered', 'ceiling-lowered'])
  })

  it('is cut again as soon as the effect of the first cut shows and is not enough', () => {
    const room = new Observed().windows(2, SLOW)
    room.inside = room.limits.totalActiveUsers
    expect(room.window(SLOW).kinds).toEqual(['ceiling-lowered'])
    expect(room.window(SLOW).kinds).toEqual(['ceiling-lowered', 'ceiling-lowered'])
  })

  it('leaves a decision that records what was seen and what was done', () => {
    const [decision] = new Observed().windows(2, SLOW).decisions
    expect(decision).toMatchObject({
      upstream: 'origin',
      did: { kind: 'ceiling-lowered', from: 1_000, to: 720 },
      saw: { sessions: 100, failures: 0, inside: 800 },
      enforced: true,
    })
  })

  it('gets more sessions once it is fast and the cooldown is over, up to the limit of the operator', () => {
    const room = new Observed().windows(2, SLOW)
    for (let i = 0; i < 720; i++) {
      room.inside = Math.min(1_000, room.limits.totalActiveUsers)
      room.window(GOOD)
    }
    expect(room.kinds).toEqual(['ceiling-lowered', 'ceiling-rising', 'ceiling-lifted'])
    expect(room.limits).toBe(OPERATOR)
  })
})

describe('a ceiling', () => {
  it.each([1, 2, 3, 4, 7, 10])('with a minimum of %s sessions rises again from any value', sessionsMin => {
    for (const inside of [2, 3, 4, 9, 800]) {
      const room = new Observed(rulesOf({ sessionsMin }))
      room.inside = inside
      room.windows(2, SLOW)
      for (let i = 0; i < 3_000 && room.limits !== OPERATOR; i++) room.full(1, GOOD)
      expect(room.limits).toBe(OPERATOR)
    }
  })

  it('does not creep up by lucky windows: it rises after five good windows in a row', () => {
    const room = new Observed().windows(2, SLOW).pass(200_000).full(3, GOOD)
    const { totalActiveUsers } = room.limits
    for (let i = 0; i < 200; i++) room.full(2, { satisfied: 80, tolerating: 20 }).full(2, GOOD)
    expect(room.limits.totalActiveUsers - totalActiveUsers).toBeLessThan(5)
    expect(room.full(50, GOOD).limits.totalActiveUsers).toBeGreaterThan(totalActiveUsers + 20)
  })

  it('rises by single samples when it allows only ten sessions', () => {
    const room = new Observed().lowest()
    expect(room.limits.totalActiveUsers).toBe(10)
    expect(room.full(20_000, { satisfied: 1 }).limits).toBe(OPERATOR)
  })

  it('is not lowered by single samples', () => {
    const room = new Observed().windows(2, SLOW)
    const { totalActiveUsers } = room.limits
    expect(room.full(400, { frustrated: 1 }).limits.totalActiveUsers).toBe(totalActiveUsers)
  })

  it('reaches a limit that the operator has raised since', () => {
    const room = new Observed()
    room.operator = { ratePerMinute: 600, totalActiveUsers: 20 }
    room.inside = 20
    room.windows(2, SLOW)
    room.operator = { ratePerMinute: 600, totalActiveUsers: 10_000 }
    expect(room.full(1_500, GOOD).limits).toBe(room.operator)
  })

  it('is not in the snapshot when the operator has lowered the limit below it', () => {
    const room = new Observed().windows(2, SLOW)
    room.operator = { ratePerMinute: 600, totalActiveUsers: 100 }
    expect(room.snapshot).toBeNull()
  })

  it('rises after an hour without reports only as much as after a few seconds', () => {
    const room = new Observed().windows(2, SLOW).pass(200_000).full(5, GOOD)
    const { totalActiveUsers } = room.limits
    room.nowMs += 3_600_000
    room.full(1, GOOD)
    expect(room.limits.totalActiveUsers - totalActiveUsers).toBeLessThan(30)
  })
})
