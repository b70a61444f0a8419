import { describe, expect, it } from 'vitest'
import { type House, keepHouse, type Played } from '../../tools/health/house.ts'

const TIMEOUT_MS = 120_000
const well = () => 'answers' as const
const open: Omit<House, 'origin'> = {
  seed: 1,
  seconds: 600,
  operator: { ratePerMinute: 120, totalActiveUsers: 1_000 },
  sessionSeconds: 300,
  arrived: () => 100_000,
  staySeconds: 1e6,
  isolates: 2,
  thinkSeconds: [2, 10],
}

function admittedIn({ seconds }: Played, from: number, until: number): number {
  return seconds.slice(from, until).reduce((sum, second) => sum + second.admitted, 0)
}

const CRASH_SECOND = 100

/**
 * An origin with answers of 5 ms is killed while 64 of 1,000 visitors are inside, and three quarters of them leave.
 * Then 120 visitors a minute want to come in. `moment` picks one of ten times at which the origin dies. Each of these
 * lies at another point of the windows of the room and of the edges.
 */
function crash(downSeconds: number, sessionSeconds: number, moment: number, thinkSeconds: House['thinkSeconds']) {
  const at = CRASH_SECOND + moment / 2
  const played = keepHouse({
    ...open,
    seed: moment + 1,
    seconds: CRASH_SECOND + (downSeconds < 60 ? 240 : 340),
    sessionSeconds,
    thinkSeconds,
    windowsApartMs: (moment * 1_300) % 5_000,
    arrived: second => (second < at ? Math.min(64, second) : 100_000),
    origin: second => (second >= at && second < at + downSeconds ? 'refuses' : 'answers'),
    leave: { atSecond: Math.ceil(at), share: 0.75 },
  })
  const opened = played.seconds.findLast(({ breaker }) => breaker === 'open')?.second ?? 0
  return { played, trial: Math.ceil(Math.max(opened + 1, at + downSeconds)) }
}

const MOMENTS = Array.from({ length: 10 }, (_, moment) => moment)

describe('a room whose origin crashes and comes back', { timeout: TIMEOUT_MS }, () => {
  it.each([
    { downSeconds: 5, visitors: 'read', thinkSeconds: [2, 10] as const },
    { downSeconds: 5, visitors: 'click', thinkSeconds: [1, 2] as const },
    { downSeconds: 14, visitors: 'read', thinkSeconds: [2, 10] as const },
    { downSeconds: 14, visitors: 'click', thinkSeconds: [1, 2] as const },
    { downSeconds: 32, visitors: 'read', thinkSeconds: [2, 10] as const },
    { downSeconds: 32, visitors: 'click', thinkSeconds: [1, 2] as const },
    { downSeconds: 90, visitors: 'read', thinkSeconds: [2, 10] as const },
    { downSeconds: 90, visitors: 'click', thinkSeconds: [1, 2] as const },
  ])(
    'moves its line again, and holds no visitor for long, after $downSeconds s in which they $visitors',
    ({ downSeconds, thinkSeconds }) => {
      for (const sessionSeconds of [120, 300, 900])
        for (const moment of MOMENTS) {
          const { played, trial } = crash(downSeconds, sessionSeconds, moment, thinkSeconds)
          const label = `sessions of ${sessionSeconds} s, moment ${moment}`
          expect(admittedIn(played, trial, trial + 30), label).toBeGreaterThan(0)
          expect(admittedIn(played, trial + 120, trial + 180), label).toBeGreaterThanOrEqual(115)
          const lastBlocked =
            played.seconds.findLast(({ second, blocked }) => second > trial && blocked > 0)?.second ?? trial
          expect(lastBlocked - trial, label).toBeLessThanOrEqual(90)
          // The origin was quick until it died, so visitors have not overrun it, and it needs no ceiling.
          expect(
            played.seconds.filter(({ ceiling }) => ceiling !== null),
            label,
          ).toEqual([])
        }
    },
  )
})

