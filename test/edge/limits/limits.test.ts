import { parseDictionary, parseList } from 'structured-headers'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { Env } from '../../../src/settings/env.ts'
import { doorStub, roomStub } from '../../../src/settings/env.ts'
import { OneDoor } from '../../support/workerd/one-door.ts'
import { type Answer, claimsOf, env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterEach(() => {
  vi.useRealTimers()
})

afterAll(settled)

/** Milliseconds in which an isolate looks for idle leases twice, once every two seconds. */
const LOOKED_FOR_IDLE_MS = 4_700

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** A visitor who is already inside, and who asks these isolates in turn. */
async function inside(host = 'limited.test', ...edges: ReturnType<typeof newEdge>[]): Promise<Visitor> {
  const visitor = new Visitor(host, ...(edges.length > 0 ? edges : [newEdge()]))
  await visitor.page('/')
  return visitor
}

async function times(count: number, send: (i: number) => Promise<Answer>): Promise<Answer[]> {
  const answers = []
  for (let i = 0; i < count; i++) answers.push(await send(i))
  return answers
}

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)
const post = (visitor: Visitor) => visitor.data('/login', { method: 'POST', body: '{}' })

describe('a policy', () => {
  it('refuses the requests over its limit, and no others', async () => {
    const visitor = await inside()
    expect(statuses(await times(5, () => post(visitor)))).toEqual([200, 200, 200, 429, 429])
    expect((await visitor.data('/login')).status).toBe(200)
    expect((await visitor.data('/LOGIN', { method: 'POST' })).status).toBe(200)
  })

  it('is one budget over all isolates', async () => {
    const visitor = await inside('limited.test', newEdge(), newEdge(), newEdge())
    const answers = await times(12, () => post(visitor))
    expect(statuses(answers).filter(status => status === 200)).toHaveLength(3)
  })

  it('grants no larger budget to a visitor who shows the ticket again instead of the pass', async () => {
    await roomStub(env, 'replayed').change({ set: { queue_all: true } }, null, 'test')
    await pause(1_100)
    const [one, other] = [newEdge(), newEdge()]
    const early = new Visitor('replayed.test', one)
    await early.page('/')
    const { token: ticket } = early
    expect(claimsOf(ticket)).toHaveProperty('key')
    await roomStub(env, 'replayed').change({ reset: ['queue_all'] }, null, 'test')
    await expect.poll(async () => (await early.page('/')).status, { timeout: 20_000, interval: 500 }).toBe(200)
    const replayed = await times(16, i => {
      const again = new Visitor('replayed.test', i % 2 === 0 ? one : other)
      again.token = ticket
      return post(again)
    })
    expect(statuses(replayed).filter(status => status === 200)).toHaveLength(8)
    expect(statuses(replayed).filter(status => status === 429)).toHaveLength(8)
    // An isolate asks the door as it does for a pass, and remembers a refusal.
    expect(replayed.slice(-6).map(({ objectCalls }) => objectCalls)).toEqual([0, 0, 0, 0, 0, 0])
    expect(statuses(await times(2, () => post(early)))).toEqual([429, 429])
    const same = new Set(
      replayed.filter(({ status }) => status === 200).map(({ atOrigin }) => atOrigin?.headers['waiting-room-session']),
    )
    expect([...same]).toEqual([claimsOf(early.token).sub])
  }, 30_000)

  it('remembers a refusal, and asks no door again before its time', async () => {
    const visitor = await inside()
    await times(4, () => post(visitor))
    const answers = await times(5, () => post(visitor))
    expect(answers.map(({ objectCalls }) => objectCalls)).toEqual([0, 0, 0, 0, 0])
  })

  it('is one budget for all thieves of a pass, while neighbours behind one address have their own', async () => {
    const owner = await inside()
    const thieves = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const thief = new Visitor('limited.test', newEdge())
        thief.token = owner.token
        return post(thief)
      }),
    )
    expect(statuses(thieves).filter(status => status === 200)).toHaveLength(3)
    const edge = newEdge()
    const neighbours = await Promise.all(Array.from({ length: 100 }, () => inside('limited.test', edge)))
    expect(statuses(await Promise.all(neighbours.map(post))).every(status => status === 200)).toBe(true)
  })

  it('with the key session+path counts each path by itself, however it is spelled', async () => {
    const visitor = await inside()
    const paths = ['/item/1', '/item/1', '/item/1', '/item/2', '/item/%31', '/item/1;v=2', '/item/2']
    expect(statuses(await times(paths.length, i => visitor.data(paths[i])))).toEqual([
      200, 200, 429, 200, 429, 429, 200,
    ])
  })

  it.each([
    ...['/login/', '/login//', '//login', '/login/.', '/login%2f', '/login%2F.', '/login%5c', '/login%20', '/%20login'],
    ...['/login.json', '/login.', '/login.json/', '/login;v=1', '/login;/', '/%6cogin', '/%256cogin', '/x/..%2flogin'],
    ...['/login/index.php', '/index.php/login', '/login.php/x', '/login%00', '/login%09'],
  ])('is not evaded by %s', async spelling => {
    const visitor = await inside()
    await times(3, () => post(visitor))
    expect((await visitor.data(spelling, { method: 'POST', body: '{}' })).status).toBe(429)
  })

  it('with a cost charges that cost for each request', async () => {
    const visitor = await inside()
    expect(statuses(await times(4, () => visitor.data('/search')))).toEqual([200, 200, 429, 429])
  })

  it('charges the cost that the origin reports after the answer', async () => {
    const visitor = await inside()
    const costing = (cost: number) => visitor.data('/report', { headers: { 'X-Answer-With': `X-Cost=${cost}` } })
    expect((await costing(9)).status).toBe(200)
    await settled()
    const answers = await times(3, () => costing(1))
    expect(statuses(answers)).toEqual([200, 429, 429])
  })

  it('changes no answer in shadow mode but counts the same refusals, and counts nothing when off', async () => {
    const visitor = await inside()
    const before = (await roomStub(env, 'limited').describe()).figures.limits
    const answers = await times(6, () => visitor.data('/tried'))
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 200])
    expect(answers[5]?.response.headers.get('RateLimit')).not.toContain('tried')
    const counted = async () => {
      const { tried, gone } = (await roomStub(env, 'limited').describe()).figures.limits
      return [
        (tried?.allowed ?? 0) - (before.tried?.allowed ?? 0),
        (tried?.shadow ?? 0) - (before.tried?.shadow ?? 0),
        gone,
      ]
    }
    await settled()
    await visitor.data('/')
    await settled()
    await pause(2_200)
    expect(await counted()).toEqual([2, 4, { allowed: 0, limited: 0, shadow: 0, near: 0, fallback: 0 }])
  })

  it('counts the requests that it allows and those that it refuses', async () => {
    const visitor = await inside()
    const before = (await roomStub(env, 'limited').describe()).figures.limits.login
    await times(5, () => post(visitor))
    await settled()
    await visitor.data('/')
    await settled()
    await pause(2_200)
    const after = (await roomStub(env, 'limited').describe()).figures.limits.login
    expect((after?.allowed ?? 0) - (before?.allowed ?? 0)).toBe(3)
    expect((after?.limited ?? 0) - (before?.limited ?? 0)).toBe(2)
    expect((after?.near ?? 0) - (before?.near ?? 0)).toBeGreaterThan(0)
  })
})

