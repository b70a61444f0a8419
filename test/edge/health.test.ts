import { afterEach, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

const answering = (answer: Record<string, string>, status = 200) => ({
  headers: { 'X-Answer-With': new URLSearchParams(answer).toString(), 'X-Answer-Status': String(status) },
})

/** Samples of the last minute of a room, once all counts have reached it. */
async function samplesOf(room: string, edge: Visitor): Promise<Record<string, number>> {
  await settled()
  // The next request of the isolate carries the counts so far. The door passes them on a second later.
  await new Promise(resolve => setTimeout(resolve, 1_100))
  await edge.page('/none', answering({}, 404))
  await settled()
  await new Promise(resolve => setTimeout(resolve, 1_500))
  const { health } = await roomStub(env, room).health(0)
  return Object.fromEntries(health.upstreams.map(({ name, samples }) => [name, samples]))
}

describe('a sample of the health of an origin', () => {
  it('comes from a page, and not from a cached answer, a 4xx or an event stream', async () => {
    const edge = newEdge()
    const visitor = new Visitor('measured.test', edge)
    await visitor.page()
    await visitor.page('/', answering({ 'CF-Cache-Status': 'HIT' }))
    await visitor.page('/', answering({}, 404))
    await visitor.page('/', answering({ 'Retry-After': '5' }, 429))
    await visitor.page('/', answering({ 'Content-Type': 'text/event-stream' }))
    await visitor.page('/cards/pay')
    await visitor.page('/', answering({}, 503))
    expect(await samplesOf('measured', visitor)).toEqual({ origin: 2, cards: 1 })
    const { health } = await roomStub(env, 'measured').health(0)
    expect(health.upstreams[0]).toMatchObject({ failures: 0.5, apdex: 0.5, breaker: 'closed' })
  }, 30_000)

  it('is taken of every request, and is one vote of its session', async () => {
    const visitor = new Visitor('hasty.test', newEdge())
    await visitor.page()
    for (let i = 0; i < 20; i++) await visitor.page(`/${i}`, i < 10 ? answering({}, 503) : {})
    const { origin = 0 } = await samplesOf('hasty', visitor)
    expect(origin).toBe(21)
    const { health, decisions } = await roomStub(env, 'hasty').health(0)
    expect([health.state, decisions]).toEqual(['well', []])
  }, 30_000)
})

describe('an upstream that the operator blocks', () => {
  it('is answered for by its fallback, to pages and to programs, without an object call', async () => {
    await roomStub(env, 'measured').change({ set: { health_pins: { breakers: { cards: 'open' } } } }, null, 'test')
    const visitor = new Visitor('measured.test', newEdge())
    await visitor.page()
    await visitor.page()
    const page = await visitor.page('/cards/pay')
    expect([page.status, page.atOrigin, page.objectCalls]).toEqual([503, null, 0])
    expect(page.text).toContain('This part is taking a short break')
    expect(page.text).toContain('Cards are back at noon.')
    const data = await visitor.data('/cards/pay')
    expect(data.response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(JSON.parse(data.text)).toMatchObject({ upstream: 'cards', state: 'blocked', status: 503 })
    expect(Number(data.response.headers.get('Retry-After'))).toBeGreaterThan(0)
    const image = await visitor.send('/cards/logo.png', { headers: { 'Sec-Fetch-Dest': 'image' } })
    expect([image.status, image.text, image.atOrigin]).toEqual([503, '', null])
    expect((await visitor.page('/')).status).toBe(200)
    const reading = await visitor.page('/x/..%2fcards/pay')
    expect(reading.atOrigin).toBeNull()
  }, 30_000)
})

describe('a block by the operator in a passthrough room', () => {
  it('applies to visitors without a session, and spares protected paths when the origin is blocked', async () => {
    const change = (set: object) => roomStub(env, 'closing').change({ set }, null, 'test')
    await new Visitor('closing.test', newEdge()).page()
    await change({ health_pins: { breakers: { cards: 'open' } } })
    const at = (path: string) => new Visitor('closing.test', newEdge()).page(path)
    await expect.poll(async () => (await at('/cards/pay')).atOrigin, { timeout: 4_000, interval: 500 }).toBeNull()
    expect((await at('/cards/pay')).response.headers.get('Content-Type')).toBe('application/problem+json')
    expect((await at('/')).atOrigin).not.toBeNull()

    await change({ health_pins: { breakers: { origin: 'open' } }, protected_paths: ['/pay/*'] })
    await expect.poll(async () => (await at('/')).atOrigin, { timeout: 4_000, interval: 500 }).toBeNull()
    const { text, status } = await at('/')
    expect(status).toBe(503)
    expect(text).toContain('The site is taking a short break')
    expect(text).not.toMatch(/still inside|your place/)
    expect((await at('/pay/now')).atOrigin).not.toBeNull()

    await change({ health_pins: {} })
    await expect.poll(async () => (await at('/')).atOrigin, { timeout: 4_000, interval: 500 }).not.toBeNull()
  }, 30_000)
})

describe('an origin that the operator blocks', () => {
  it('shows visitors inside a page that retries, lets payments through, and keeps newcomers in line', async () => {
    const edge = newEdge()
    const visitor = new Visitor('outage.test', edge)
    await visitor.page()
    await visitor.page()
    await roomStub(env, 'outage').change({ set: { health_pins: { breakers: { origin: 'open' } } } }, null, 'test')
    await new Promise(resolve => setTimeout(resolve, 1_100))
    await new Visitor('outage.test', edge).page()
    const page = await visitor.page('/basket?x=1')
    expect([page.status, page.atOrigin]).toEqual([503, null])
    expect(page.text).toContain('We are holding your place')
    expect(page.text).toMatch(/http-equiv="refresh" content="\d+; url=&#x2F;basket\?x&#x3D;1"/)
    const sent = await visitor.page('/basket', { method: 'POST', body: 'tea' })
    expect(sent.text).toContain('has not been delivered')
    expect(sent.text).not.toContain('http-equiv="refresh"')
    expect((await visitor.page('/pay/now')).atOrigin).not.toBeNull()
    const newcomer = new Visitor('outage.test', edge)
    const waiting = await newcomer.page()
    expect(waiting.text).toMatch(/id="lead">[^<]*nobody is being let in/)
    expect((await newcomer.poll()).place).toMatchObject({ state: 'waiting', reason: 'outage' })
  }, 30_000)
})

describe('a session during an outage', () => {
  it('outlives the outage, even when its visitor sent no request for longer than the session lasts', async () => {
    const edge = newEdge()
    const visitor = new Visitor('pausing.test', edge)
    await visitor.page()
    await visitor.page()
    const sid = claimsOf(visitor.token).sub
    await roomStub(env, 'pausing').change({ set: { health_pins: { breakers: { origin: 'open' } } } }, null, 'test')
    await new Promise(resolve => setTimeout(resolve, 9_000))
    await roomStub(env, 'pausing').change({ reset: ['health_pins'] }, null, 'test')
    await new Promise(resolve => setTimeout(resolve, 1_500))
    const { atOrigin } = await visitor.page()
    expect(atOrigin?.headers['waiting-room-session']).toBe(sid)
  }, 30_000)
})

describe('load shedding', () => {
  it('refuses part of the deferrable requests while the origin fails, and no others', async () => {
    const visitor = new Visitor('shedding.test', newEdge())
    await visitor.page()
    for (let i = 0; i < 40; i++) await visitor.page('/search/tea', answering({}, 503))
    const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.page('/search/tea')))
    expect(answers.filter(({ atOrigin }) => atOrigin === null).length).toBeGreaterThan(5)
    expect(answers.find(({ atOrigin }) => atOrigin === null)?.text).toContain('One moment, please')
    for (const path of ['/', '/search/paid']) expect((await visitor.page(path)).atOrigin).not.toBeNull()
  })

  it('delivers watched request bodies whole', async () => {
    const visitor = new Visitor('shedding.test', newEdge())
    const body = 'tea'.repeat(50_000)
    const { atOrigin } = await visitor.send('/', { method: 'POST', body })
    expect(atOrigin?.body).toBe(body)
  })
})
