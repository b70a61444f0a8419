/** The limiters compared, over the same isolates. Each is set up as its users do: its defaults are not changed. */
import { Ratelimit } from '@upstash/ratelimit'
import { Context } from 'hono'
import { type ClientRateLimitInfo, MemoryStore, RedisStore, rateLimiter } from 'hono-rate-limiter'
import type { Redis } from 'ioredis'
import { quotaOf } from '../../src/core/gcra.ts'
import type { Promised } from './oracle.ts'
import { Ours } from './ours.ts'
import { Scripts } from './redis.ts'

export interface Limiter {
  readonly name: string
  readonly promised: Promised
  check(session: string, isolate: number, nowMs: number): boolean | Promise<boolean>
  /** Calls to the store so far. */
  calls(): number
  /** The number of refusals that token leases do not explain; null for a limiter without token leases. */
  beyondGrain(): number | null
}

export interface Policy {
  readonly count: number
  readonly periodMs: number
  readonly burst: number
}

export const OURS = 'antesala'

export interface Setting {
  readonly redis: Redis
  readonly isolates: number
  readonly policy: Policy
  /** `clock`: keys end by the virtual time of each decision. `redis`: keys end by the time of Redis, in a race. */
  readonly keysEndBy: 'redis' | 'clock'
}

/** One new limiter of each kind, without any state. */
export function limitersOf(setting: Setting): Limiter[] {
  const { count, periodMs, burst } = setting.policy
  const window: Promised = { kind: 'window', count, periodMs }
  const bucket: Promised = { kind: 'bucket', quota: quotaOf(count, periodMs, burst) }
  const tokenMs = periodMs / count
  return [
    ours(setting, bucket),
    upstash(setting, 'fixed window', window, () => Ratelimit.fixedWindow(count, `${periodMs} ms`)),
    upstash(setting, 'sliding window', window, () => Ratelimit.slidingWindow(count, `${periodMs} ms`)),
    upstash(setting, 'token bucket', bucket, () => Ratelimit.tokenBucket(1, `${tokenMs} ms`, burst)),
    honoInMemory(setting, window),
    honoInRedis(setting, window),
  ]
}

/** In a race each call to the door is a round trip on the Redis connection that the other limiters use. */
function ours({ redis, isolates, policy, keysEndBy }: Setting, promised: Promised): Limiter {
  const hop = keysEndBy === 'redis' ? (message: string) => redis.echo(message) : null
  const limits = new Ours(quotaOf(policy.count, policy.periodMs, policy.burst), isolates, hop)
  return {
    name: OURS,
    promised,
    check: (session, isolate, nowMs) => limits.check(session, isolate, nowMs),
    calls: () => limits.calls,
    beyondGrain: () => limits.beyondGrain,
  }
}

/** The library remembers refusals in each isolate separately. */
function upstash(
  { redis, isolates, keysEndBy }: Setting,
  name: string,
  promised: Promised,
  algorithm: () => ReturnType<typeof Ratelimit.fixedWindow>,
): Limiter {
  const scripts = new Scripts(redis, keysEndBy)
  // The library's type requires client commands that the library never sends.
  const client = scripts as unknown as ConstructorParameters<typeof Ratelimit>[0]['redis']
  const prefix = `${name}/${keysEndBy}`
  const copies = Array.from(
    { length: isolates },
    () => new Ratelimit({ redis: client, limiter: algorithm(), prefix, enableTelemetry: false }),
  )
  return {
    name: `@upstash/ratelimit, ${name}`,
    promised,
    check: async (session, isolate) => ((await copies[isolate]?.limit(session)) ?? { success: false }).success,
    calls: () => scripts.calls,
    beyondGrain: () => null,
  }
}

/** Each isolate counts separately: memory stores share nothing. */
function honoInMemory({ isolates, policy }: Setting, promised: Promised): Limiter {
  const copies = Array.from({ length: isolates }, () => checkByHono(policy, new MemoryStore()))
  return {
    name: 'hono-rate-limiter, memory',
    promised,
    check: (session, isolate) => copies[isolate]?.(session) ?? false,
    calls: () => 0,
    beyondGrain: () => null,
  }
}

function honoInRedis({ redis, policy, keysEndBy }: Setting, promised: Promised): Limiter {
  const scripts = new Scripts(redis, keysEndBy)
  // The library's type requires client commands that the library never sends.
  const client = scripts as unknown as ConstructorParameters<typeof RedisStore>[0]['client']
  const check = checkByHono(policy, new RedisStore({ client, prefix: `hono/${keysEndBy}/` }))
  return {
    name: 'hono-rate-limiter, Redis',
    promised,
    check,
    calls: () => scripts.calls,
    beyondGrain: () => null,
  }
}

interface HonoStore {
  increment(key: string): ClientRateLimitInfo | Promise<ClientRateLimitInfo>
  decrement(key: string): void | Promise<void>
  resetKey(key: string): void | Promise<void>
}

/** The middleware itself, in a context without an app around it. */
function checkByHono({ count, periodMs }: Policy, store: HonoStore): (session: string) => Promise<boolean> {
  let session = ''
  const limit = rateLimiter({ windowMs: periodMs, limit: count, keyGenerator: () => session, store })
  const request = new Request('http://localhost/')
  return async key => {
    // The middleware reads this before its first wait.
    session = key
    let isAllowed = false
    await limit(new Context(request), async () => {
      isAllowed = true
    })
    return isAllowed
  }
}
