import { describe, expect, it } from 'vitest'
import { quotaOf } from '../../src/core/gcra.ts'
import { type Limiter, limitersOf, OURS } from './limiters.ts'
import { MessageLog } from './message-log.ts'
import { Oracle, type Promised } from './oracle.ts'
import { withRedis } from './redis.ts'
import { type Exactness, judge, race } from './run.ts'
import { type Request, trafficOf } from './traffic.ts'

const POLICY = { count: 60, periodMs: 60_000, burst: 20 }
/** A minute of the clock begins here, and so does a fixed window. */
const MINUTE_MS = 1_790_000_040_000

/** Returns the outcome of the traffic for each limiter. */
async function judged(traffic: readonly Request[], isolates = 4): Promise<Map<string, Exactness>> {
  return withRedis(async redis => {
    const outcomes = new Map<string, Exactness>()
    for (const limiter of limitersOf({ redis, isolates, policy: POLICY, keysEndBy: 'clock' }))
      outcomes.set(limiter.name, await judge(limiter, traffic))
    return outcomes
  })
}

const requests = (count: number, atMs: number, isolate = (_: number) => 0): Request[] =>
  Array.from({ length: count }, (_, i) => ({ atMs: atMs + i, session: 'one', isolate: isolate(i) }))

const allowed = (outcomes: Map<string, Exactness>) =>
  Object.fromEntries([...outcomes].map(([name, outcome]) => [name, outcome.allowed]))

describe('the same bursty traffic at four isolates', () => {
  it('never exceeds the promise of our limiter, and is refused early only by the grain of leases', async () => {
    const outcomes = await judged(trafficOf({ sessions: 8, seconds: 300, isolates: 4, seed: 7 }))
    const ours = outcomes.get(OURS)
    expect(ours).toMatchObject({ over: 0, beyondGrain: 0 })
    expect(ours?.worstShare).toBeLessThanOrEqual(1)
    expect(ours?.allowed).toBeGreaterThan(500)
    expect(ours?.decisions).toBeGreaterThan(ours?.allowed ?? 0)
    const over = (name: string) => outcomes.get(name)?.over ?? 0
    expect(over('@upstash/ratelimit, fixed window')).toBeGreaterThan(0)
    expect(over('@upstash/ratelimit, sliding window')).toBeGreaterThan(0)
    expect(over('hono-rate-limiter, memory')).toBeGreaterThan(0)
    expect(outcomes.get('@upstash/ratelimit, token bucket')?.worstShare).toBeLessThan(1.1)
  }, 60_000)

  it('costs our limiter fewer calls per request than a token bucket in Redis', async () => {
    const outcomes = await judged(trafficOf({ sessions: 8, seconds: 120, isolates: 4, seed: 3 }))
    const perRequest = (name: string) => {
      const { calls = 0, decisions = 1 } = outcomes.get(name) ?? {}
      return calls / decisions
    }
    expect(perRequest('hono-rate-limiter, Redis')).toBe(1)
    expect(perRequest('hono-rate-limiter, memory')).toBe(0)
    expect(perRequest(OURS)).toBeGreaterThan(0)
    expect(perRequest(OURS)).toBeLessThan(perRequest('@upstash/ratelimit, token bucket'))
  }, 60_000)

  it('is decided by all limiters in a race', async () => {
    const traffic = trafficOf({ sessions: 4, seconds: 120, isolates: 2, seed: 5 })
    const rates = await withRedis(async redis => {
      const limiters = limitersOf({ redis, isolates: 2, policy: POLICY, keysEndBy: 'redis' })
      const rates = await race(limiters, traffic, 2)
      for (const limiter of limiters)
        expect([limiter.name, limiter.calls() > 0]).toEqual([limiter.name, !isInMemory(limiter)])
      return rates
    })
    expect([...rates.values()].every(rate => rate > 0)).toBe(true)
    expect(rates.size).toBe(6)
  }, 60_000)
})

const isInMemory = ({ name }: Limiter) => name.endsWith('memory')

describe('other limiters', () => {
  it('let twice the count pass across the border of a fixed window', async () => {
    const traffic = [...requests(70, MINUTE_MS + 59_000), ...requests(70, MINUTE_MS + 60_000)]
    expect(allowed(await judged(traffic))).toEqual({
      // The burst allows 20 requests, and within the second one more token becomes free.
      [OURS]: 21,
      '@upstash/ratelimit, fixed window': 120,
      // This limiter still counts nearly all requests of the previous window.
      '@upstash/ratelimit, sliding window': 61,
      '@upstash/ratelimit, token bucket': 21,
      // The windows of these limiters begin with the first request.
      'hono-rate-limiter, memory': 60,
      'hono-rate-limiter, Redis': 60,
    })
  })

  it('let the count pass at each isolate with a memory store', async () => {
    const outcomes = allowed(await judged(requests(400, MINUTE_MS, i => i % 4)))
    expect(outcomes['hono-rate-limiter, memory']).toBe(240)
    expect(outcomes['hono-rate-limiter, Redis']).toBe(60)
    expect(outcomes[OURS]).toBe(20)
  })

  it('end their keys by the clock of the traffic', async () => {
    const outcomes = allowed(
      await judged([
        ...requests(61, MINUTE_MS),
        ...requests(61, MINUTE_MS + 59_999),
        ...requests(61, MINUTE_MS + 120_000),
      ]),
    )
    expect(outcomes['hono-rate-limiter, Redis']).toBe(60 + 60 + 60)
  })
})

describe('the oracle', () => {
  const judgements = (promised: Promised, ...decisions: [atMs: number, allowed: boolean][]) => {
    const oracle = new Oracle(promised)
    for (const [atMs, isAllowed] of decisions) oracle.judge('one', isAllowed, atMs)
    const { over, refusedWrongly } = oracle.judgement
    return [over, refusedWrongly]
  }
  const window: Promised = { kind: 'window', count: 2, periodMs: 1_000 }
  const bucket: Promised = { kind: 'bucket', quota: quotaOf(1, 1_000, 2) }

  it('counts requests beyond the promise of a window, and requests refused although there was room', () => {
    expect(judgements(window, [0, true], [1, true], [999, false], [1_000, true])).toEqual([0, 0])
    expect(judgements(window, [0, true], [1, true], [999, true], [1_000, false])).toEqual([1, 0])
    expect(judgements(window, [0, true], [1, false])).toEqual([0, 1])
  })

  it('counts the same for a bucket, in any window', () => {
    expect(judgements(bucket, [0, true], [1, true], [999, false], [1_000, true], [1_001, false])).toEqual([0, 0])
    expect(judgements(bucket, [0, true], [1, true], [999, true])).toEqual([1, 0])
  })

  it('counts each mistake once', () => {
    expect(judgements(window, [0, true], [1, false], [2, false], [3, false])).toEqual([0, 1])
  })
})

describe('a log of the requests to a door', () => {
  it('finds a refusal that nothing explains', () => {
    const log = new MessageLog(quotaOf(60, 60_000, 10))
    const ask = { lease: 'a', nth: 1, policy: 'p', bucket: 'p', used: 0, has: 0, want: 1, least: 1, spare: 0 }
    const granted = { tokens: 10, remaining: 0, retryAfterMs: 0 }
    const refused = { tokens: 0, remaining: 0, retryAfterMs: 1_000 }
    expect(log.add({ ...ask, want: 10 }, granted, 0)).toBe(false)
    expect(log.add({ ...ask, lease: 'b' }, refused, 10_999)).toBe(false)
    expect(log.add({ ...ask, lease: 'b', nth: 2 }, refused, 12_000)).toBe(true)
  })
})
