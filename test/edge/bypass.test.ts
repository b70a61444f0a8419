import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

/** A live change is in force within two seconds. */
const eventually = <Value>(look: () => Promise<Value>) => expect.poll(look, { timeout: 10_000 })

afterEach(async () => {
  vi.useRealTimers()
  await roomStub(env, 'bypassing').change({ reset: 'all' }, null, 'test')
  await settled()
})

const change = (set: object) => roomStub(env, 'bypassing').change({ set }, null, 'test')

async function inside(edge = newEdge()): Promise<Visitor> {
  const visitor = new Visitor('bypassing.test', edge)
  await visitor.page()
  await visitor.page()
  return visitor
}

describe('a bypassed path', () => {
  it('does not spend the budget of a visitor inside', async () => {
    const visitor = await inside()
    for (let i = 0; i < 30; i++) expect((await visitor.page('/webhooks/x')).status).toBe(200)
    const statuses = []
    for (let i = 0; i < 20; i++) statuses.push((await visitor.page()).status)
    // Two pages were spent above.
    expect(statuses.filter(status => status === 200)).toHaveLength(18)
  })

  it('is the same request for a visitor inside as for a stranger', async () => {
    const edge = newEdge()
    const [insider, stranger] = [await inside(edge), new Visitor('bypassing.test', edge)]
    const got = []
    for (const visitor of [insider, stranger]) {
      const { atOrigin, response, objectCalls } = await visitor.page('/webhooks/x')
      got.push([atOrigin?.headers, response.headers.getSetCookie(), objectCalls])
    }
    expect(got[0]).toEqual(got[1])
  })

  it('passes while the origin is blocked, for a visitor inside and for a stranger', async () => {
    const edge = newEdge()
    const visitors = [await inside(edge), new Visitor('bypassing.test', edge)]
    await change({ health_pins: { breakers: { origin: 'open' } } })
    await eventually(async () => (await visitors[0]?.page())?.atOrigin).toBe(null)
    for (let i = 0; i < 10; i++) {
      for (const visitor of visitors) expect((await visitor.page('/webhooks/x')).status).toBe(200)
    }
  })
})

describe('a bypass rule for a header', () => {
  it('matches the header that the origin receives', async () => {
    const headers = { 'X-Monitor': 'open' }
    const { atOrigin, response } = await new Visitor('bypassing.test', newEdge()).page('/', { headers })
    expect([atOrigin?.headers['x-monitor'], response.headers.getSetCookie()]).toEqual(['open', []])
  })

  it('ignores a header that belongs to the connection and is not forwarded', async () => {
    const headers = { 'X-Monitor': 'open', Connection: 'keep-alive, X-Monitor' }
    const { atOrigin, response } = await new Visitor('bypassing.test', newEdge()).page('/', { headers })
    expect([atOrigin?.headers['x-monitor'], response.headers.getSetCookie().length]).toEqual([undefined, 1])
  })
})

describe('a bypass rule for a query', () => {
  const post = (target: string) => new Visitor('machines.test', newEdge()).send(target, { method: 'POST', body: '{}' })

  it('sends the request to the origin exactly as it was judged', async () => {
    const { atOrigin, response } = await post('/?wc-api=wc_stripe&x=%2F')
    expect([atOrigin?.method, atOrigin?.url]).toEqual(['POST', 'http://origin.test/?wc-api=wc_stripe&x=%2F'])
    expect([atOrigin?.body, response.headers.getSetCookie()]).toEqual(['{}', []])
  })

  it.each([
    '/?wc-api=0',
    '/?wc-api=wc_stripe&wc-api=0',
    '/?wc-api=wc_stripe&WC%2DAPI[]=0',
    '/?x=;&wc-api=wc_stripe',
    '/?wc-api=wc_stripe&add%2Dto%2Dcart=5',
    '/cart?wc-api=wc_stripe',
  ])('holds back %s', async target => {
    const { atOrigin, status } = await post(target)
    expect([atOrigin, status]).toEqual([null, 503])
  })
})

describe('a bypass rule for a user agent', () => {
  it('lets a monitor by on its path only', async () => {
    const headers = { 'User-Agent': 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)' }
    const monitor = new Visitor('machines.test', newEdge())
    const statuses = [await monitor.page('/up', { headers }), await monitor.page('/', { headers })]
    expect(statuses.map(({ status }) => status)).toEqual([200, 503])
    expect((await new Visitor('machines.test', newEdge()).page('/up')).status).toBe(503)
  })
})

describe('a bypass rule for verified bots', () => {
  const asBot = (verifiedBotCategory?: string) =>
    new Visitor('machines.test', newEdge()).page('/', { cf: { verifiedBotCategory } } as RequestInit)

  it('lets search engines in, and no other bot that it does not name', async () => {
    const categories = ['Search Engine Crawler', 'Page Preview', 'AI Crawler', 'AI Assistant', '', undefined]
    const statuses = []
    for (const category of categories) statuses.push((await asBot(category)).status)
    expect(statuses).toEqual([200, 200, 503, 503, 503, 503])
  })
})

describe('a request from an address of the origin', () => {
  const bindings = { ...env, ORIGIN_ADDRESSES: ['192.0.2.10', '2001:db8:0:1::/64'] }
  const from = async (headers: Record<string, string>, path = '/wp-admin/admin-ajax.php?action=x') => {
    const visitor = new Visitor('machines.test', newEdge())
    visitor.bindings = bindings
    return visitor.send(path, { method: 'POST', headers })
  }

  it('passes without a place, whatever it asks for', async () => {
    for (const address of ['192.0.2.10', '::ffff:192.0.2.10', '2001:db8:0:1:ffff::9', '[2001:db8:0:1::9]:4711']) {
      const { atOrigin, response, objectCalls } = await from({ 'CF-Connecting-IP': address })
      expect([atOrigin?.method, response.headers.getSetCookie(), objectCalls], address).toEqual(['POST', [], 0])
    }
  })

  it('is known by the trusted header only', async () => {
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'CF_Connecting_IP', 'True-Client-IP'])
      expect((await from({ [name]: '192.0.2.10' })).atOrigin, name).toBeNull()
    expect((await from({ 'CF-Connecting-IP': '192.0.2.10, 198.51.100.7' })).atOrigin).toBeNull()
    expect((await from({ 'CF-Connecting-IP': '198.51.100.7', 'X-Forwarded-For': '192.0.2.10' })).atOrigin).toBeNull()
    expect((await from({})).atOrigin).toBeNull()
  })
})

describe('a suspended room', () => {
  it('lets a visitor inside pass at once, even one whom it blocked a moment ago', async () => {
    const visitor = await inside()
    await change({ health_pins: { breakers: { origin: 'open' } } })
    await eventually(async () => (await visitor.page()).atOrigin).toBe(null)
    await change({ health_pins: { breakers: { origin: 'open' } }, suspended: true })
    await eventually(async () => (await visitor.page()).status).toBe(200)
    for (let i = 0; i < 10; i++) expect((await visitor.page()).status).toBe(200)
  })
})
