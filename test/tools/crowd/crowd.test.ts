import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { runCrowd, UnreachableError } from '../../../tools/crowd/crowd.ts'
import { type Shop, startShop } from '../../../tools/demo/shop.ts'

const running: { stop(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(server => server.stop()))
})

/** Lets one visitor in every `everyMs`, first come first served, and keeps the rest on a waiting page. */
async function fakeRoom(options: { everyMs: number; leaks?: boolean }): Promise<string> {
  const line: string[] = []
  const seen: Record<string, { requests: number; session: string | null }> = {}
  const startMs = performance.now()
  const isIn = (visitor: string) => line.indexOf(visitor) < (performance.now() - startMs) / options.everyMs
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const visitor = `${request.headers['x-crowd-visitor']}`
    const [path] = (request.url ?? '/').split('?')
    if (path === '/stats') return response.end(JSON.stringify({ visitors: seen }))
    const cookie = request.headers.cookie ?? ''
    if (path === '/status') {
      const admitted = cookie.includes('place=') && isIn(visitor)
      if (admitted) response.setHeader('Set-Cookie', ['place=; Max-Age=0', 'pass=yes'])
      return response.end(JSON.stringify({ state: admitted ? 'admitted' : 'waiting', pollAfterSeconds: 0.5 }))
    }
    const inside = cookie.includes('pass=yes')
    if (inside || options.leaks) {
      seen[visitor] ??= { requests: 0, session: inside ? visitor : null }
      seen[visitor].requests++
    }
    if (inside) return response.setHeader('Demo-Shop', '1').end('<a href="/other">other</a>')
    if (!line.includes(visitor)) line.push(visitor)
    response.writeHead(503, { 'Set-Cookie': 'place=held', 'Retry-After': '1' })
    return response.end('<main id="room" data-status="&#x2F;status?room=x" data-poll="0.5"></main>')
  }
  const server: Server = createServer(handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  running.push({
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function shopAt(capacity: number): Promise<Shop> {
  const shop = await startShop({ capacity })
  running.push(shop)
  return shop
}

describe('a crowd', () => {
  it('waits in line, enters in order, and reports its figures', async () => {
    const url = await fakeRoom({ everyMs: 50 })
    const figures = await runCrowd({ url, visitors: 20, arriveMs: 200, stayMs: 400, thinkMs: 100 })
    expect(figures).toMatchObject({ visitors: 20, admitted: 20, stillWaiting: 0, errors: 0, leaked: 0, pagesFailed: 0 })
    expect(figures.statuses[503]).toBe(20)
    expect(figures.polls).toBeGreaterThanOrEqual(20)
    expect(figures.max10s).toBe(20)
  })

  it('closes tabs, and counts the visitors who are left when the time is up', async () => {
    const url = await fakeRoom({ everyMs: 1_000_000 })
    const figures = await runCrowd({ url, visitors: 10, arriveMs: 0, noShows: 1, durationMs: 4_000 })
    expect(figures.gaveUp + figures.stillWaiting).toBe(10 - figures.admitted)
    expect(figures.admitted).toBeLessThanOrEqual(1)
    // Without a time limit the run would last as long as an admitted visitor stays.
    expect(figures.seconds).toBeLessThan(10)
  })

  it('counts requests that a room lets through without an admission', async () => {
    const url = await fakeRoom({ everyMs: 1_000_000, leaks: true })
    const figures = await runCrowd({ url, visitors: 10, arriveMs: 0, durationMs: 4_000 })
    expect(figures.leaked).toBeGreaterThanOrEqual(9)
  })

  it('is admitted at once where there is no room, shops, and leaks nothing', async () => {
    const shop = await shopAt(500)
    const figures = await runCrowd({ url: `${shop.url}/`, visitors: 20, arriveMs: 100, stayMs: 2_000, thinkMs: 60 })
    expect(figures).toMatchObject({ admitted: 20, polls: 0, leaked: 0, pagesFailed: 0, errors: 0 })
    expect(figures.ordersPlaced).toBe(shop.stats().orders)
    expect(shop.stats().visitors).toBe(20)
  })

  it('counts the failed pages of an overrun shop', async () => {
    // The shop serves one page a second and queues eight, so 21 of 30 are refused at once.
    const shop = await shopAt(1)
    const figures = await runCrowd({ url: `${shop.url}/`, visitors: 30, arriveMs: 0, stayMs: 100, durationMs: 4_000 })
    expect(figures.pagesFailed).toBeGreaterThanOrEqual(21)
    expect(figures.statuses[503]).toBe(figures.pagesFailed)
    expect(figures.leaked).toBe(0)
  })

  it('ends when it is aborted', async () => {
    const url = await fakeRoom({ everyMs: 1_000_000 })
    const figures = await runCrowd({ url, visitors: 5, arriveMs: 0, signal: AbortSignal.timeout(300) })
    expect(figures.seconds).toBeLessThan(10)
    expect(figures.errors).toBe(0)
  })

  it('does not start where nothing listens', async () => {
    await expect(runCrowd({ url: 'http://127.0.0.1:1/', visitors: 1 })).rejects.toThrow(UnreachableError)
  })
})
