import { describe, expect, it } from 'vitest'
import { backShare } from '../../../src/core/health/effect.ts'
import { NEWCOMERS_LOT } from '../../../src/core/health/votes.ts'
import { votesCell } from '../../../src/core/protocol/health-cells.ts'
import { marksFor, Observed, OPERATOR, origin, payment, rulesOf, voteOf } from './observed.ts'

describe('an upstream with few requests', () => {
  const sids = Array.from({ length: 40 }, (_, n) => `visitor-${n}`)
  const failed = (sid: string | undefined, sentMs: number) => voteOf('payment', `${sid}`, 'failed', sentMs)
  /** Returns the votes of three sessions that are served. */
  const served = (sentMs: number) => sids.slice(30, 33).map(sid => voteOf('payment', sid, 'satisfied', sentMs))
  /** Five sessions in a row fail, one each second, and the breaker opens. */
  const dead = (room = new Observed()) => {
    for (const sid of sids.slice(0, 5)) room.pass(1_000).report(failed(sid, room.nowMs))
    expect(room.snapshot?.breakers).toEqual({ payment: 'open' })
    return room
  }

  it('is blocked after five failed sessions in a row, before the window has ended', () => {
    const room = new Observed()
    room.nowMs += 100
    for (const [n, sid] of sids.slice(0, 5).entries()) {
      expect(room.snapshot).toBeNull()
      room.nowMs += 600
      const breakers = room.report(failed(sid, room.nowMs))
      expect(breakers).toEqual(n < 4 ? {} : { payment: 'open' })
    }
    expect(room.limits.ratePerMinute).toBe(OPERATOR.ratePerMinute)
    expect(room.kinds).toEqual(['breaker-open'])
    expect(room.decisions[0]?.saw).toMatchObject({ sessions: 5, failures: 1 })
  })

  it('is blocked by failures of the last two minutes, although earlier sessions were served', () => {
    const room = new Observed().windows(3, { satisfied: 6 }, 'payment')
    for (const sid of sids.slice(0, 5)) {
      expect(room.snapshot?.breakers ?? {}).toEqual({})
      room.nowMs += 20_000
      room.report(failed(sid, room.nowMs - 3_000))
    }
    expect(room.snapshot?.breakers).toEqual({ payment: 'open' })
  })

  it('is blocked when requests hang until a long timeout, at one request in ten seconds', () => {
    const room = new Observed()
    for (const sid of sids.slice(0, 5)) {
      room.nowMs += 10_000
      const sentMs = room.nowMs - 90_000
      room.report(failed(sid, sentMs))
    }
    expect(room.snapshot?.breakers).toEqual({ payment: 'open' })
  })

  it('stops admissions when it is critical', () => {
    const room = dead(new Observed(rulesOf({ upstreams: [origin, { ...payment, critical: true }] })))
    expect(room.kinds).toEqual(['breaker-open'])
    expect(room.limits.ratePerMinute).toBe(0)
  })

  it('is not blocked by one failing session, however many isolates report it', () => {
    const room = new Observed()
    for (let i = 0; i < 200; i++) expect(room.pass(1_000).report(failed(sids[0], room.nowMs))).toEqual({})
  })

  it('is not blocked by failures at a single moment', () => {
    const room = new Observed()
    expect(room.pass(1_000).report(...sids.map(sid => failed(sid, room.nowMs)))).toEqual({})
  })

  it.each(['satisfied', 'tolerating', 'answered'] as const)('is not blocked while others are %s', outcome => {
    const room = new Observed()
    for (const [n, sid] of sids.entries()) {
      room.nowMs += 2_000
      const vote =
        n % 5 === 0 ? failed(sid, room.nowMs) : voteOf('payment', sid, n % 5 < 3 ? outcome : 'satisfied', room.nowMs)
      expect(room.report(vote)).toEqual({})
    }
  })

  it('is not blocked by quick failures while slow answers still come', () => {
    const room = new Observed()
    for (let second = 1; second <= 300; second++) {
      room.nowMs += 1_000
      // One request is sent in each second. It is answered after three seconds, but every tenth fails at once.
      const isAnswered = second > 3 && (second - 3) % 10 !== 0
      const answers = isAnswered ? [voteOf('payment', `${sids[second % 37]}`, 'tolerating', room.nowMs - 3_000)] : []
      const failures = second % 10 === 0 ? [failed(sids[second % 40], room.nowMs)] : []
      expect(room.report(...failures, ...answers)).toEqual({})
    }
  })

  it('is not blocked by failures an hour apart', () => {
    const room = new Observed()
    for (const sid of sids) expect(room.pass(3_600_000).report(failed(sid, room.nowMs))).toEqual({})
  })

  it('is unblocked while its answers are slow or not timed, but not while it fails', () => {
    for (const mark of ['tolerating', 'answered'] as const) {
      const room = dead().pass(31_000)
      const tried = () => room.report(...sids.slice(0, 4).map(sid => voteOf('payment', sid, mark, room.nowMs)))
      for (let i = 0; i < 3; i++) {
        expect(room.snapshot?.breakers).toEqual({ payment: 'half-open' })
        room.nowMs += 5_000
        tried()
        room.pass(0)
      }
      expect(room.snapshot?.breakers).toEqual({})
    }
    const failing = dead()
    for (let i = 0; i < 60; i++) expect(failing.window({ failed: 3 }, 'payment').snapshot?.breakers).not.toEqual({})
  })

  it('is unblocked although one visitor has only failures, but not if two visitors have only failures', () => {
    const trial = (...failing: string[]) => {
      const room = dead().pass(31_000)
      for (let i = 0; i < 3; i++) {
        room.nowMs += 5_000
        room.report(...failing.map(sid => failed(sid, room.nowMs - 4_000)), ...served(room.nowMs - 4_000))
      }
      return room.snapshot?.breakers
    }
    expect(trial('one')).toEqual({})
    expect(trial('one', 'two')).toEqual({ payment: 'open' })
  })

  it('stays blocked, with ever longer pauses, while its only visitor or its probe fails', () => {
    const trials = [
      (room: Observed) => room.report(failed('one', room.nowMs - 100)),
      (room: Observed) => room.report(votesCell('payment', { [NEWCOMERS_LOT]: marksFor('failed') }, room.nowMs - 100)),
      (room: Observed) => {
        room.probe(null, payment)
        // Visitors are served, but a failed probe outweighs them.
        room.report(...served(room.nowMs - 100))
      },
    ]
    for (const trial of trials) {
      const room = dead()
      for (let i = 0; i < 360; i++) {
        trial(room.pass(5_000))
        expect(room.snapshot?.breakers).not.toEqual({})
      }
      expect(room.health.upstreams.payment?.breaker.failures).toBeGreaterThan(4)
    }
  })

  it('is unblocked although a failing visitor asks first', () => {
    const room = dead().pass(31_000)
    for (let i = 0; i < 3; i++) {
      room.nowMs += 5_000
      room.report(failed('one', room.nowMs - 4_000))
      room.nowMs += 5_000
      room.report(...served(room.nowMs - 100))
    }
    expect(room.snapshot?.breakers).toEqual({})
  })

  it('ignores in its trial the failures of requests sent during its pause', () => {
    const room = dead()
    const stragglers = sids.slice(10, 14).map(sid => failed(sid, room.nowMs + 2_000))
    room.nowMs += 28_000
    room.report(...stragglers)
    room.pass(3_000)
    expect(room.snapshot?.breakers).toEqual({ payment: 'half-open' })
    expect(room.windows(3, { satisfied: 3 }, 'payment').snapshot?.breakers).toEqual({})
  })

  it('is not blocked by failures from edges whose clocks run ahead, while others are served', () => {
    const room = new Observed()
    for (let second = 0; second < 60; second++) {
      room.nowMs += 1_000
      const good = [1, 2, 3, 4].map(n => voteOf('payment', `${sids[(5 * n + second) % 40]}`, 'satisfied', room.nowMs))
      expect(room.report(...good, failed(`late-${second}`, room.nowMs + 9_000))).toEqual({})
    }
  })

  it('gets all sessions back little by little after its trial, because they all still want its pages', () => {
    const room = dead()
    expect(room.snapshot).toMatchObject({ breakers: { payment: 'open' }, back: {} })
    room.pass(31_000).windows(3, { satisfied: 3 }, 'payment')
    const sinceMs = room.nowMs
    expect(room.snapshot).toMatchObject({ reason: null, inside: 1, breakers: {}, back: { payment: sinceMs } })
    expect(backShare(sinceMs, sinceMs)).toBe(0.1)
    expect(backShare(sinceMs, sinceMs + 30_000)).toBeCloseTo(0.55)
    expect(room.pass(30_000).snapshot?.back).toEqual({ payment: sinceMs })
    expect(room.pass(30_000).snapshot).toBeNull()
    // A clock that was set back by an hour keeps no session out.
    room.nowMs -= 3_600_000
    expect(room.snapshot).toBeNull()
  })

  it('admits all sessions at once when the operator pins its breaker closed', () => {
    const room = dead().pass(31_000).windows(3, { satisfied: 3 }, 'payment')
    room.rules = rulesOf({ pins: { ratePerMinute: null, sessions: null, breakers: { payment: 'closed' } } })
    expect(room.snapshot).toBeNull()
  })

  it('starts without failures after a trial, so old failures do not open its breaker again', () => {
    const room = dead().pass(31_000).windows(3, { satisfied: 3 }, 'payment')
    expect(room.snapshot?.breakers).toEqual({})
    expect(room.report(failed(sids[5], room.nowMs))).toEqual({})
  })

  it('is judged differently from the origin: a quiet site is not blocked by a few failures', () => {
    expect(new Observed().windows(3, { failed: 5 }).snapshot?.breakers ?? {}).toEqual({})
  })
})
