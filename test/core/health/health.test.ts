import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/core/health/decision-log.ts'
import { backShare, healthView, limitsNow } from '../../../src/core/health/effect.ts'
import { advance, probed } from '../../../src/core/health/health.ts'
import { hear } from '../../../src/core/health/ingest.ts'
import { cellOf, complaintOf, faultOf, lossBy, lossOf, type Outcome } from '../../../src/core/health/samples.ts'
import { type HealthRules, type HealthState, newHealth } from '../../../src/core/health/state.ts'
import { RULES } from '../../../tools/health/control.ts'

const START = 1_700_000_000_000
const OPERATOR = { ratePerMinute: 600, totalActiveUsers: 1_000 }
const origin = { name: 'origin', critical: true, apdexTarget: 0.85, openMs: 30_000 }
const payment = { name: 'payment', critical: false, apdexTarget: 0.85, openMs: 30_000 }

function rulesOf(changes: Partial<HealthRules> = {}): HealthRules {
  return { ...RULES, upstreams: [origin, payment], ...changes }
}

/** A room with 800 active sessions and a line. Each window of 5 s brings one report, and then the room decides. */
class Observed {
  readonly health: HealthState = newHealth(START)
  readonly decisions: Decision[] = []
  rules: HealthRules
  operator = OPERATOR
  nowMs = START
  inside = 800

  constructor(rules = rulesOf()) {
    this.rules = rules
  }

  get load() {
    return { inside: this.inside, hasDemand: true }
  }

  window(samples: Partial<Record<Outcome, number>>, upstream = 'origin'): this {
    this.nowMs += 5_000
    const cells = Object.entries(samples).map(([outcome, count]) => [
      cellOf(upstream, outcome as Outcome, 100, this.nowMs - 1_000),
      count,
    ])
    hear(this.health, Object.fromEntries(cells), this.rules, this.nowMs)
    return this.pass(0)
  }

  windows(count: number, samples: Partial<Record<Outcome, number>>, upstream?: string): this {
    for (let i = 0; i < count; i++) this.window(samples, upstream)
    return this
  }

  pass(ms: number): this {
    this.nowMs += ms
    this.decisions.push(...advance(this.health, this, 0.5))
    return this
  }

  probe(tookMs: number | null): void {
    const decision = probed(this.health, origin, { tookMs, targetMs: 500 }, this)
    if (decision) this.decisions.push(decision)
  }

  get limits() {
    return limitsNow(this.health, this.operator, this.rules, this.nowMs)
  }

  get view() {
    return healthView(this.health, this.load, this.operator, this.rules, this.nowMs)
  }

  /** Plays `count` windows with as many active sessions as the limit allows. */
  full(count: number, samples: Partial<Record<Outcome, number>>): this {
    for (let i = 0; i < count; i++) {
      this.inside = this.limits.totalActiveUsers
      this.window(samples)
    }
    return this
  }

  /** Slow for so long that the ceiling reaches its minimum. */
  lowest(): this {
    for (let i = 0; i < 60; i++) this.full(2, SLOW).pass(140_000)
    return this
  }

  get kinds() {
    return this.decisions.map(({ did }) => did.kind)
  }
}

const GOOD = { satisfied: 100 }
const SLOW = { satisfied: 50, tolerating: 50 }
const DOWN = { failed: 100 }