describe('sessions that ask only for one broken address', { timeout: TIMEOUT_MS }, () => {
  it.each([
    { inside: 20, isolates: 1 },
    { inside: 20, isolates: 8 },
    { inside: 200, isolates: 1 },
    { inside: 200, isolates: 8 },
    { inside: 2_000, isolates: 1 },
    { inside: 2_000, isolates: 8 },
  ])(
    'cost no admission and open no breaker among $inside at $isolates isolates, and their address is named',
    ({ inside, isolates }) => {
      for (const brokenShare of [0.03, 0.1, 0.5]) {
        const played = keepHouse({
          ...open,
          seconds: 300,
          operator: { ratePerMinute: 6_000, totalActiveUsers: 10 * inside },
          arrived: second => Math.min(inside, second * inside) + Math.floor(second / 60),
          thinkSeconds: [1, 3],
          isolates,
          brokenShare,
          origin: well,
        })
        expect(
          played.seconds.every(({ breaker, totalActiveUsers: total }) => breaker === 'closed' && total === 10 * inside),
        ).toBe(true)
        expect(played.seconds.reduce((sum, second) => sum + second.admitted, 0)).toBeGreaterThanOrEqual(inside + 3)
        const kinds = played.steps.map(({ did }) => did.kind)
        expect(kinds.every(kind => kind === 'feature-broken')).toBe(true)
        const patterns = played.steps.flatMap(({ did }) => (did.kind === 'feature-broken' ? did.patterns : []))
        expect([brokenShare, [...new Set(patterns)]]).toEqual([brokenShare, ['/report/yearly']])
      }
    },
  )
})

describe('visitors who give up', { timeout: TIMEOUT_MS }, () => {
  it('after one second show that the origin hangs', () => {
    const played = keepHouse({
      ...open,
      arrived: second => Math.min(100, second),
      givesUpMs: 1_000,
      origin: second => (second >= CRASH_SECOND ? 'hangs' : 'answers'),
    })
    const opened = played.seconds.find(({ breaker }) => breaker === 'open')?.second ?? Number.POSITIVE_INFINITY
    expect(opened - CRASH_SECOND).toBeLessThanOrEqual(20)
  })
})

describe('visitors who have left without a word', { timeout: TIMEOUT_MS }, () => {
  it.each([
    { room: 'runs on', restartSecond: 0 },
    { room: 'is started again', restartSecond: 358 },
  ])('keep no one out below a ceiling, and the total still holds, when the room $room', ({ restartSecond }) => {
    const total = 1_000
    const at = 300
    const from = at + 125
    const played = keepHouse({
      ...open,
      seconds: 900,
      sessionSeconds: 900,
      operator: { ratePerMinute: 120, totalActiveUsers: total },
      arrived: second => (second < at ? Math.min(300, second * 2) : 100_000),
      // Most visitors leave without a word. The origin is slow for a while, so a ceiling comes, and stays.
      leave: { atSecond: at + 60, share: 0.95 },
      slow: second => second >= at && second < at + 40,
      origin: well,
      restartSecond,
    })
    expect(played.steps.some(({ did }) => did.kind === 'ceiling-lowered')).toBe(true)
    expect(played.seconds.every(({ inside }) => inside <= total)).toBe(true)
    // Three hundred are inside, and 120 a minute come in below a ceiling of fewer.
    expect(played.seconds[from]?.there).toBeLessThan(200)
    expect(admittedIn(played, from, from + 60)).toBeGreaterThan(60)
  })
})

describe('edges of a version in which sessions did not vote, beside others', { timeout: TIMEOUT_MS }, () => {
  const mixed: Omit<House, 'origin'> = {
    ...open,
    arrived: second => (second < 60 ? Math.min(300, second * 10) : 100_000),
    operator: { ratePerMinute: 600, totalActiveUsers: 1_000 },
    isolates: 8,
    old: { isolates: 4, untilSecond: 300 },
  }

  it('let no visitor in beyond the ceiling, for the five minutes of a rollout and after them', () => {
    const { seconds, steps } = keepHouse({
      ...mixed,
      staySeconds: 240,
      slow: second => second >= 60 && second < 100,
      origin: well,
    })
    expect(steps.map(({ did }) => did.kind)).toContain('ceiling-lowered')
    const under = seconds.filter(({ ceiling, admitted }) => ceiling !== null && admitted > 0)
    expect(under.length).toBeGreaterThan(10)
    expect(under.filter(({ ceiling, present }) => present > (ceiling ?? 0))).toEqual([])
    expect(seconds.every(({ inside }) => inside <= mixed.operator.totalActiveUsers)).toBe(true)
  })

  it('do not keep a room from noticing within 20 s that its origin is down', () => {
    const { seconds } = keepHouse({ ...mixed, origin: second => (second >= CRASH_SECOND ? 'refuses' : 'answers') })
    const opened = seconds.find(({ breaker }) => breaker === 'open')?.second ?? Number.POSITIVE_INFINITY
    expect(opened - CRASH_SECOND).toBeLessThanOrEqual(20)
    const stopped = seconds.filter(({ second, breaker }) => second > opened && breaker === 'open')
    expect(stopped.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(0)
  })
})
