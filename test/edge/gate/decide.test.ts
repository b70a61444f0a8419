import { afterEach, describe, expect, it, vi } from 'vitest'
import { Door } from '../../../src/door/door.ts'
import { roomStub } from '../../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterEach(async () => {
  vi.useRealTimers()
  await settled()
})

describe('an idle open room', () => {
  it('lets the very first visitor in at once, with a pass', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    const { status, atOrigin, response } = await visitor.page('/hello?x=1')
    expect(status).toBe(200)
    expect(atOrigin?.url).toBe('http://origin.test/hello?x=1')
    expect(response.headers.get('Set-Cookie')).toMatch(
      /^__Host-antesala-wide=\S+; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure$/,
    )
    expect(response.headers.get('Cache-Control')).toBe('private, no-store')
  })

  it.each([
    ['a POST', '/order', { method: 'POST', body: 'one tea' }],
    ['a call like a webhook', '/hook', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } }],
    ['an image', '/logo.png', { headers: { Accept: 'image/avif,image/*', 'Sec-Fetch-Dest': 'image' } }],
    ['a HEAD', '/', { method: 'HEAD' }],
  ])('lets %s through', async (_what, path, init) => {
    const { status, response } = await new Visitor('wide.test', newEdge()).send(path, init)
    expect(status).toBe(200)
    expect(response.headers.get('Set-Cookie')).toContain('__Host-antesala-wide=')
  })

  it('lets a CORS preflight through without a session', async () => {
    const headers = { Origin: 'https://elsewhere.test', 'Access-Control-Request-Method': 'PUT' }
    const { atOrigin, response } = await new Visitor('wide.test', newEdge()).send('/api', {
      method: 'OPTIONS',
      headers,
    })
    expect(atOrigin?.method).toBe('OPTIONS')
    expect(response.headers.has('Set-Cookie')).toBe(false)
  })

  it('takes no place for a prefetch', async () => {
    const { status, text, response } = await new Visitor('wide.test', newEdge()).page('/', {
      headers: { 'Sec-Purpose': 'prefetch' },
    })
    expect([status, text, response.headers.has('Set-Cookie')]).toEqual([503, '', false])
  })
})

describe('the call budget (I9)', () => {
  it('is one call for a claim, one for the first return, and none while the lease lasts', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    const calls = []
    for (let i = 0; i < 5; i++) calls.push((await visitor.page()).objectCalls)
    expect(calls).toEqual([1, 1, 0, 0, 0])
  })

  it('is at most three calls for sixty requests at once', async () => {
    const edge = newEdge()
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => visitor.send(`/${i}.png`, { headers: { Accept: 'image/*' } })),
    )
    expect(answers.map(answer => answer.status)).toEqual(Array(60).fill(200))
    expect(answers.reduce((sum, answer) => sum + answer.objectCalls, 0)).toBeLessThanOrEqual(3)
  })

  it('is none for a poll', async () => {
    const visitor = new Visitor('held.test', newEdge())
    await visitor.page()
    const { objectCalls, place } = await visitor.poll(false)
    expect([objectCalls, place.state]).toEqual([0, 'waiting'])
  })

  it('is kept when another site fails to end a session', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.test' }
    const { status, response } = await visitor.send('/.waiting-room/leave?room=wide', { method: 'POST', headers })
    expect([status, response.headers.has('Set-Cookie')]).toEqual([403, false])
    expect((await visitor.page()).status).toBe(200)
  })

  it('allows three calls to the door for twenty requests to end a session', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    const { token } = visitor
    const end = vi.spyOn(Door.prototype, 'end')
    for (let i = 0; i < 20; i++) {
      visitor.token = token
      const { status } = await visitor.send('/.waiting-room/leave?room=wide', { method: 'POST' })
      expect(status).toBe(204)
    }
    expect(end).toHaveBeenCalledTimes(3)
    end.mockRestore()
  })

  it('is not spent again on a pass whose session is known to be over', async () => {
    const edge = newEdge()
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const stolen = visitor.token
    await visitor.send('/.waiting-room/leave?room=wide', { method: 'POST' })
    const thief = new Visitor('wide.test', edge)
    const calls = []
    for (let i = 0; i < 3; i++) {
      thief.token = stolen
      calls.push((await thief.page()).objectCalls)
    }
    // First, a renewal finds the session ended and a claim opens a new one. Second, a renewal succeeds.
    // Third, its lease suffices.
    expect(calls).toEqual([2, 1, 0])
  })
})