describe('a healthy origin', () => {
  it('keeps the limits of the operator and needs no announcement', () => {
    const room = new Observed().windows(20, GOOD)
    expect(room.limits).toBe(OPERATOR)
    expect([room.view, room.decisions]).toEqual([null, []])
  })

  it('may have a single slow window', () => {
    expect(new Observed().windows(5, GOOD).window(SLOW).windows(5, GOOD).decisions).toEqual([])
  })

  it('is not blocked by one session that reloads a slow or broken page', () => {
    expect(new Observed().windows(100, { satisfied: 16, frustrated: 5 }).decisions).toEqual([])
    expect(new Observed().windows(100, { satisfied: 16, failed: 5 }).decisions).toEqual([])
  })

  it('is not blocked by one session that sends nearly all requests to a quiet site', () => {
    expect(new Observed().windows(100, { failed: 5 }).decisions).toEqual([])
    expect(new Observed().windows(100, { satisfied: 3, frustrated: 5 }).decisions).toEqual([])
    // The windows of an edge are not in step with those of the room: two of them may fall into one.
    for (let i = 0, room = new Observed(); i < 40; i++) {
      room.window({ failed: i % 4 === 0 ? 10 : 5, satisfied: 1 })
      expect(room.decisions).toEqual([])
    }
  })

  it('is not blocked by one identified session, however many isolates report it', () => {
    const of = (count: number) => {
      const room = new Observed()
      for (let i = 0; i < 24; i++) {
        room.nowMs += 5_000
        const sentMs = room.nowMs - 1_000
        // Complaints may arrive a window early, so only every other window has any.
        const sids = i % 2 === 0 ? Array.from({ length: count }, (_, n) => `session-${n}`) : []
        const complaints = sids.map(sid => [complaintOf('origin', sid, sentMs), 1])
        const samples = [
          [cellOf('origin', 'satisfied', 100, sentMs), 60],
          [cellOf('origin', 'failed', 5, sentMs), 40],
        ]
        hear(room.health, Object.fromEntries([...complaints, ...samples]), room.rules, room.nowMs)
        room.pass(0)
      }
      return room
    }
    expect(of(1).decisions).toEqual([])
    expect(of(2).kinds).toContain('breaker-open')
    expect(of(300).kinds).toContain('breaker-open')
    expect(Object.keys(of(300).health.upstreams.origin?.streak.failed ?? {}).length).toBeLessThanOrEqual(100)
  })

  it.each(['tolerating', 'frustrated', 'failed'] as const)(
    'is not cut back by one session whose answers are %s at eight isolates',
    outcome => {
      const of = (isOneOf: (i: number) => string, good: number) => {
        const room = new Observed()
        for (let i = 0; i < 60; i++) {
          room.nowMs += 5_000
          const sentMs = room.nowMs - 1_000
          const cells: Record<string, number> = {}
          const say = (cell: string, by = 1) => {
            cells[cell] = (cells[cell] ?? 0) + by
          }
          say(cellOf('origin', 'satisfied', 100, sentMs), good)
          // Another session complains once a window.
          say(complaintOf('origin', 'somebody', sentMs))
          // 80 samples: two windows of eight edges, with five samples of one session each.
          for (let n = 0; n < 80; n++) {
            say(cellOf('origin', outcome, 1_500, sentMs))
            say(lossOf('origin', isOneOf(n), sentMs), lossBy(outcome))
            if (outcome !== 'tolerating') say(complaintOf('origin', isOneOf(n), sentMs))
            if (outcome === 'failed') say(faultOf('origin', isOneOf(n), sentMs))
          }
          hear(room.health, cells, room.rules, room.nowMs)
          room.pass(0)
        }
        return room
      }
      expect(of(() => 'the same', 100).decisions).toEqual([])
      expect(of(n => `session-${n % 8}`, 100).kinds).toContain(
        outcome === 'failed' ? 'breaker-open' : 'ceiling-lowered',
      )
      // Session 0 has half of the bad samples, and no sample is good.
      const halved = of(n => `session-${n % 2 === 0 ? 0 : n}`, 0)
      expect(halved.kinds).toContain(outcome === 'tolerating' ? 'ceiling-lowered' : 'breaker-open')
    },
  )

  it('gets no higher ceiling when one failing session drowns out all others', () => {
    const room = new Observed().windows(2, SLOW).pass(200_000)
    const { totalActiveUsers } = room.limits
    for (let i = 0; i < 60; i++) {
      room.inside = room.limits.totalActiveUsers
      room.nowMs += 5_000
      const cells = [complaintOf('origin', 'one', room.nowMs), cellOf('origin', 'failed', 5, room.nowMs)]
      hear(room.health, { [cells[0] as string]: 1, [cells[1] as string]: 25 }, room.rules, room.nowMs)
      room.pass(0)
    }
    expect(room.limits.totalActiveUsers).toBe(totalActiveUsers)
    expect(room.view?.breakers).toEqual({})
  })

  it('is blocked when many sessions fail at once in a quiet room, even if the first fails a second earlier', () => {
    const room = new Observed()
    for (let burst = 0; burst < 8; burst++) {
      room.nowMs += 19_000
      const say = (sids: string[], count: number) => {
        const complaints = sids.map(sid => [complaintOf('origin', sid, room.nowMs - 500), 1])
        const cells = [...complaints, [cellOf('origin', 'failed', 5, room.nowMs - 500), count]]
        hear(room.health, Object.fromEntries(cells), room.rules, room.nowMs)
      }
      say(['a'], 2)
      room.nowMs += 1_000
      say(['b', 'c', 'd', 'e', 'f', 'g', 'h'], 40)
      room.pass(0)
    }
    expect(room.kinds).toContain('breaker-open')
  })

  it('is blocked when no answer comes within 100 s, the longest timeout', () => {
    const room = new Observed()
    for (let i = 0; i < 12; i++) {
      room.nowMs += 5_000
      const sentMs = room.nowMs - 101_000
      hear(room.health, { [cellOf('origin', 'failed', 100_000, sentMs)]: 50 }, room.rules, room.nowMs)
      room.pass(0)
    }
    expect(room.kinds).toContain('breaker-open')
  })

  it('is blocked when there are more failures than one session can report', () => {
    expect(new Observed().windows(8, { failed: 10 }).kinds).toContain('breaker-open')
  })

  it('is not judged by fewer than twenty samples in four windows', () => {
    expect(new Observed().windows(100, { failed: 4 }).decisions).toEqual([])
  })
})