describe('a session that rests', () => {
  it.each([
    [10, 10, 10_050],
    [10, 10, 12_000],
    [5, 5, 5_050],
    [1, 1, 1_050],
  ])('has the whole burst again after the period of a policy of %i in %i s', async (count, period, restMs) => {
    const room = { name: 'rest', host: 'rest.test', total_active_users: 10, new_users_per_minute: 600 }
    const door = new OneDoor({ ...room, rate_limits: [{ name: 'api', match: { paths: ['/api'] }, count, period }] })
    door.permits = 1
    vi.setSystemTime(Date.now())
    const visitor = new Visitor('rest.test', newEdge())
    visitor.bindings = door.bindings
    await visitor.page('/')
    const passed = []
    for (let round = 0; round < 4; round++) {
      const answers = await times(count, () => visitor.data('/api'))
      passed.push(statuses(answers).filter(status => status === 200).length)
      if (round < 3) vi.setSystemTime(Date.now() + restMs)
    }
    expect(passed).toEqual(Array(4).fill(count))
    expect((await visitor.data('/api')).status).toBe(429)
  })
})

describe('object calls', () => {
  it('for sixty requests at once in a fresh isolate are three at most, and the burst is not limited', async () => {
    const visitor = await inside()
    // The clock stands still, so no debt drains meanwhile.
    vi.setSystemTime(Date.now())
    const fresh = new Visitor('limited.test', newEdge())
    fresh.token = visitor.token
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => fresh.send(`/load/${i}.png`, { headers: { Accept: 'image/*' } })),
    )
    expect(statuses(answers)).toEqual(Array(60).fill(200))
    expect(answers.reduce((sum, { objectCalls }) => sum + objectCalls, 0)).toBeLessThanOrEqual(3)
    expect((await fresh.send('/load/61.png', { headers: { Accept: 'image/*' } })).status).toBe(429)
  })

  it('for a page of forty paths with a limit each are three at most, without a fallback', async () => {
    const visitor = await inside('paths.test')
    const fresh = new Visitor('paths.test', newEdge())
    fresh.token = visitor.token
    for (let page = 0; page < 2; page++) {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => fresh.data(`/item/${page}-${i}`)))
      expect(statuses(answers)).toEqual(Array(40).fill(200))
      expect(answers.map(({ response }) => response.headers.get('Waiting-Room-Mode'))).toEqual(Array(40).fill(null))
      expect(answers.reduce((sum, { objectCalls }) => sum + objectCalls, 0)).toBeLessThanOrEqual(3)
    }
  })

  it('of a session are at most sixty in a thousand requests, including those that return leases', async () => {
    const visitor = new Visitor('limited.test', newEdge())
    const calls = counted(visitor)
    for (let page = 0; page < 10; page++) {
      expect((await visitor.page(`/page${page}`)).status).toBe(200)
      const assets = Array.from({ length: 19 }, (_, i) =>
        visitor.send(`/asset${i}`, { headers: { Accept: 'image/*' } }),
      )
      expect(statuses(await Promise.all(assets))).toEqual(Array(19).fill(200))
      // The isolate guesses the lease of the first page. The last page stands for all pages between.
      if (page === 0 || page === 9) await pause(LOOKED_FOR_IDLE_MS)
      vi.setSystemTime(Date.now() + 20_000)
    }
    expect([...calls.keys()].toSorted()).toEqual(['claim', 'renew'])
    expect((calls.get('claim') ?? 0) + (calls.get('renew') ?? 0)).toBeLessThanOrEqual(0.06 * 200)
  })

  it('return what a hurried session left unused', async () => {
    const visitor = new Visitor('limited.test', newEdge())
    const calls = counted(visitor)
    await visitor.page('/')
    for (let i = 0; i < 80; i++) await visitor.send(`/asset${i}`, { headers: { Accept: 'image/*' } })
    const before = calls.get('renew') ?? 0
    expect(before).toBeLessThanOrEqual(3)
    await settled()
    expect(calls.get('renew')).toBe(before + 1)
  })
})

