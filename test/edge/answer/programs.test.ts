import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../../src/settings/env.ts'
import { type Answer, env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const STREAM = { Accept: 'text/event-stream', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors' }
const SOCKET = {
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
}

afterEach(settled)

const change = (room: string, set: object) => roomStub(env, room).change({ set }, null, 'test')
const stateOf = ({ response }: Answer) => response.headers.get('Waiting-Room-State')

/** The first visitor of a room comes before the room knows that it is held. */
beforeAll(async () => {
  await vi.waitUntil(async () => (await new Visitor('held.test', newEdge()).page()).text.includes('in line'), 10_000)
})

describe('an event stream in line', () => {
  it.each([
    ['in a browser', STREAM],
    ['over http', { Accept: 'text/event-stream' }],
  ])('gets its place as an event, and comes again by itself: %s', async (_, headers) => {
    const visitor = new Visitor('held.test', newEdge())
    const answer = await visitor.send('/events', { headers })
    expect([answer.status, answer.response.headers.get('Content-Type')]).toEqual([200, 'text/event-stream'])
    expect([stateOf(answer), answer.response.headers.get('Cache-Control')]).toEqual(['waiting', 'no-store'])
    const [, data, retryMs] = /^event: waiting-room\ndata: (\{.*\})\n\nretry: (\d+)\n\n$/.exec(answer.text) ?? []
    expect(JSON.parse(data ?? '')).toMatchObject({ room: 'held', state: 'waiting' })
    expect(Number(retryMs)).toBeGreaterThan(500)
    expect(visitor.jar.size).toBe(1)
    const again = await visitor.send('/events', { headers })
    expect(again.text).toContain('"state":"waiting"')
  })

  it('gets the stream of the site once it is inside', async () => {
    const { atOrigin } = await new Visitor('linked.test', newEdge()).send('/events', { headers: STREAM })
    expect(atOrigin?.headers.accept).toBe('text/event-stream')
  })
})

describe('a WebSocket in line', () => {
  it.each([
    ['with Fetch Metadata', { 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'websocket' }],
    ['without', {}],
  ])('gets a short 503 with the mark: %s', async (_, more) => {
    const visitor = new Visitor('held.test', newEdge())
    const answer = await visitor.send('/socket', { headers: { ...SOCKET, ...more } })
    expect([answer.status, stateOf(answer), answer.text, visitor.jar.size]).toEqual([503, 'waiting', '', 0])
  })
})

describe('a program in line', () => {
  it.each([
    ['XMLHttpRequest', { Accept: 'text/javascript, */*; q=0.01', 'X-Requested-With': 'XMLHttpRequest' }],
    ['anything', { Accept: '*/*' }],
  ])('gets a problem that a person understands for a POST, with the message: %s', async (_, headers) => {
    const { response, text } = await new Visitor('held.test', newEdge()).send('/', {
      method: 'POST',
      headers,
      body: '{}',
    })
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(JSON.parse(text)).toMatchObject({ message: 'Back at noon.', state: 'waiting', room: 'held' })
    expect(JSON.parse(text).detail).toMatch(/^This request was not carried out\. /)
  })
})

describe('an origin that gives no answer', () => {
  const slow = { 'X-Answer-After-Ms': '3000' }
  beforeAll(async () => {
    await change('moved', { origin_timeout: 1, message: 'We are on it.' })
    const edge = newEdge()
    // A shorter answer time than that of the tests leaves time for more tries.
    const tried = { 'X-Answer-After-Ms': '1500' }
    await vi.waitUntil(
      async () => stateOf(await new Visitor('moved.test', edge).page('/', { headers: tried })) === 'origin-failed',
      10_000,
    )
  })
  afterAll(async () => {
    await roomStub(env, 'moved').change({ reset: 'all' }, null, 'test')
  })

  it('leaves its visitor a page that tries again, and the session', async () => {
    const visitor = new Visitor('moved.test', newEdge())
    const failed = await visitor.page('/cart?a=1', { headers: slow })
    expect([failed.status, stateOf(failed), visitor.jar.size]).toEqual([504, 'origin-failed', 1])
    for (const part of ['The site took too long to answer', 'We are on it.', 'http-equiv="refresh"', 'a&#x3D;1'])
      expect(failed.text).toContain(part)
    expect(failed.response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    const { atOrigin } = await visitor.page('/cart')
    expect(atOrigin?.headers['waiting-room-session']).toBeDefined()
  })

  it('leaves the sender of a form a page that does not send it again', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '3' }
    const init = { method: 'POST', body: 'a=1', headers: { ...PAGE, ...form, ...slow, Origin: 'https://moved.test' } }
    const { status, text } = await new Visitor('moved.test', newEdge()).send('/pay', init)
    expect(status).toBe(504)
    expect(text).toContain('It is not known whether what you sent has arrived.')
    expect(text).not.toMatch(/http-equiv="refresh"|<form|has not been delivered/)
  })

  it('gives programs problem details', async () => {
    for (const [method, detail] of [
      ['GET', 'Please try again in a moment.'],
      ['PUT', /^It is not known whether/],
    ] as const) {
      const body = method === 'GET' ? {} : { body: '{}' }
      const { status, text } = await new Visitor('moved.test', newEdge()).data('/api', {
        method,
        ...body,
        headers: slow,
      })
      expect([status, JSON.parse(text)]).toMatchObject([
        504,
        { room: 'moved', state: 'origin-failed', message: 'We are on it.', cfWaitingRoom: { inWaitingRoom: false } },
      ])
      expect(JSON.parse(text).detail).toMatch(detail)
    }
  })
})

describe('a visitor', () => {
  const leave = (headers: Record<string, string>) =>
    new Visitor('wide.test', newEdge()).send('/.waiting-room/leave?room=wide', { method: 'POST', headers })

  it.each<[number, string, Record<string, string>]>([
    [204, 'of the same origin', { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://wide.test' }],
    [204, 'of a named origin', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://app.test' }],
    [204, 'in an older browser', { Origin: 'https://wide.test' }],
    [204, 'that is a program', {}],
    [403, 'of the same site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.wide.test' }],
    [403, 'of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' }],
    [403, 'without an origin', { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' }],
    [403, 'of another site, in an older browser', { Origin: 'https://evil.test' }],
    [403, 'without an origin, in an older browser', { Origin: 'null' }],
  ])('gets %i for leaving by a page %s', async (status, _, headers) => {
    expect((await leave(headers)).status).toBe(status)
  })
})