describe('a room that queues everyone', () => {
  it("shows the page with the operator's message, and a ticket", async () => {
    const visitor = new Visitor('held.test', newEdge())
    const { status, text, response } = await visitor.page('/sale?item=7')
    expect(status).toBe(503)
    expect(text).toContain('Back at noon.')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
    })
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(claimsOf(visitor.token)).toMatchObject({ aud: 'held', lane: 'main', cnf: false, low: null, by: null })
  })

  it('answers an API client in JSON, whatever the Accept header looks like', async () => {
    for (const Accept of [
      'application/json',
      'text/plain;q=0.1, Application/JSON;q=0.01',
      'application/problem+json',
    ]) {
      const { text, response } = await new Visitor('held.test', newEdge()).send('/api', { headers: { Accept } })
      expect(JSON.parse(text)).toMatchObject({
        state: 'waiting',
        position: null,
        called: false,
        message: 'Back at noon.',
        cfWaitingRoom: { inWaitingRoom: true, queueAll: true, isFIFOQueue: true, queueingMethod: 'fifo' },
      })
      expect(response.headers.get('Waiting-Room-Token')).toMatch(/^ey/)
    }
  })

  it('has the 25 published variables', async () => {
    const { text } = await new Visitor('held.test', newEdge()).data()
    expect(Object.keys(JSON.parse(text).cfWaitingRoom)).toHaveLength(25)
  })

  it('forwards none of 128 POSTs to the origin', async () => {
    const visitor = new Visitor('held.test', newEdge())
    await visitor.page()
    const posts = Array.from({ length: 128 }, (_, i) =>
      i % 2 === 0
        ? visitor.page('/order', { method: 'POST', body: 'tea' })
        : visitor.data('/order', { method: 'POST', body: '{"tea":1}' }),
    )
    for (const { status, atOrigin, response } of await Promise.all(posts)) {
      expect([status, atOrigin]).toEqual([503, null])
      expect(response.headers.has('Retry-After')).toBe(true)
    }
  })

  it('gives parts of pages a short answer and no ticket', async () => {
    const { status, text, response } = await new Visitor('held.test', newEdge()).send('/logo.png', {
      headers: { Accept: 'image/*', 'Sec-Fetch-Dest': 'image' },
    })
    expect([status, text, response.headers.has('Set-Cookie')]).toEqual([503, '', false])
  })

  it('never sends the token in a header to a script of a page', async () => {
    const { response } = await new Visitor('held.test', newEdge()).data('/', {
      headers: { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
    })
    expect(response.headers.has('Waiting-Room-Token')).toBe(false)
  })

  it('never shows the token of the cookie in a header, whatever token a script sends with it', async () => {
    const edge = newEdge()
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const sent = ['', 'x', visitor.token]
    for (const token of sent) {
      const { response } = await visitor.data('/', { headers: { 'Waiting-Room-Token': token } })
      expect(response.headers.has('Waiting-Room-Token')).toBe(false)
    }
    const waiting = new Visitor('held.test', edge)
    await waiting.page()
    const poll = await waiting.data('/.waiting-room/status?room=held', { headers: { 'Waiting-Room-Token': 'x' } })
    expect([poll.status, poll.response.headers.has('Waiting-Room-Token')]).toEqual([200, false])
  })

  it('answers 429 to polls that come earlier than asked', async () => {
    const visitor = new Visitor('held.test', newEdge())
    await visitor.page()
    vi.setSystemTime(Date.now())
    expect((await visitor.poll()).status).toBe(200)
    const { status, response } = await visitor.poll()
    expect([status, response.headers.get('Content-Type')]).toEqual([429, 'application/problem+json'])
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
  })

  it('asks each visitor back within the claim window, however short that is', async () => {
    const change = (change: Parameters<ReturnType<typeof roomStub>['change']>[0]) =>
      roomStub(env, 'held').change(change, null, 'test')
    // Long before a start visitors need not poll often.
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
    const event = { name: 'sale', prequeue_start_time: at(-5), event_start_time: at(60), event_end_time: at(90) }
    const told = async (claim_window: number) => {
      await change({ set: { claim_window, events: [event] } as never })
      const visitor = new Visitor('held.test', newEdge())
      await visitor.page()
      await visitor.poll()
      vi.setSystemTime(Date.now() + 100_000)
      return (await visitor.poll()).place.pollAfterSeconds
    }
    expect(await told(5)).toBeGreaterThan(30)
    expect(await told(0.1)).toBeLessThanOrEqual(6)
    await change({ reset: 'all' })
  })

  it('recognizes API clients without cookies by their header', async () => {
    const edge = newEdge()
    const first = await new Visitor('held.test', edge).data()
    const token = first.response.headers.get('Waiting-Room-Token') ?? ''
    const again = await new Visitor('held.test', edge).data('/.waiting-room/status?room=held', {
      headers: { 'Waiting-Room-Token': token },
    })
    expect(claimsOf(again.response.headers.get('Waiting-Room-Token') ?? '').sub).toBe(claimsOf(token).sub)
  })
})