/** Counts the calls, except syncs, that the visitor's edges make to doors, by name. */
function counted(visitor: Visitor): Map<string, number> {
  const calls = new Map<string, number>()
  visitor.bindings = {
    ...env,
    DOOR: {
      getByName: (...args: Parameters<Env['DOOR']['getByName']>) =>
        new Proxy(env.DOOR.getByName(...args), {
          get: (target, name) => {
            if (name !== 'sync') calls.set(String(name), (calls.get(String(name)) ?? 0) + 1)
            return Reflect.get(target, name)
          },
        }),
    },
  } as Env
  return calls
}

describe('a limited answer', () => {
  it('is problem details for a program, with the violated policy and the time to come back', async () => {
    const visitor = await inside()
    const { response, text, status } = (await times(4, () => post(visitor)))[3] as Answer
    expect([status, response.headers.get('Content-Type')]).toEqual([429, 'application/problem+json'])
    expect(JSON.parse(text)).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      'violated-policies': ['login'],
    })
    const seconds = Number(response.headers.get('Retry-After'))
    expect(seconds).toBeGreaterThan(1_190)
    expect(seconds).toBeLessThanOrEqual(1_200)
    // The library `structured-headers` reads the fields as any client would.
    const [policy] = parseList(response.headers.get('RateLimit-Policy') ?? '')
    expect([policy?.[0], Object.fromEntries(policy?.[1] ?? [])]).toEqual(['login', { q: 3, w: 3_600 }])
    const [limit] = parseList(response.headers.get('RateLimit') ?? '')
    expect([limit?.[0], Object.fromEntries(limit?.[1] ?? [])]).toEqual(['login', { r: 0, t: seconds }])
  })

  it('is a page for a person, which works without scripts and reloads by itself', async () => {
    const visitor = await inside()
    // The clock stands still. On a slow machine one more request would be allowed after a second.
    vi.setSystemTime(Date.now())
    const edgeOnly = await times(61, i => visitor.send(`/load/${i}`, { headers: { Accept: 'image/*' } }))
    expect(edgeOnly[60]?.status).toBe(429)
    const { response, text, status } = await visitor.page('/load/again?x=1')
    expect([status, response.headers.get('Content-Type')]).toEqual([429, 'text/html; charset=utf-8'])
    expect(text).toMatch(/You can go on in/)
    expect(text.replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '=')).toMatch(
      /http-equiv="refresh" content="1; url=\/load\/again\?x=1"/,
    )
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    const script = /<script>(.*)<\/script>/s.exec(text)?.[1] ?? ''
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))
    expect(response.headers.get('Content-Security-Policy')).toContain(
      `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`,
    )
  })

  it('reports that a form was not delivered, and does not send it again', async () => {
    const visitor = await inside()
    const answers = await times(4, () => visitor.page('/login', { method: 'POST', body: 'a=b' }))
    expect(answers[3]?.text).toMatch(/has not been delivered/)
    expect(answers[3]?.text).not.toMatch(/http-equiv="refresh"/)
  })
})

