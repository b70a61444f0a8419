import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Visitor } from '../support/node/browser-like.ts'
import { ADMIN_TOKEN, type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

const room = { total_active_users: 100, new_users_per_minute: 60_000, bypass: [{ path: '/open/*' }] }
const rooms = [
  { ...room, name: 'shop', host: '*', session_duration: 0.2 },
  { ...room, name: 'short', host: 'short.test', session_duration: 0.05 },
  { ...room, name: 'timed', host: 'timed.test', session_duration: 0.05, disable_session_renewal: true },
]

let origin: Origin
let site: Site
/** Streams that the origin has open, by their path. */
const open = new Map<string, ServerResponse>()

beforeAll(async () => {
  origin = await startOrigin(({ url = '' }, response) => {
    if (!url.includes('events')) return void response.end('hello')
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Origin': 'yes' })
    open.set(url, response)
    const timer = setInterval(() => response.write('data: tick\n\n'), 100)
    response.on('close', () => {
      clearInterval(timer)
      open.delete(url)
    })
  })
  site = await startSite({ origin: origin.url, rooms })
})

afterAll(async () => {
  await site.stop()
  await origin.stop()
})

interface Stream {
  readonly response: IncomingMessage
  readonly ended: Promise<'whole' | 'cut'>
  ticks(): number
}

async function stream(path: string, visitor: Visitor, host: string): Promise<Stream> {
  const headers = { Accept: 'text/event-stream', Host: host, Cookie: visitor.cookie }
  const outgoing = request(`${site.url}${path}`, { headers }).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  response.on('data', part => {
    text += part
  })
  const ended = new Promise<'whole' | 'cut'>(resolve =>
    response.on('close', () => resolve(response.complete ? 'whole' : 'cut')),
  )
  return { response, ended, ticks: () => text.split('\n\n').length - 1 }
}

async function visitorOf(room: string, host: string): Promise<Visitor> {
  const visitor = new Visitor(site.url, room)
  for (let nth = 0; nth < 2; nth++) await visitor.get('/', { Accept: 'text/html', Host: host })
  return visitor
}

describe('an event stream', () => {
  it('ends with its session as a complete answer, and closes at the origin too', async () => {
    const visitor = await visitorOf('shop', 'shop.test')
    const events = await stream('/events/revoked', visitor, 'shop.test')
    expect([events.response.statusCode, events.response.headers['x-origin']]).toEqual([200, 'yes'])
    await expect.poll(events.ticks).toBeGreaterThan(2)
    const revoked = await fetch(`${site.url}/.waiting-room/api/v1/rooms/shop/sessions/${visitor.claims.sub}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    })
    expect(revoked.status).toBe(204)
    expect(await events.ended).toBe('whole')
    await expect.poll(() => open.has('/events/revoked')).toBe(false)
  })

  it('keeps its session alive while it is open', async () => {
    const visitor = await visitorOf('short', 'short.test')
    const events = await stream('/events/busy', visitor, 'short.test')
    // Without the stream the session would end after 30 to 38 ticks.
    await expect.poll(events.ticks, { timeout: 20_000 }).toBeGreaterThan(80)
    const { sub } = visitor.claims
    await visitor.get('/', { Accept: 'text/html', Host: 'short.test' })
    expect(visitor.claims.sub).toBe(sub)
    events.response.destroy()
  }, 30_000)

  it("ends when its session's time is up, even while data still flows", async () => {
    const visitor = await visitorOf('timed', 'timed.test')
    const events = await stream('/events/timed', visitor, 'timed.test')
    expect(await events.ended).toBe('whole')
    expect(events.ticks()).toBeLessThan(80)
  })

  it('is closed at the origin when its visitor leaves', async () => {
    const visitor = await visitorOf('shop', 'shop.test')
    const events = await stream('/events/left', visitor, 'shop.test')
    await expect.poll(events.ticks).toBeGreaterThan(2)
    expect(open.has('/events/left')).toBe(true)
    events.response.destroy()
    await expect.poll(() => open.has('/events/left')).toBe(false)
  })

  it('that bypasses the room continues without a session', async () => {
    const events = await stream('/open/events', new Visitor(site.url, 'shop'), 'timed.test')
    await expect.poll(events.ticks, { timeout: 20_000 }).toBeGreaterThan(60)
    events.response.destroy()
  }, 30_000)
})