describe('outside a room', () => {
  it.each(['nobody.test', 'wide.test.evil.test', '.wide.test', 'wide.test..', '192.0.2.1', '[2001:db8::1]'])(
    'the host %s is refused, because the origin is fixed',
    async host => {
      const { status, atOrigin, text } = await new Visitor(host, newEdge()).page('/x')
      expect([status, atOrigin]).toEqual([421, null])
      expect(text).toContain('PASSTHROUGH_HOSTS')
    },
  )

  it.each(['nobody.test', 'www.nobody.test'])('the host %s is proxied where PASSTHROUGH_HOSTS names it', async host => {
    const visitor = new Visitor(host, newEdge())
    visitor.bindings = { ...env, PASSTHROUGH_HOSTS: 'nobody.test, *.nobody.test' }
    const { status, atOrigin } = await visitor.page('/x')
    expect([status, atOrigin?.headers['waiting-room-pass']]).toEqual([200, undefined])
  })

  it('another path on the host of a room is proxied', async () => {
    const { status, atOrigin } = await new Visitor('guarded.test', newEdge()).page('/x')
    expect([status, atOrigin?.headers['waiting-room-pass']]).toEqual([200, undefined])
  })

  it('a bypassed path is proxied without a session', async () => {
    const { status, response } = await new Visitor('wide.test', newEdge()).send('/webhooks/paid', { method: 'POST' })
    expect([status, response.headers.has('Set-Cookie')]).toEqual([200, false])
  })

  it('a path that only looks like a bypassed one is queued', async () => {
    const edge = newEdge()
    for (const path of [
      '/checkout/status/x',
      '/checkout/status%2f..%2fpay',
      '/checkout/status/../pay',
      '/checkout//status',
    ]) {
      const { status } = await new Visitor('guarded.test', edge).page(path)
      expect([path, status]).toEqual([path, 503])
    }
    expect((await new Visitor('guarded.test', edge).page('/checkout/status')).status).toBe(200)
  })
})

describe('rooms that overlap', () => {
  it('keep the pass of one room while the visitor waits for the other', async () => {
    const visitor = new Visitor('overlap.test', newEdge())
    const { status, response } = await visitor.page('/checkout.php')
    expect(status).toBe(503)
    const cookies = response.headers.getSetCookie().map(cookie => cookie.split('=')[0])
    expect(cookies.sort()).toEqual(['__Host-antesala-front', '__Host-antesala-paying'])
    const again = await visitor.page('/')
    expect([again.status, again.objectCalls]).toEqual([200, 1])
    expect(again.atOrigin?.headers['waiting-room-session']).toBe(
      claimsOf(visitor.jar.get('__Host-antesala-front') ?? '').sub,
    )
  })

  it('remove override headers from requests that were let by without a session', async () => {
    const edge = newEdge()
    const overriding = { 'X-HTTP-Method-Override': 'POST', 'X-Original-URL': '/checkout' }
    const cors = { Origin: 'https://elsewhere.test', 'Access-Control-Request-Method': 'PUT' }
    const preflight = await new Visitor('overlap.test', edge).send('/api', {
      method: 'OPTIONS',
      headers: { ...cors, ...overriding },
    })
    const bypassing = await new Visitor('overlap.test', edge).send('/webhooks/x', { headers: overriding })
    for (const { atOrigin } of [preflight, bypassing])
      expect(Object.keys(atOrigin?.headers ?? {}).filter(name => /override|original/.test(name))).toEqual([])
    const inside = await new Visitor('overlap.test', edge).page('/', { headers: overriding })
    expect(inside.atOrigin?.headers).toMatchObject({ 'x-http-method-override': 'POST', 'x-original-url': '/checkout' })
  })
})