describe('an allowed answer', () => {
  it('shows a program what is left, and a page only when little is left', async () => {
    const visitor = await inside()
    await visitor.data('/')
    const { response } = await visitor.data('/search')
    const limits = new Map(parseList(response.headers.get('RateLimit') ?? '').map(([name, more]) => [name, more]))
    expect(limits.get('search')?.get('r')).toBe(6)
    expect(Number(limits.get('session')?.get('r'))).toBeGreaterThan(150)
    expect((await visitor.page('/')).response.headers.has('RateLimit')).toBe(false)
  })

  it('shows a program what is left with its very first answer', async () => {
    const visitor = new Visitor('limited.test', newEdge())
    const { response, objectCalls } = await visitor.data('/search')
    expect(objectCalls).toBe(1)
    expect(response.headers.get('RateLimit')).toBe('"search";r=6;t=1440, "session";r=599;t=1')
  })

  it('has no RateLimit header on a redirect', async () => {
    const visitor = await inside()
    const { response } = await visitor.data('/', { headers: { 'X-Answer-Status': '302' }, redirect: 'manual' })
    expect([response.status, response.headers.has('RateLimit')]).toEqual([302, false])
  })

  it('uses the older draft of the header where the room is set to it', async () => {
    await roomStub(env, 'turned').change({ set: { rate_limit_headers: { version: 'draft-7' } } }, null, 'test')
    const visitor = await inside('turned.test')
    await visitor.data('/api')
    const { response } = await visitor.data('/api')
    const fields = parseDictionary(response.headers.get('RateLimit') ?? '')
    expect([fields.get('limit')?.[0], fields.get('remaining')?.[0]]).toEqual([10, 8])
  })
})

describe('requeue', () => {
  it('ends the session, gives a place at the back, and reports why', async () => {
    const visitor = await inside()
    const { sub } = claimsOf(visitor.token)
    const [, , third] = await times(3, () => visitor.data('/grab'))
    expect(third?.status).toBe(503)
    expect(JSON.parse(third?.text ?? '{}')).toMatchObject({ requeued: true, 'violated-policies': ['grab'] })
    const ticket = claimsOf(visitor.token)
    expect(ticket).toMatchObject({ cnf: false })
    expect(ticket.sub).not.toBe(sub)
    expect(await doorStub(env, 'limited', String(sub).split('.')[0] ?? '').session(String(sub))).toMatchObject({
      ended: 'revoked',
    })
  })

  it('gives no new budget before the old one is whole again, even in an open room', async () => {
    const visitor = await inside()
    const answers = await times(20, () => visitor.data('/grab'))
    expect(statuses(answers).filter(status => status === 200)).toHaveLength(2)
    const { key } = claimsOf(visitor.token)
    expect(Number(key) - Date.now()).toBeGreaterThan(9 * 60_000)
  })

  it('explains itself to a person on the waiting page', async () => {
    const visitor = await inside()
    const [, , third] = await times(3, () => visitor.page('/grab'))
    expect(third?.text).toMatch(/your visit has ended and this is a new place in line/)
  })
})

