import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

const FETCH = { 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin', Accept: '*/*' }
const HTML = { ...FETCH, Accept: 'text/html, application/xhtml+xml' }
const HTMX = { ...FETCH, 'HX-Request': 'true' }
const INERTIA = { ...HTML, 'X-Inertia': 'true', 'X-Requested-With': 'XMLHttpRequest' }
const TURBO = { ...HTML, 'X-Turbo-Request-Id': 'a' }

afterEach(settled)

/** The first visitor of a room comes before the room knows that it is held. */
beforeAll(async () => {
  await vi.waitUntil(async () => (await new Visitor('held.test', newEdge()).page()).text.includes('in line'), 10_000)
})

const ask = (headers: Record<string, string>, init: RequestInit = {}) =>
  new Visitor('held.test', newEdge()).send('/cart?size=4', { ...init, headers })

describe('a request of htmx', () => {
  it('is sent to its own page when a link is boosted', async () => {
    const { response, status } = await ask({ ...HTMX, 'HX-Boosted': 'true' })
    expect([status, response.headers.get('HX-Redirect')]).toEqual([503, '/cart?size=4'])
    expect([response.headers.get('Waiting-Room-State'), response.headers.getSetCookie().length]).toEqual(['waiting', 1])
  })

  it.each([
    ['https://held.test/shop?a=1#b', '&to=%2Fshop%3Fa%3D1'],
    ['https://evil.test/', ''],
    ['nothing', ''],
  ])('for a part of the page %s waits on a page of ours', async (current, to) => {
    const { response } = await ask({ ...HTMX, 'HX-Current-URL': current })
    expect(response.headers.get('HX-Redirect')).toBe(`/.waiting-room/wait?room=held${to}`)
  })
})

describe('a request of Inertia', () => {
  it('is told to load its page for real', async () => {
    const { status, response, text } = await ask(INERTIA)
    expect([status, response.headers.get('X-Inertia-Location'), text]).toEqual([409, '/cart?size=4', ''])
    expect([response.headers.get('Waiting-Room-State'), response.headers.getSetCookie().length]).toEqual(['waiting', 1])
  })
})

describe('a request of Turbo', () => {
  it('gets no HTML, so that Turbo loads its page for real', async () => {
    const { status, response } = await ask(TURBO)
    expect([status, response.headers.get('Content-Type')]).toEqual([503, 'application/json'])
    expect(response.headers.get('Turbo-Visit-Control')).toBe('reload')
  })

  it('for a frame gets the page with the tag that asks for a whole load', async () => {
    const { text } = await ask({ ...TURBO, 'Turbo-Frame': 'part' })
    expect(text).toContain('<meta name="turbo-visit-control" content="reload">')
    expect((await ask(HTML)).text).not.toContain('turbo-visit-control')
  })
})

describe('any library', () => {
  it.each([
    ['htmx', HTMX],
    ['Inertia', INERTIA],
    ['Turbo', TURBO],
  ])('keeps the page on which its visitor has typed: %s', async (_, headers) => {
    const { status, response } = await ask(headers, { method: 'POST', body: 'a=1' })
    expect(status).toBe(503)
    for (const name of ['HX-Redirect', 'X-Inertia-Location', 'Turbo-Visit-Control'])
      expect(response.headers.has(name)).toBe(false)
    expect(response.headers.get('Waiting-Room-State')).toBe('waiting')
  })

  it.each([
    ['Next.js', { ...FETCH, RSC: '1', 'Next-Router-State-Tree': '%5B%5D' }],
    ['SvelteKit', FETCH],
  ])('that loads data gets JSON with the mark: %s', async (_, headers) => {
    const { response, text } = await ask(headers)
    expect([response.headers.get('Content-Type'), response.headers.get('Waiting-Room-State')]).toEqual([
      'application/json',
      'waiting',
    ])
    expect(JSON.parse(text).pageUrl).toBe('/.waiting-room/wait?room=held')
  })

  it.each(['Next-Router-Prefetch', 'X-Middleware-Prefetch'])('that fetches ahead takes no place: %s', async name => {
    const visitor = new Visitor('linked.test', newEdge())
    const { atOrigin, response, objectCalls } = await visitor.send('/', {
      headers: { ...FETCH, RSC: '1', [name]: '1' },
    })
    expect([atOrigin, response.headers.get('Waiting-Room-State'), objectCalls]).toEqual([null, 'prefetch', 0])
    expect(visitor.jar.size).toBe(0)
  })
})