describe('an origin that a crowd overruns', () => {
  /** The origin serves `borne` sessions well, then fails under 800. Ends at the start of the trial. */
  function overrun(borne: number, ...slowing: Partial<Record<Outcome, number>>[]) {
    const room = new Observed()
    room.inside = borne
    room.windows(3, GOOD)
    room.inside = 800
    for (const samples of slowing) room.window(samples)
    return room.windows(2, { frustrated: 100 }).pass(31_000)
  }

  it('gets back as many sessions as it has borne, and then more in small steps', () => {
    const room = overrun(500).windows(3, { satisfied: 3 }).windows(3, GOOD)
    expect(room.limits.totalActiveUsers).toBeGreaterThanOrEqual(500)
    expect(room.limits.totalActiveUsers).toBeLessThan(510)
    room.inside = 500
    room.windows(12, GOOD)
    expect(room.limits.totalActiveUsers).toBeGreaterThan(540)
    expect(room.limits.totalActiveUsers).toBeLessThan(600)
  })

  it('gets more sessions back although the first few send fewer than twenty samples', () => {
    const room = overrun(500).windows(3, { satisfied: 3 })
    const before = room.view?.inside ?? 1
    expect(room.windows(3, { satisfied: 3 }).view?.inside).toBeGreaterThan(1.5 * before)
  })

  it('is credited with the load that its trial has shown', () => {
    const room = overrun(50).windows(3, { satisfied: 3 })
    expect(room.limits.totalActiveUsers).toBeGreaterThanOrEqual(280)
  })

  it('gets back what it has borne, not what the ceiling was cut to just before the outage', () => {
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
    expect(room.windows(6, GOOD).limits.totalActiveUsers).toBeGreaterThan(690)
  })

  it('is not limited to a few sessions for good when it is slow again while most are blocked', () => {
    const room = overrun(500).windows(3, { satisfied: 3 }).windows(1, GOOD).windows(2, SLOW)
    const { totalActiveUsers } = room.limits
    expect(totalActiveUsers).toBeLessThan(450)
    room.pass(180_000).full(60, GOOD)
    expect(room.limits.totalActiveUsers).toBeGreaterThan(totalActiveUsers + 100)
  })
})

