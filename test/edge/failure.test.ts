import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Env } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

/** Bindings whose doors fail as the platform fails, while `broken` is true. */
function fragile(): Env & { broken: boolean } {
  const bindings = {
    ...env,
    broken: false,
    DOOR: {
      getByName: (...args: Parameters<Env['DOOR']['getByName']>) => {
        if (bindings.broken)
          throw Object.assign(new Error('internal error; reference = abc'), { retryable: true, remote: false })
        return env.DOOR.getByName(...args)
      },
    },
  }
  return bindings
}

function visitorOf(bindings: Env, host: string, edge = newEdge()): Visitor {
  return Object.assign(new Visitor(host, edge), { bindings })
}

afterEach(async () => {
  vi.useRealTimers()
  await settled()
})

describe('while the door cannot be reached', () => {
  it('a pass goes through, and a newcomer waits on a page without any trace of the failure', async () => {
    const bindings = fragile()
    const edge = newEdge()
    const inside = visitorOf(bindings, 'wide.test', edge)
    await inside.page()
    bindings.broken = true
    const { status, response } = await inside.page()
    expect([status, response.headers.get('Waiting-Room-Mode')]).toEqual([200, 'fallback'])

    const newcomer = visitorOf(bindings, 'wide.test', edge)
    const refused = await newcomer.page()
    expect(refused.atOrigin).toBeNull()
    expect(refused.status).toBe(503)
    expect(refused.response.headers.has('Retry-After')).toBe(true)
    expect(refused.text).not.toMatch(/internal error|reference = | {4}at /)

    bindings.broken = false
    await new Promise(resolve => setTimeout(resolve, 1_100))
    expect((await newcomer.page()).status).toBe(200)
  })

  it('a door that hangs is asked once, not for every newcomer', async () => {
    let claims = 0
    const DOOR: Env['DOOR'] = {
      getByName: (...args) =>
        new Proxy(env.DOOR.getByName(...args), {
          get: (door, name) => (name === 'claim' ? () => new Promise<never>(() => claims++) : Reflect.get(door, name)),
        }),
    }
    const edge = newEdge()
    vi.setSystemTime(Date.now())
    for (let i = 0; i < 3; i++) {
      const { status, atOrigin } = await visitorOf({ ...env, DOOR }, 'leaving.test', edge).page()
      expect([status, atOrigin]).toEqual([503, null])
    }
    expect(claims).toBe(1)
  }, 15_000)

  it('an isolate that has never seen the room still gives a place', async () => {
    const bindings = fragile()
    bindings.broken = true
    const visitor = visitorOf(bindings, 'wide.test')
    const { status, text, response } = await visitor.data()
    expect(status).toBe(503)
    expect(JSON.parse(text)).toMatchObject({ state: 'waiting', position: null })
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(visitor.token).not.toBe('')
  })

  it('a place that was given meanwhile is valid for polls and pages when the doors are back', async () => {
    for (const asks of ['poll', 'page'] as const) {
      const bindings = fragile()
      bindings.broken = true
      const visitor = visitorOf(bindings, 'held.test')
      await visitor.page()
      const { sub, key, gen } = claimsOf(visitor.token)
      expect(gen).toBe(0)
      bindings.broken = false
      await new Promise(resolve => setTimeout(resolve, 6_100))
      if (asks === 'poll') expect((await visitor.poll()).place.state).toMatch(/^(waiting|called)$/)
      else expect((await visitor.page()).text).toContain('You are in line')
      const after = claimsOf(visitor.token)
      expect(after).toMatchObject({ sub, key })
      expect(after.gen).toBeGreaterThan(0)
    }
  }, 30_000)

  it('an expired pass is not accepted', async () => {
    const bindings = fragile()
    const edge = newEdge()
    const visitor = visitorOf(bindings, 'wide.test', edge)
    await visitor.page()
    bindings.broken = true
    vi.setSystemTime(Date.now() + 120_000)
    expect((await visitor.page()).atOrigin).toBeNull()
  })

  it('one session cannot use the fallback without limit', async () => {
    const bindings = fragile()
    const edge = newEdge()
    const visitor = visitorOf(bindings, 'wide.test', edge)
    await visitor.page()
    bindings.broken = true
    // The clock stands still. On a slow machine more requests would be allowed as time passes.
    vi.setSystemTime(Date.now())
    const { token } = visitor
    const statuses = []
    for (let i = 0; i < 640; i++) statuses.push((await visitor.page()).status)
    expect(statuses.filter(status => status === 200).length).toBeLessThanOrEqual(600)
    expect(statuses.slice(0, 500).every(status => status === 200)).toBe(true)
    // The session is asked to slow down, and is kept.
    expect(statuses.at(-1)).toBe(429)
    expect(visitor.token).toBe(token)
  })

  it('for a minute, on_room_failure = "admit" lets a bounded few in, with passes of a minute', async () => {
    const bindings = fragile()
    bindings.broken = true
    const edge = newEdge()
    const visitor = () => visitorOf(bindings, 'admitting.test', edge)
    const startMs = Date.now()
    vi.setSystemTime(startMs)
    expect((await visitor().page()).atOrigin).toBeNull()
    vi.setSystemTime(startMs + 59_000)
    expect((await visitor().page()).atOrigin).toBeNull()
    vi.setSystemTime(startMs + 62_000)
    const first = visitor()
    const { status, response } = await first.page()
    expect([status, response.headers.get('Waiting-Room-Mode')]).toEqual([200, 'fallback'])
    const { exp, iat } = claimsOf(first.token) as { exp: number; iat: number }
    expect(exp - iat).toBeLessThanOrEqual(60)
    const others = await Promise.all(Array.from({ length: 20 }, () => visitor().page()))
    expect(others.filter(({ atOrigin }) => atOrigin).length).toBe(0)
  })
})

describe('an invalid configuration', () => {
  it.each([
    ['no keys', { ROOM_KEYS: '' }],
    ['rooms that are wrong', { ROOMS: [{ name: 'x' }] }],
    ['an origin that is none', { ORIGIN: 'shop' }],
  ])('with %s serves nothing and reveals nothing', async (_what, wrong) => {
    const visitor = new Visitor('wide.test', newEdge())
    visitor.bindings = { ...env, ...wrong } as Env
    const { status, text, response } = await visitor.page()
    expect([status, response.headers.get('Content-Type')]).toEqual([503, 'application/problem+json'])
    expect(response.headers.has('Retry-After')).toBe(true)
    expect(text).not.toMatch(/ROOM|ORIGIN|must/)
  })
})

describe('an observed room', () => {
  it('lets every visitor through and counts those who would have waited', async () => {
    const edge = newEdge()
    const answers = []
    for (let i = 0; i < 5; i++) answers.push(await new Visitor('observed.test', edge).page())
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(answers.filter(({ response }) => response.headers.get('Waiting-Room-Mode') === 'observe').length).toBe(4)
  })
})