describe('max_concurrent', () => {
  it('limits one session at one isolate while the origin has not answered', async () => {
    const edge = newEdge()
    const visitor = await inside('single.test', edge)
    await visitor.data('/')
    const answers = await Promise.all(Array.from({ length: 6 }, () => visitor.data('/slow')))
    expect(statuses(answers).toSorted()).toEqual([200, 200, 429, 429, 429, 429])
    const refused = answers.find(({ status }) => status === 429)
    expect(JSON.parse(refused?.text ?? '{}')['violated-policies']).toEqual(['concurrent'])
    expect((await visitor.data('/')).status).toBe(200)
    expect((await (await inside('single.test', edge)).data('/')).status).toBe(200)
  })
})

describe('a door that does not answer', () => {
  /** Bindings whose doors answer a renewal only after `until` has resolved. */
  function slow(until: () => Promise<unknown>): Env {
    return {
      ...env,
      DOOR: {
        getByName: (...args: Parameters<Env['DOOR']['getByName']>) => {
          const door = env.DOOR.getByName(...args)
          return new Proxy(door, {
            get: (target, name) =>
              name === 'renew'
                ? async (...more: Parameters<typeof door.renew>) => {
                    await until()
                    return target.renew(...more)
                  }
                : Reflect.get(target, name),
          })
        },
      },
    } as Env
  }

  it('within 150 ms does not delay the request, which goes on under the limit of the isolate alone', async () => {
    let hanging: Promise<void> | undefined
    const visitor = await inside()
    visitor.bindings = slow(async () => hanging)
    await visitor.data('/')
    const { promise, resolve } = Promise.withResolvers<void>()
    hanging = promise
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(visitor)))
    expect(statuses(answers).filter(status => status === 200)).toHaveLength(3)
    // Waiting-Room-Mode would report a door that was given up on. No request has waited that long.
    expect(answers.map(({ response }) => response.headers.get('Waiting-Room-Mode'))).toEqual(Array(8).fill(null))
    resolve()
    await settled()
    // The requests that went on meanwhile have been charged by then.
    hanging = undefined
    expect((await post(visitor)).status).toBe(429)
  })

  it('lets no more requests on at once than allowed, and counts no ended request as under way', async () => {
    const { token } = await inside('single.test')
    const visitor = new Visitor('single.test', newEdge())
    visitor.token = token
    visitor.bindings = slow(() => pause(700))
    const slowly = { headers: { 'X-Answer-After-Ms': '300' } }
    const answers = await Promise.all(Array.from({ length: 6 }, () => visitor.data('/', slowly)))
    expect(statuses(answers).toSorted()).toEqual([200, 200, 429, 429, 429, 429])
    await settled()
    expect((await visitor.data('/')).status).toBe(200)
  })
})

describe('a live change', () => {
  it('keeps debts, and is in force within two seconds', async () => {
    await roomStub(env, 'turned').change({ reset: 'all' }, null, 'test')
    const visitor = await inside('turned.test')
    const asked = (count: number) => times(count, () => visitor.data('/api'))
    expect(statuses(await asked(4))).toEqual([200, 200, 200, 200])
    const policy = { name: 'api', match: { paths: ['/api'] }, count: 20, period: 3600, burst: 6 }
    await roomStub(env, 'turned').change({ set: { rate_limits: [policy] } }, null, 'test')
    await pause(1_900)
    await visitor.data('/')
    await settled()
    const answers = await asked(4)
    expect(statuses(answers).filter(status => status === 200).length).toBeLessThanOrEqual(2)
    expect(answers.at(-1)?.status).toBe(429)
  }, 20_000)
})