describe('a slow origin', () => {
  it('is given fewer sessions after two slow windows, and no further cut before the first can help', () => {
    const room = new Observed().windows(2, SLOW)
    const { totalActiveUsers, ratePerMinute } = room.limits
    expect(totalActiveUsers).toBe(680)
    expect(ratePerMinute).toBe(600)
    expect(room.view).toMatchObject({ reason: 'slow', inside: 1, paused: false })
    expect(room.windows(20, SLOW).kinds).toEqual(['ceiling-lowered'])
    expect(room.windows(10, SLOW).kinds).toEqual(['ceiling-lowered', 'ceiling-lowered'])
  })

  it('leaves a decision that records what was seen and what was done', () => {
    const [decision] = new Observed().windows(2, SLOW).decisions
    expect(decision).toMatchObject({
      upstream: 'origin',
      did: { kind: 'ceiling-lowered', from: 1_000, to: 680 },
      saw: { samples: 100, failures: 0, inside: 800 },
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
      expect(room.windows(2, SLOW).full(3_000, GOOD).limits).toBe(OPERATOR)
    }
  })

  it('does not creep up by lucky windows: it rises after three good windows in a row', () => {
    const room = new Observed().windows(2, SLOW).pass(200_000).full(3, GOOD)
    const { totalActiveUsers } = room.limits
    for (let i = 0; i < 200; i++) room.full(1, { satisfied: 80, tolerating: 20 }).full(2, GOOD)
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

  it('reaches a limit that the operator has raised since, even if it was stored with a range of 0', () => {
    const room = new Observed()
    room.operator = { ratePerMinute: 600, totalActiveUsers: 20 }
    room.inside = 20
    room.windows(2, SLOW)
    room.operator = { ratePerMinute: 600, totalActiveUsers: 10_000 }
    room.health.ceiling = { ...room.health.ceiling, range: 0 }
    expect(room.full(1_500, GOOD).limits).toBe(room.operator)
  })

  it('is not announced when the operator has lowered the limit below it', () => {
    const room = new Observed().windows(2, SLOW)
    room.operator = { ratePerMinute: 600, totalActiveUsers: 100 }
    expect(room.view).toBeNull()
  })

  it('rises no more after an hour without reports than after a few seconds', () => {
    const room = new Observed().windows(2, SLOW).pass(200_000).full(5, GOOD)
    const { totalActiveUsers } = room.limits
    room.nowMs += 3_600_000
    room.full(1, GOOD)
    expect(room.limits.totalActiveUsers - totalActiveUsers).toBeLessThan(30)
  })
})

describe('an upstream with few requests', () => {
  const sids = Array.from({ length: 40 }, (_, n) => `visitor-${n}`)
  const sayOf = (room: Observed, ...cells: string[]) => {
    hear(room.health, Object.fromEntries(cells.map(cell => [cell, 1])), room.rules, room.nowMs)
    return room.pass(0).view?.breakers ?? {}
  }
  const failed = (sid: string | undefined, sentMs: number) => [
    cellOf('payment', 'failed', 5, sentMs),
    complaintOf('payment', `${sid}`, sentMs),
  ]
  /** Five sessions in a row fail, one each second, and the breaker opens. */
  const dead = (room = new Observed()) => {
    for (const sid of sids.slice(0, 5)) sayOf(room.pass(1_000), ...failed(sid, room.nowMs))
    expect(room.view?.breakers).toEqual({ payment: 'open' })
    return room
  }

  it('is blocked after five failed sessions in a row, before the window has ended', () => {
    const room = new Observed()
    room.nowMs += 100
    for (const [n, sid] of sids.slice(0, 5).entries()) {
      expect(room.view).toBeNull()
      room.nowMs += 600
      const breakers = sayOf(room, ...failed(sid, room.nowMs))
      expect(breakers).toEqual(n < 4 ? {} : { payment: 'open' })
    }
    expect(room.limits.ratePerMinute).toBe(OPERATOR.ratePerMinute)
    expect(room.kinds).toEqual(['breaker-open'])
    expect(room.decisions[0]?.saw).toMatchObject({ samples: 5, failures: 1 })
  })

  it('is blocked by failures of the last two minutes, although earlier sessions were served', () => {
    const room = new Observed().windows(3, { satisfied: 6 }, 'payment')
    for (const sid of sids.slice(0, 5)) {
      expect(room.view?.breakers ?? {}).toEqual({})
      room.nowMs += 20_000
      sayOf(room, ...failed(sid, room.nowMs - 3_000))
    }
    expect(room.view?.breakers).toEqual({ payment: 'open' })
  })

  it('is blocked when requests hang until a long timeout, at one request in ten seconds', () => {
    const room = new Observed()
    for (const sid of sids.slice(0, 5)) {
      room.nowMs += 10_000
      const sentMs = room.nowMs - 90_000
      sayOf(room, cellOf('payment', 'turned-failed', 0, sentMs), complaintOf('payment', sid, sentMs))
    }
    expect(room.view?.breakers).toEqual({ payment: 'open' })
  })

  it('stops admissions and lowers the ceiling when it is critical', () => {
    const room = dead(new Observed(rulesOf({ upstreams: [origin, { ...payment, critical: true }] })))
    expect(room.kinds).toEqual(['breaker-open', 'ceiling-lowered'])
    expect(room.limits.ratePerMinute).toBe(0)
  })

  it('is not blocked by one failing session, however many isolates report it', () => {
    const room = new Observed()
    for (let i = 0; i < 200; i++) expect(sayOf(room.pass(1_000), ...failed(sids[0], room.nowMs))).toEqual({})
  })

  it('is not blocked by failures at a single moment', () => {
    const room = new Observed()
    expect(sayOf(room.pass(1_000), ...sids.flatMap(sid => failed(sid, room.nowMs)))).toEqual({})
  })

  it.each(['satisfied', 'tolerating', 'answered', 'came-late'] as const)(
    'is not blocked while other requests are %s',
    mark => {
      const room = new Observed()
      for (const [n, sid] of sids.entries()) {
        room.nowMs += 2_000
        expect(sayOf(room, ...failed(sid, room.nowMs))).toEqual({})
        if (n % 3 === 2) sayOf(room, cellOf('payment', mark, 100, room.nowMs))
      }
    },
  )

  it('is not blocked by quick failures while slow answers still come', () => {
    const room = new Observed()
    for (let second = 1; second <= 300; second++) {
      room.nowMs += 1_000
      // Each second one request fails at once, and another is answered after three seconds.
      const answers = second > 3 ? [cellOf('payment', 'tolerating', 3_000, room.nowMs - 3_000)] : []
      expect(sayOf(room, ...failed(sids[second % 40], room.nowMs), ...answers)).toEqual({})
    }
  })

  it('is not blocked by failures an hour apart', () => {
    const room = new Observed()
    for (const sid of sids) expect(sayOf(room.pass(3_600_000), ...failed(sid, room.nowMs))).toEqual({})
  })

  it('is unblocked while its answers are slow or not timed, but not while it fails', () => {
    for (const mark of ['tolerating', 'answered'] as const) {
      const room = dead().pass(31_000)
      const tried = () => hear(room.health, { [cellOf('payment', mark, 9, room.nowMs)]: 4 }, room.rules, room.nowMs)
      for (let i = 0; i < 6; i++) {
        expect(room.view?.breakers).toEqual({ payment: 'half-open' })
        room.nowMs += 5_000
        tried()
        room.pass(0)
      }
      expect(room.view?.breakers).toEqual({})
    }
    const failing = dead()
    for (let i = 0; i < 60; i++) expect(failing.window({ failed: 3 }, 'payment').view?.breakers).not.toEqual({})
  })

  it('is unblocked although one visitor has only failures, but not if two have', () => {
    const trial = (...failing: string[]) => {
      const room = dead().pass(31_000)
      for (let i = 0; i < 3; i++) {
        room.nowMs += 5_000
        sayOf(
          room,
          // Sent before the answers, so that no failure follows the last answer.
          ...failing.flatMap(sid => failed(sid, room.nowMs - 4_500)),
          ...[100, 120, 150].map(ms => cellOf('payment', 'satisfied', ms, room.nowMs - 4_000)),
        )
      }
      return room.view?.breakers
    }
    expect(trial('one')).toEqual({})
    expect(trial('one', 'two')).toEqual({ payment: 'open' })
  })

  it('stays blocked, with ever longer pauses, while its only visitor or its probe fails', () => {
    const probeOf = (room: Observed) => probed(room.health, payment, { tookMs: null, targetMs: 500 }, room)
    const trials = [
      (room: Observed) => sayOf(room, ...failed('one', room.nowMs - 100)),
      (room: Observed) => sayOf(room, cellOf('payment', 'failed', 5, room.nowMs - 100)),
      (room: Observed) => {
        probeOf(room)
        // Visitors are served, but a failed probe outweighs them.
        sayOf(room, ...[100, 120, 150].map(ms => cellOf('payment', 'satisfied', ms, room.nowMs - 100)))
      },
    ]
    for (const trial of trials) {
      const room = dead()
      for (let i = 0; i < 360; i++) {
        trial(room.pass(5_000))
        expect(room.view?.breakers).not.toEqual({})
      }
      expect(room.health.upstreams.payment?.breaker.failures).toBeGreaterThan(4)
    }
  })

  it('is unblocked although a failing visitor asks first', () => {
    const room = dead().pass(31_000)
    for (let i = 0; i < 3; i++) {
      room.nowMs += 5_000
      sayOf(room, ...failed('one', room.nowMs - 4_000))
      room.nowMs += 5_000
      sayOf(room, ...[100, 120, 150].map(ms => cellOf('payment', 'satisfied', ms, room.nowMs - 100)))
    }
    expect(room.view?.breakers).toEqual({})
  })

  it('ignores in its trial the failures of requests sent during its pause', () => {
    const room = dead()
    const stragglers = sids.slice(10, 14).flatMap(sid => failed(sid, room.nowMs + 2_000))
    room.nowMs += 28_000
    sayOf(room, ...stragglers)
    room.pass(3_000)
    expect(room.view?.breakers).toEqual({ payment: 'half-open' })
    expect(room.windows(3, { satisfied: 3 }, 'payment').view?.breakers).toEqual({})
  })

  it('is not blocked by failures from edges whose clocks run ahead, while others are served', () => {
    const room = new Observed()
    for (let second = 0; second < 60; second++) {
      room.nowMs += 1_000
      const good = cellOf('payment', 'satisfied', 100, room.nowMs)
      expect(sayOf(room, good, ...failed(sids[second % 40], room.nowMs + 9_000))).toEqual({})
    }
  })

  it('gets all sessions back little by little after its trial, because they all still want its pages', () => {
    const room = dead()
    expect(room.view).toMatchObject({ breakers: { payment: 'open' }, back: {} })
    room.pass(31_000).windows(3, { satisfied: 3 }, 'payment')
    const sinceMs = room.nowMs
    expect(room.view).toMatchObject({ reason: null, inside: 1, breakers: {}, back: { payment: sinceMs } })
    expect(backShare(sinceMs, sinceMs)).toBe(0.1)
    expect(backShare(sinceMs, sinceMs + 30_000)).toBeCloseTo(0.55)
    expect(room.pass(30_000).view?.back).toEqual({ payment: sinceMs })
    expect(room.pass(30_000).view).toBeNull()
    // A clock that was set back by an hour keeps no session out.
    room.nowMs -= 3_600_000
    expect(room.view).toBeNull()
  })

  it('admits all sessions at once when the operator pins its breaker closed', () => {
    const room = dead().pass(31_000).windows(3, { satisfied: 3 }, 'payment')
    room.rules = rulesOf({ pins: { ratePerMinute: null, sessions: null, breakers: { payment: 'closed' } } })
    expect(room.view).toBeNull()
  })

  it('starts without failures after a trial: old ones do not open its breaker again', () => {
    const room = dead().pass(31_000).windows(3, { satisfied: 3 }, 'payment')
    expect(room.view?.breakers).toEqual({})
    expect(sayOf(room, ...failed(sids[5], room.nowMs))).toEqual({})
  })

  it('is judged differently from the origin: a quiet site is not blocked by a few failures', () => {
    expect(new Observed().windows(3, { failed: 5 }).view?.breakers ?? {}).toEqual({})
  })
})

describe('an origin that is down', () => {
  it('is left alone after two windows: no visitor is admitted, and active sessions are blocked', () => {
    const room = new Observed().windows(2, DOWN)
    expect(room.limits.ratePerMinute).toBe(0)
    expect(room.view).toMatchObject({ reason: 'outage', inside: 0, paused: true, breakers: { origin: 'open' } })
  })

  it('gets a trial of a few sessions after the pause, then all of them little by little', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    expect(room.view).toMatchObject({ breakers: { origin: 'half-open' }, inside: 0.05, paused: true })
    expect(room.limits.ratePerMinute).toBe(12)
    room.windows(3, { satisfied: 3 })
    expect(room.kinds).toContain('breaker-closed')
    expect(room.view?.inside).toBeCloseTo(0.35)
    expect(room.window(GOOD).view?.inside).toBeLessThan(0.75)
    expect(room.windows(21, GOOD).view?.inside ?? 1).toBe(1)
  })

  it('gets back only as many sessions as were tried if its trial was slow', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    room.health.ceiling = { ...room.health.ceiling, sessions: 20 }
    room.windows(5, { satisfied: 1, tolerating: 3 })
    expect(room.kinds).not.toContain('breaker-closed')
    room.window({ satisfied: 3 })
    expect(room.kinds).toContain('breaker-closed')
    // The 40 sessions of the trial, and the first step above them.
    expect(room.limits.totalActiveUsers).toBeGreaterThanOrEqual(40)
    expect(room.limits.totalActiveUsers).toBeLessThan(60)
    expect(room.view?.inside).toBeLessThan(0.075)
  })

  it('lets session time run again once it answers, even while some sessions are blocked', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    expect(room.view?.paused).toBe(true)
    room.windows(3, { satisfied: 3 })
    expect(room.view?.inside).toBeLessThan(1)
    expect(room.view?.paused).toBe(false)
  })

  it('gets fewer sessions as soon as it is slow under the ones that came back', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000).windows(3, { satisfied: 3 }).windows(2, GOOD)
    room.windows(2, SLOW)
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
      hear(room.health, { [cellOf('origin', 'failed', 5, room.nowMs - 3_000)]: 50 }, room.rules, room.nowMs)
      expect(room.pass(0).view?.breakers.origin).toBe('half-open')
      room.window({ failed: 3 })
    }
    expect(pauses).toEqual([30, 60, 120, 240, 300, 300])
  })

  it('is not tried again before the time that its Retry-After asks for', () => {
    const room = new Observed().window(DOWN)
    hear(room.health, { [cellOf('origin', 'retry-after', 120_000, room.nowMs)]: 1 }, room.rules, room.nowMs)
    room.window(DOWN)
    expect(room.pass(100_000).view?.breakers.origin).toBe('open')
    expect(room.pass(40_000).view?.breakers.origin).toBe('half-open')
  })

  it('is tried sooner after three good probes in a row', () => {
    const room = new Observed().windows(2, DOWN).pass(10_000)
    for (const tookMs of [100, null, 100, 100]) room.probe(tookMs)
    expect(room.view?.breakers.origin).toBe('open')
    room.probe(100)
    expect(room.view?.breakers.origin).toBe('half-open')
  })

  it('does not meet all visitors at once after an early trial', () => {
    const room = new Observed().windows(2, DOWN).pass(11_000)
    for (let i = 0; i < 3; i++) room.probe(100)
    room.windows(3, { satisfied: 3 })
    expect(room.view?.breakers).toEqual({})
    expect(room.limits.ratePerMinute).toBeLessThan(0.2 * OPERATOR.ratePerMinute)
  })

  it('lets session time run when its trial has no samples, so that abandoned sessions free their places', () => {
    const room = new Observed().windows(2, DOWN).pass(31_000)
    expect(room.windows(11, {}).view).toMatchObject({ paused: true, breakers: { origin: 'half-open' } })
    expect(room.windows(2, {}).view).toMatchObject({ paused: false, breakers: { origin: 'half-open' } })
  })

  it('leaves a decision for each step with the samples seen, also when the ceiling rises', () => {
    const room = new Observed()
    room.inside = 50
    room.windows(3, GOOD)
    room.inside = 800
    room.windows(2, { frustrated: 100 }).pass(31_000).windows(3, { satisfied: 3 })
    expect(room.decisions.slice(-2)).toMatchObject([
      { did: { kind: 'breaker-closed' }, saw: { samples: 3, apdex: 1 } },
      { did: { kind: 'ceiling-rising', from: 25, to: 280 }, saw: { samples: 3 } },
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
    expect(room.view).toMatchObject({ reason: null, inside: 1, paused: false, breakers: { payment: 'open' } })
    expect(room.limits).toBe(OPERATOR)
  })

  it('that is critical stops admissions when it is down, and leaves active sessions alone', () => {
    const rules = rulesOf({ upstreams: [origin, { ...payment, critical: true }] })
    const room = new Observed(rules).windows(2, DOWN, 'payment')
    expect(room.view).toMatchObject({ reason: 'outage', inside: 1, paused: false, breakers: { payment: 'open' } })
    expect(room.limits.ratePerMinute).toBe(0)
  })

  it('that is critical leaves active sessions alone even after an earlier outage of the origin', () => {
    const rules = rulesOf({ upstreams: [origin, { ...payment, critical: true }] })
    const room = new Observed(rules).windows(2, DOWN).pass(31_000).windows(3, { satisfied: 3 }).windows(40, GOOD)
    room.windows(2, { failed: 50, satisfied: 50 }, 'payment')
    expect(room.view).toMatchObject({ inside: 1, breakers: { payment: 'open' } })
  })

  it('is open to all as soon as its breaker is removed', () => {
    const room = new Observed().windows(2, DOWN, 'payment').pass(31_000)
    expect(room.view?.breakers).toEqual({ payment: 'half-open' })
    room.rules = rulesOf({ upstreams: [origin, { ...payment, openMs: null }] })
    expect(room.pass(1_000).view).toBeNull()
    expect(room.kinds.at(-1)).toBe('breaker-closed')
  })

  it('without a breaker is never blocked', () => {
    const rules = rulesOf({ upstreams: [origin, { ...payment, openMs: null }] })
    expect(new Observed(rules).windows(5, DOWN, 'payment').view).toBeNull()
  })
})