describe('a room with case-insensitive paths', () => {
  it('matches policies and upstreams in any case', async () => {
    const visitor = new Visitor('shouting.test', newEdge())
    await visitor.page('/')
    const statuses = []
    for (const path of ['/login', '/LOGIN', '/Login', '/item/a', '/ITEM/A', '/item/b'])
      statuses.push((await visitor.data(path, { method: 'POST', body: '{}' })).status)
    expect(statuses).toEqual([200, 200, 429, 200, 429, 200])
    expect((await visitor.data('/sEARCH/Shoes')).status).toBe(503)
    expect((await visitor.data('/searching')).status).toBe(200)
    await roomStub(env, 'shouting').change({ set: { case_insensitive_paths: false } }, null, 'test')
    const again = async () => [
      (await visitor.data('/LOGIN', { method: 'POST', body: '{}' })).status,
      (await visitor.data('/login', { method: 'POST', body: '{}' })).status,
    ]
    await expect.poll(again, { timeout: 5_000, interval: 500 }).toEqual([200, 429])
  })
})

describe('a room on /checkout', () => {
  it.each([
    '/checkout',
    '/checkout/',
    '/checkout?x',
    '/%63heckout',
    '/%2563heckout',
    '/x/../checkout',
    '/x/%2e%2e/checkout',
    '/x%2f..%2fcheckout',
    '//checkout',
    '/.//checkout',
    '/checkout;jsessionid=1',
    '/;a/checkout',
    '/checkout%3bx',
    '/checkout%2fpay',
    '/a\\..\\checkout',
    '/checkout%5cpay',
    '/a%2fb/../%63heckout',
    '/checkout.js',
    '/checkout.json?x',
    '/%25252563heckout',
    '/%c0%afcheckout',
    '/checkout%00.png',
    '//checkout//..',
    '//checkout//../a',
    '/;/checkout//..',
    '/%2fcheckout//../a',
    '///checkout//../a',
  ])('is not bypassed by %s', async path => {
    expect((await new Visitor('guarded.test', newEdge()).page(path)).status).toBe(503)
  })

  it.each(['/', '/check', '/checkouts', '/shop/checkout', '/CHECKOUT'])('leaves %s open', async path => {
    expect((await new Visitor('guarded.test', newEdge()).page(path)).status).toBe(200)
  })

  it('covers capitals where the room ignores case', async () => {
    expect((await new Visitor('caseless.test', newEdge()).page('/CheckOut')).status).toBe(503)
  })

  it('covers other spellings of its host', async () => {
    expect((await new Visitor('guarded.test.', newEdge()).page('/checkout')).status).toBe(503)
    expect((await new Visitor('GUARDED.test', newEdge()).page('/checkout')).status).toBe(503)
  })

  it.each(['X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override'])('is not reached by %s', async name => {
    const { atOrigin } = await new Visitor('guarded.test', newEdge()).page('/', { headers: { [name]: '/checkout' } })
    expect(atOrigin?.headers[name.toLowerCase()]).toBeUndefined()
  })

  it.each(['//evil.test', '/\\evil.test', '/%5cevil.test'])('opens no redirect for %s', async path => {
    const { response, text } = await new Visitor('held.test', newEdge()).page(path)
    expect(response.headers.has('Location')).toBe(false)
    const refresh = /http-equiv="refresh" content="\d+; url=([^"]*)"/.exec(text)?.[1] ?? 'none'
    expect(new URL(refresh.replaceAll('&#x2F;', '/'), `https://held.test${path}`).host).toBe('held.test')
    expect(text).not.toMatch(/(href|src|action)="?(https?:)?\/\//)
  })
})
