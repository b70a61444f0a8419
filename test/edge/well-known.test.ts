import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(async () => {
  vi.useRealTimers()
  await roomStub(env, 'files').change({ reset: 'all' }, null, 'test')
  await settled()
})

const change = (set: object) => roomStub(env, 'files').change({ set }, null, 'test')
const stranger = (edge = newEdge()) => new Visitor('files.test', edge)

const FILES = [
  '/robots.txt',
  '/sitemap.xml',
  '/sitemap_index.xml',
  '/sitemap-products-1.xml.gz',
  '/favicon.ico',
  '/apple-touch-icon-120x120-precomposed.png',
  '/ads.txt',
  '/app-ads.txt',
  '/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0',
  '/.well-known/assetlinks.json',
]

describe('a well-known file of a held room', () => {
  it.each(FILES)('%s is loaded without a place', async path => {
    const edge = newEdge()
    for (const method of ['GET', 'HEAD']) {
      const { response, objectCalls } = await stranger(edge).send(path, { method, headers: { Accept: '*/*' } })
      expect([response.status, response.headers.getSetCookie(), objectCalls]).toEqual([200, [], 0])
    }
  })

  it.each([
    '/robots.txt?page=5',
    '/robots.txt/',
    '/robots.txt%3Fpage=5',
    '/robots.txt;/..%2fshop',
    '/Robots.txt',
    '/x/robots.txt',
    '/sitemap/shop.xml',
    '/favicon.ico/index.php',
    '/.well-known',
    '/.well-known/..%2fshop',
    '/.well-known/x?rest_route=/wc/store/v1/cart',
  ])('does not let %s by, which only looks like it', async path => {
    expect((await stranger().send(path)).atOrigin).toBeNull()
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('is not changed by %s without a place', async method => {
    expect((await stranger().send('/.well-known/x', { method })).atOrigin).toBeNull()
  })

  it('belongs to the root of a host, where another site may be', async () => {
    const below = new Visitor('below.test', newEdge())
    expect((await below.send('/robots.txt')).status).toBe(200)
    expect((await below.send('/shop/robots.txt')).atOrigin).toBeNull()
  })

  it('falls under the room beyond the limit of a network', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const edge = newEdge()
    const load = async (address: string) => {
      const { atOrigin } = await stranger(edge).send('/.well-known/x', { headers: { 'CF-Connecting-IP': address } })
      return atOrigin !== null
    }
    const passed = []
    for (let i = 0; i < 302; i++) passed.push(await load(`192.88.98.${i % 200}`))
    expect(passed.filter(hasPassed => hasPassed)).toHaveLength(300)
    expect(await load('8.8.4.4')).toBe(true)
    vi.setSystemTime(Date.now() + 100)
    expect([await load('192.88.98.1'), await load('192.88.98.1')]).toEqual([true, false])
  })
})

describe('a well-known file that queues', () => {
  const queue = async () => {
    await change({ well_known: 'queue' })
    const edge = newEdge()
    await expect.poll(async () => (await stranger(edge).send('/robots.txt')).atOrigin, { timeout: 10_000 }).toBeNull()
    return edge
  }

  it('is never answered with a page, and with 503 whatever the status of waiting', async () => {
    const edge = await queue()
    for (const path of ['/robots.txt', '/sitemap.xml', '/ads.txt', '/favicon.ico']) {
      for (const headers of [
        { Accept: 'text/plain, text/html;q=0.9' },
        { Accept: '*/*' },
        { Accept: 'application/json' },
      ]) {
        const { response, text } = await stranger(edge).send(path, { headers })
        expect([response.status, text, response.headers.getSetCookie()], `${path} ${headers.Accept}`).toEqual([
          503,
          '',
          [],
        ])
        expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
      }
    }
    expect((await stranger(edge).page('/')).status).toBe(200)
  })

  it('below /.well-known/ is a page for a person', async () => {
    const edge = await queue()
    const { status, text } = await stranger(edge).page('/.well-known/change-password')
    expect([status, text.includes('<html')]).toEqual([200, true])
  })
})