describe('the operator', () => {
  it('sees in shadow mode what would have been done', () => {
    const room = new Observed(rulesOf({ mode: 'shadow' })).windows(2, DOWN)
    expect(room.kinds).toEqual(['breaker-open', 'ceiling-lowered'])
    expect(room.decisions.every(({ enforced }) => !enforced)).toBe(true)
    expect([room.limits, room.view]).toEqual([OPERATOR, null])
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
        expect(room.view).toMatchObject({ reason: 'outage', inside: 0 })
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
    expect([room.pass(1_000).view, room.limits]).toEqual([null, OPERATOR])
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
    expect(room.view?.inside).toBe(1)
  })

  it('overrides decisions with a pin in both directions, but never above the configured limits', () => {
    const pins = { ratePerMinute: 30, sessions: 5_000, breakers: { origin: 'closed', payment: 'open' } } as const
    const room = new Observed(rulesOf({ pins })).windows(2, DOWN)
    expect(room.view).toMatchObject({ inside: 1, breakers: { payment: 'open' } })
    expect(room.limits).toMatchObject({ ratePerMinute: 30, totalActiveUsers: 1_000 })
  })
})

describe('health control', () => {
  const window = fc.constantFrom<Partial<Record<Outcome, number>>>(
    GOOD,
    SLOW,
    DOWN,
    {},
    { failed: 3 },
    { frustrated: 50 },
  )

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
          room.window(room.view?.inside === 0 ? {} : GOOD)
        }
        expect(room.limits).toBe(OPERATOR)
        expect(room.view).toBeNull()
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
            room.window(room.view?.breakers[name] === 'open' ? {} : { satisfied: 1 }, name)
        }
        expect(room.limits).toEqual(room.operator)
      }),
      { numRuns: 60 },
    )
  })
})
