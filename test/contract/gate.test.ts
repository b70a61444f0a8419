/** Sends the gate bytes that no client library would send. The origin records every byte that it receives. */

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Site, startSite } from '../support/node/served.ts'

const ROOM = { total_active_users: 10_000, new_users_per_minute: 100_000, health: { mode: 'off' } }
const rooms = [
  { name: 'held', host: 'held.test', ...ROOM, queue_all: true },
  {
    name: 'open',
    host: 'open.test',
    ...ROOM,
    bypass: [{ path: '/hook', methods: ['POST'] }],
    rate_limits: [{ name: 'posts', match: { methods: ['DELETE'] }, count: 2, period: 3_600 }],
  },
]

let origin: Server
let site: Site
/** Heads of the requests at the origin, byte for byte. */
let seen: string[] = []

beforeAll(async () => {
  origin = createServer(socket => {
    socket.on('error', () => undefined)
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      if (!text.includes('\r\n\r\n')) return
      seen.push(text)
      text = ''
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    })
  })
  await new Promise<void>(resolve => origin.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`
  site = await startSite({ origin: url, rooms })
})

afterAll(async () => {
  await site.stop()
  origin.close()
})

beforeEach(() => {
  seen = []
})

/** Sends bytes and reads until the other side closes. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(Buffer.from(bytes, 'latin1'))
  })
}

function request(method: string, target: string, host: string, ...lines: string[]): Promise<string> {
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...(host === '' ? [] : [`Host: ${host}`]),
    'Connection: close',
    ...lines,
  ]
  return raw(`${head.join('\r\n')}\r\n\r\n`)
}

const statusOf = (answer: string) => Number(answer.split(' ')[1])
const linesAtOrigin = () => seen.map(head => head.split('\r\n')[0])

const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade']
const KEY = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13']
const PREFLIGHT = ['Origin: https://x.test', 'Access-Control-Request-Method: GET']

describe('a room that queues everyone', () => {
  it('does not turn a preflight with an upgrade into a GET', async () => {
    await request('OPTIONS', '/checkout', 'held.test', ...PREFLIGHT, ...UPGRADE, ...KEY)
    expect(linesAtOrigin()).toEqual(['OPTIONS /checkout HTTP/1.1'])
  })

  it.each(['GET', 'POST', 'HEAD', 'DELETE'])('lets no %s with an upgrade through', async method => {
    expect(statusOf(await request(method, '/checkout', 'held.test', ...UPGRADE, ...KEY))).toBe(503)
    expect(seen).toEqual([])
  })

  it.each([
    'whatever.test',
    'held.test.evil.test',
    'held.test..',
    '.held.test',
    '127.0.0.1',
    '[::1]',
    'held.test:443:1',
    'held.test/x',
    'held.test?x',
    'open.test@held.test',
    'a b',
    'held"test',
    '%68eld.test',
    'held.test\r\nHost: open.test',
  ])('is not walked around by the host %j', async host => {
    const status = statusOf(await request('GET', '/checkout', host))
    expect([400, 421]).toContain(status)
    expect(seen).toEqual([])
  })

  it.each(['HELD.test', 'held.test.', 'held.test:8443'])('is found under the host %s', async host => {
    expect(statusOf(await request('GET', '/', host))).toBe(503)
    expect(seen).toEqual([])
  })

  it.each(['http://whatever.test/checkout', '*', 'checkout', '/x/../checkout', '\\checkout', '//checkout'])(
    'is not bypassed by the target %s',
    async target => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        expect([400, 503]).toContain(statusOf(await request(method, target, 'held.test')))
      }
      expect(seen).toEqual([])
    },
  )
})

describe('an open room', () => {
  it('forwards a bypassed POST with an upgrade as a POST', async () => {
    await request('POST', '/hook', 'open.test', ...UPGRADE, ...KEY, 'Content-Length: 0')
    expect(linesAtOrigin()).toEqual(['POST /hook HTTP/1.1'])
  })

  it('forwards a GET with an incomplete handshake without the upgrade', async () => {
    await request('GET', '/', 'open.test', ...UPGRADE)
    expect(linesAtOrigin()).toEqual(['GET / HTTP/1.1'])
    expect(seen[0]).not.toMatch(/^(upgrade|connection: *upgrade)/im)
  })

  it.each(['HEAD', 'DELETE', 'PUT', 'OPTIONS'])('forwards a %s with an upgrade as what it is', async method => {
    await request(method, '/', 'open.test', ...UPGRADE, ...KEY)
    expect(linesAtOrigin()).toEqual([`${method} / HTTP/1.1`])
  })

  it('answers a malformed host with 400 and a problem document', async () => {
    const answer = await request('GET', '/', 'a b')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('application/problem+json')
    expect(answer).toContain('malformed')
  })
})
