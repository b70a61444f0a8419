import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../../src/settings/env.ts'
import { type Edge, env, newEdge, send, settled } from '../../support/workerd/visitor.ts'

const HOUR = 60 * 60_000
const PAGE = { Accept: 'text/html,application/xhtml+xml' }

afterEach(async () => {
  vi.useRealTimers()
  await settled()
})

const ask = (edge: Edge, url: string, init: RequestInit = {}) =>
  send(edge, new Request(url, { ...init, headers: { ...PAGE, ...init.headers } }))

/** An edge that has seen a newcomer over https on this host. */
async function edgeWithHttps(host = 'held.test'): Promise<Edge> {
  const edge = newEdge()
  await ask(edge, `https://${host}/`)
  return edge
}

/** The cookies of an answer, as a browser sends them back. */
const cookiesOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map(cookie => cookie.split(';')[0])
    .join('; ')

describe('a newcomer over http', () => {
  it('is redirected to https first, where https was seen on the same host', async () => {
    const edge = await edgeWithHttps()
    const { response, status } = await ask(edge, 'http://held.test/a%2fb/../c?q=1&r=%20x')
    expect([status, response.headers.get('Location')]).toEqual([307, 'https://held.test/c?q=1&r=%20x'])
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(response.headers.getSetCookie()).toEqual([
      'antesala-held.https=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax',
    ])
  })

  it('takes no permit on the way to https in an open room', async () => {
    const edge = await edgeWithHttps('wide.test')
    const answer = await ask(edge, 'http://wide.test/')
    expect([answer.status, answer.objectCalls, answer.atOrigin]).toEqual([307, 0, null])
  })

  it('keeps an invitation in the redirect', async () => {
    const edge = await edgeWithHttps('invited.test')
    const { response } = await ask(edge, 'http://invited.test/sale?invite=x.y.z&a=1')
    expect([response.status, response.headers.get('Location')]).toEqual([
      307,
      'https://invited.test/sale?invite=x.y.z&a=1',
    ])
  })

  it.each([
    ['http://held.test/', 503, 'nothing was ever seen over https', newEdge],
    ['http://held.test:8080/', 503, 'another port was asked', edgeWithHttps],
    ['http://small.test/', 200, 'another host has https', edgeWithHttps],
    ['http://guarded.test/checkout/status', 200, 'a bypass rule matches', () => edgeWithHttps('guarded.test')],
    ['http://observed.test/', 200, 'the room only observes', () => edgeWithHttps('observed.test')],
    ['http://plain.test/', 503, 'the room says as-is', () => edgeWithHttps('plain.test')],
    ['http://samecookie.test/', 503, 'the cookie is the same for both', () => edgeWithHttps('samecookie.test')],
  ])('stays on %s (%i) when %s', async (url, status, _, edge) => {
    expect((await ask(await edge(), url)).status).toBe(status)
  })

  it.each<[string, RequestInit, number]>([
    ['a form', { method: 'POST', body: 'a=1' }, 503],
    ['a change', { method: 'DELETE' }, 503],
    ['a program that asks for data', { headers: { Accept: 'application/json' } }, 503],
    ['a program that says nothing', { headers: { Accept: '*/*' } }, 503],
    ['a picture', { headers: { Accept: 'image/png' } }, 503],
    [
      'a preflight',
      { method: 'OPTIONS', headers: { Origin: 'http://a.test', 'Access-Control-Request-Method': 'PUT' } },
      200,
    ],
  ])('is never sent to https with %s', async (_, init, status) => {
    const { response } = await ask(await edgeWithHttps(), 'http://held.test/', init)
    expect([response.status, response.headers.get('Location')]).toEqual([status, null])
  })

  it('is not redirected again when the first redirect did not help, so that no loop begins', async () => {
    const edge = await edgeWithHttps()
    const first = await ask(edge, 'http://held.test/')
    const Cookie = cookiesOf(first.response)
    const second = await ask(edge, 'http://held.test/', { headers: { Cookie } })
    expect([first.status, second.status]).toEqual([307, 503])
    // The mark is the waiting room's own cookie, so it does not go to the origin.
    const { atOrigin } = await ask(newEdge(), 'http://wide.test/', { headers: { Cookie: `${Cookie}; own=1` } })
    expect(atOrigin?.headers.cookie).toBe('own=1')
  })

  it('keeps the place that was taken over http', async () => {
    const edge = newEdge()
    const Cookie = cookiesOf((await ask(edge, 'http://held.test/')).response)
    await ask(edge, 'https://held.test/')
    expect((await ask(edge, 'http://held.test/', { headers: { Cookie } })).status).toBe(503)
    expect((await ask(edge, 'http://held.test/')).status).toBe(307)
    // A pass over http keeps working, too.
    const inside = newEdge()
    const pass = cookiesOf((await ask(inside, 'http://wide.test/')).response)
    await ask(inside, 'https://wide.test/')
    expect((await ask(inside, 'http://wide.test/', { headers: { Cookie: pass } })).atOrigin).not.toBeNull()
  })

  it('stays on http where https was seen more than an hour ago, because https may be gone', async () => {
    vi.setSystemTime(Date.now())
    const edge = await edgeWithHttps()
    vi.setSystemTime(Date.now() + HOUR)
    expect((await ask(edge, 'http://held.test/')).status).toBe(307)
    vi.setSystemTime(Date.now() + 1)
    expect((await ask(edge, 'http://held.test/')).status).toBe(503)
  })

  it('is redirected or not after a live change', async () => {
    const set = (https: string) => roomStub(env, 'plain').change({ set: { https } }, null, 'test')
    const edge = await edgeWithHttps('plain.test')
    const status = () =>
      expect.poll(async () => (await ask(edge, 'http://plain.test/')).status, { timeout: 4_000, interval: 200 })
    await status().toBe(503)
    await set('redirect')
    await status().toBe(307)
    await set('as-is')
    await status().toBe(503)
  })
})
