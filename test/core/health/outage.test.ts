import { describe, expect, it } from 'vitest'
import { cellOf, votesCell } from '../../../src/core/protocol/health-cells.ts'
import { ballotOf, DOWN, GOOD, Observed, OPERATOR, origin, payment, rulesOf, SLOW } from './observed.ts'

describe('an origin that is down', () => {
  it('is left alone after two windows: no visitor is admitted, and active sessions are blocked', () => {
    const room = new Observed().windows(2, DOWN)
    expect(room.limits.ratePerMinute).toBe(0)
    expect(room.snapshot).toMatchObject({ reason: 'outage', inside: 0, paused: true, breakers: { origin: 'open' } })
  })

  it('gets a trial of a few sessions after the pause, then all of them little by little', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    expect(room.snapshot).toMatchObject({ breakers: { origin: 'half-open' }, inside: 0.05, paused: true })
    expect(room.limits.ratePerMinute).toBe(12)
    room.windows(3, { satisfied: 3 })
    expect(room.kinds).toContain('breaker-closed')
    expect(room.snapshot?.inside).toBeCloseTo(0.35)
    expect(room.window(GOOD).snapshot?.inside).toBeLessThan(0.75)
    expect(room.windows(21, GOOD).snapshot?.inside ?? 1).toBe(1)
  })

  it('gets back no more sessions than its ceiling allows if its trial was slow', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    room.health.ceiling = { ...room.health.ceiling, sessions: 20 }
    room.windows(2, { satisfied: 1, tolerating: 3 })
    expect(room.kinds).not.toContain('breaker-closed')
    room.window({ satisfied: 1, tolerating: 3 })
    expect(room.kinds).toContain('breaker-closed')
    expect(room.limits.totalActiveUsers).toBe(20)
    expect(room.snapshot?.inside).toBeCloseTo(20 / 800)
  })

  it('lets session time run again once it answers, even while some sessions are blocked', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    expect(room.snapshot?.paused).toBe(true)
    room.windows(3, { satisfied: 3 })
    expect(room.snapshot?.inside).toBeLessThan(1)
    expect(room.snapshot?.paused).toBe(false)
  })

  it('gets fewer sessions as soon as the sessions that came back make it slow', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000).windows(3, { satisfied: 3 }).windows(2, GOOD)
    room.windows(3, SLOW)
    expect(room.kinds.at(-1)).toBe('ceiling-lowered')
    expect(room.limits.totalActiveUsers).toBeLessThan(room.inside)
  })

  it('waits longer after each failed trial, five minutes at most, and ignores requests sent before a trial', () => {
    const room = new Observed().windows(2, DOWN)
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      const { breaker } = room.health.upstreams.origin as { breaker: { untilMs: number } }
      pauses.push(Math.round((breaker.untilMs - room.nowMs) / 1_000))
      room.pass(breaker.untilMs - room.nowMs)
      room.report(votesCell('origin', ballotOf({ failed: 50 }), room.nowMs - 3_000))
      expect(room.pass(0).snapshot?.breakers.origin).toBe('half-open')
      room.window({ failed: 3 })
    }
    expect(pauses).toEqual([30, 60, 120, 240, 300, 300])
  })

  it('is not tried again before the time that its Retry-After asks for', () => {
    const room = new Observed().window(DOWN)
    room.report(cellOf('origin', 'retry-after', 120_000, room.nowMs))
    room.window(DOWN)
    expect(room.pass(100_000).snapshot?.breakers.origin).toBe('open')
    expect(room.pass(40_000).snapshot?.breakers.origin).toBe('half-open')
  })

  it('is tried sooner after three good probes in a row', () => {
    const room = new Observed().windows(2, DOWN).pass(10_000)
    for (const tookMs of [100, null, 100, 100]) room.probe(tookMs)
    expect(room.snapshot?.breakers.origin).toBe('open')
    room.probe(100)
    expect(room.snapshot?.breakers.origin).toBe('half-open')
  })

  it('does not meet all visitors at once after an early trial', () => {
    const room = new Observed().windows(2, DOWN).pass(11_000)
    for (let i = 0; i < 3; i++) room.probe(100)
    room.windows(3, { satisfied: 3 })
    expect(room.snapshot?.breakers).toEqual({})
    expect(room.limits.ratePerMinute).toBeLessThan(0.2 * OPERATOR.ratePerMinute)
  })

  it('lets session time run when its trial has no samples, so that abandoned sessions free their places', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    expect(room.windows(11, {}).snapshot).toMatchObject({ paused: true, breakers: { origin: 'half-open' } })
    expect(room.windows(2, {}).snapshot).toMatchObject({ paused: false, breakers: { origin: 'half-open' } })
  })

  it('leaves a decision for each step with the samples seen, also when the ceiling rises', () => {
    const room = new Observed()
    room.inside = 50
    room.windows(3, GOOD)
    room.inside = 800
    room.windows(2, { frustrated: 100 }).pass(31_000).windows(3, { satisfied: 3 })
    expect(room.decisions.slice(-2)).toMatchObject([
      { did: { kind: 'breaker-closed' }, saw: { sessions: 3, apdex: 1 } },
      { did: { kind: 'ceiling-rising', from: 30, to: 31 }, saw: { sessions: 3 } },
    ])
  })

  it('comes back by probes alone when there are no visitors', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    for (let i = 0; i < 9; i++) {
      room.probe(100)
      room.window({})
    }
    expect(room.kinds.at(-1)).toBe('breaker-closed')
  })
})

describe('an upstream', () => {
  it('that is not critical is blocked alone, and admissions go on', () => {
    const room = new Observed().windows(2, DOWN, 'payment')
    expect(room.snapshot).toMatchObject({ reason: null, inside: 1, paused: false, breakers: { payment: 'open' } })
    expect(room.limits).toBe(OPERATOR)
  })

  it('that is critical stops admissions when it is down, and leaves active sessions alone', () => {
    const rules = rulesOf({ upstreams: [origin, { ...payment, critical: true }] })
    const room = new Observed(rules).windows(2, DOWN, 'payment')
    expect(room.snapshot).toMatchObject({ reason: 'outage', inside: 1, paused: false, breakers: { payment: 'open' } })
    expect(room.limits.ratePerMinute).toBe(0)
  })

  it('that is critical leaves active sessions alone even after an earlier outage of the origin', () => {
    const rules = rulesOf({ upstreams: [origin, { ...payment, critical: true }] })
    const room = new Observed(rules).windows(2, DOWN).pass(31_000).windows(3, { satisfied: 3 }).windows(40, GOOD)
    room.windows(2, { failed: 50, satisfied: 50 }, 'payment')
    expect(room.snapshot).toMatchObject({ inside: 1, breakers: { payment: 'open' } })
  })

  it('is open to all as soon as its breaker is removed', () => {
    const room = new Observed().windows(2, DOWN, 'payment').pass(31_000)
    expect(room.snapshot?.breakers).toEqual({ payment: 'half-open' })
    room.rules = rulesOf({ upstreams: [origin, { ...payment, openMs: null }] })
    expect(room.pass(1_000).snapshot).toBeNull()
    expect(room.kinds.at(-1)).toBe('breaker-closed')
  })

  it('without a breaker is never blocked', () => {
    const rules = rulesOf({ upstreams: [origin, { ...payment, openMs: null }] })
    expect(new Observed(rules).windows(5, DOWN, 'payment').snapshot).toBeNull()
  })
})
