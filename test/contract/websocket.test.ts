import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

/** The larger sizes do not fit in a short frame, in a frame with a 16-bit length, or in one read. */
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 70_000, 1_000_000]
const MEGABYTE = 1_000_000

const rooms = [
  {
    name: 'shop',
    host: '*',
    total_active_users: 10_000,
    new_users_per_minute: 100_000,
    bypass: [{ path: '/open' }],
  },
]

let origin: Origin
let site: Site
let server: WebSocketServer
/** Decides how the origin treats the next socket. */
let serve: (socket: WebSocket) => void = () => undefined

beforeAll(async () => {
  origin = await startOrigin((_request, response) => response.end('hello'))
  site = await startSite({ origin: origin.url, rooms })
  server = new WebSocketServer({ noServer: true, handleProtocols: protocols => [...protocols].at(-1) ?? false })
  origin.server.on('upgrade', (request, socket: Socket, head) => {
    server.handleUpgrade(request, socket, head, opened => serve(opened))
  })
})

afterAll(async () => {
  await site.stop()
  server.close()
  await origin.stop()
})

interface Message {
  readonly data: Buffer
  readonly isBinary: boolean
}

/** A visitor's socket, with its messages from the very first one. */
function connect(path: string, protocols: string[] = [], options = {}): { socket: WebSocket; messages: Message[] } {
  const socket = new WebSocket(`${site.url.replace('http', 'ws')}${path}`, protocols, options)
  const messages: Message[] = []
  socket.on('message', (data: Buffer, isBinary) => messages.push({ data, isBinary }))
  socket.on('error', () => undefined)
  return { socket, messages }
}

/** Bytes that are not text, different for each position and size. */
function bytesOf(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31 + size) % 256))
}

const textOf = (size: number) => '\u00e9\u20ac\u{1f375}'.repeat(Math.ceil(size / 9)).slice(0, size)

async function closeOf(socket: WebSocket): Promise<[number, string]> {
  const [code, reason] = await once(socket, 'close')
  return [code as number, String(reason)]
}

/** Opens a socket and returns both of its ends. */
async function pair(path: string, protocols: string[] = [], options = {}) {
  const accepted = new Promise<WebSocket>(resolve => {
    serve = resolve
  })
  const { socket, messages } = connect(path, protocols, options)
  const [atOrigin] = await Promise.all([accepted, once(socket, 'open')])
  return { visitor: socket, atOrigin, messages }
}

describe.each([
  ['of a session', '/inside'],
  ['past the room', '/open'],
])('a WebSocket %s', (_, path) => {
  it('carries text and binary messages both ways unchanged and in order', async () => {
    const { visitor, atOrigin, messages } = await pair(path)
    const atOther: Message[] = []
    atOrigin.on('message', (data: Buffer, isBinary) => atOther.push({ data, isBinary }))
    const sent: Message[] = SIZES.flatMap(size => [
      { data: bytesOf(size), isBinary: true },
      { data: Buffer.from(textOf(size)), isBinary: false },
    ])
    for (const { data, isBinary } of sent) {
      visitor.send(data, { binary: isBinary })
      atOrigin.send(data, { binary: isBinary })
    }
    for (const arrived of [atOther, messages]) {
      await expect.poll(() => arrived.length, { timeout: 20_000 }).toBe(sent.length)
      expect(arrived.map(({ isBinary }) => isBinary)).toEqual(sent.map(({ isBinary }) => isBinary))
      for (const [nth, { data }] of arrived.entries()) expect(data.equals((sent[nth] as Message).data)).toBe(true)
    }
    visitor.terminate()
  })

  it('delivers everything that the origin sends right after the handshake', async () => {
    serve = socket => {
      for (let nth = 0; nth < 200; nth++) socket.send(`message ${nth}`)
      socket.close(4000, 'that is all')
    }
    const { socket, messages } = connect(path)
    expect(await closeOf(socket)).toEqual([4000, 'that is all'])
    expect(messages.map(({ data }) => String(data))).toEqual(Array.from({ length: 200 }, (_, nth) => `message ${nth}`))
  })

  it.each([
    [1000, ''],
    [1000, 'good bye'],
    [1001, 'the server restarts'],
    [1011, 'an error'],
    [3000, 'registered'],
    [4999, 'private'],
  ])('passes the close code %d and the reason %j both ways', async (code, reason) => {
    for (const closer of ['visitor', 'atOrigin'] as const) {
      const both = await pair(path)
      const closes = Promise.all([closeOf(both.visitor), closeOf(both.atOrigin)])
      both[closer].close(code, reason)
      expect(await closes, closer).toEqual([
        [code, reason],
        [code, reason],
      ])
    }
  })

  it('passes a close without a code as a close without a code', async () => {
    for (const closer of ['visitor', 'atOrigin'] as const) {
      const both = await pair(path)
      const closes = Promise.all([closeOf(both.visitor), closeOf(both.atOrigin)])
      both[closer].close()
      expect((await closes).map(([code]) => code)).toEqual([1005, 1005])
    }
  })

  it('delivers what the origin still sends after the visitor has begun to close', async () => {
    const socketAtOrigin = new Promise<Duplex>(resolve =>
      origin.server.once('upgrade', (_r, socket) => resolve(socket)),
    )
    const accepted = new Promise<WebSocket>(resolve => {
      serve = resolve
    })
    const { socket, messages } = connect(path)
    const [bare, atOrigin] = await Promise.all([socketAtOrigin, accepted, once(socket, 'open')])
    // The test writes these frames by hand: the library answers a Close frame at once and sends nothing after it.
    bare.removeAllListeners('data')
    const closing = once(bare, 'data')
    bare.resume()
    socket.close(4001, 'enough')
    await closing
    bare.write(Buffer.from([0x81, 10, ...Buffer.from('last words')]))
    bare.write(Buffer.from([0x88, 2, 0x0f, 0xa1]))
    expect((await closeOf(socket))[0]).toBe(4001)
    expect(messages.map(({ data }) => String(data))).toEqual(['last words'])
    atOrigin.terminate()
  })

  it('speaks the subprotocol that the origin has chosen', async () => {
    const { visitor, atOrigin } = await pair(path, ['chat.v2', 'chat.v1'])
    expect([visitor.protocol, atOrigin.protocol]).toEqual(['chat.v1', 'chat.v1'])
    visitor.terminate()
  })

  it('answers a ping of either side', async () => {
    const both = await pair(path)
    for (const side of [both.visitor, both.atOrigin]) {
      const pong = once(side, 'pong')
      side.ping('are you there')
      expect(String((await pong)[0])).toBe('are you there')
    }
    both.visitor.terminate()
  })

  it('gives a slow reader every message, though late', async () => {
    const { visitor, atOrigin, messages } = await pair(path, [], { perMessageDeflate: false })
    visitor.pause()
    for (let nth = 0; nth < 60; nth++) atOrigin.send(Buffer.alloc(MEGABYTE, nth))
    atOrigin.send('the end')
    // Wait until the buffer stops shrinking: nothing on the way takes more by now.
    const waiting = () => atOrigin.bufferedAmount
    for (let before = -1; before !== waiting(); await new Promise(resolve => setTimeout(resolve, 500)))
      before = waiting()
    visitor.resume()
    await expect.poll(() => messages.length, { timeout: 20_000 }).toBe(61)
    for (let nth = 0; nth < 60; nth++) {
      const { data } = messages[nth] as Message
      expect([data.length, data[0], data.at(-1)]).toEqual([MEGABYTE, nth, nth])
    }
    visitor.terminate()
  }, 60_000)
})

describe('a WebSocket of a session', () => {
  it('ends with a code for a lost connection when the other side was cut off', async () => {
    const first = await pair('/inside')
    const seen = closeOf(first.visitor)
    first.atOrigin.terminate()
    expect(await seen).toEqual([1014, 'the other side was cut off'])
    const second = await pair('/inside')
    const left = closeOf(second.atOrigin)
    second.visitor.terminate()
    expect(await left).toEqual([1001, 'the other side was cut off'])
  })
})

describe('a WebSocket that a bypass rule lets through', () => {
  it('holds the origin back while the visitor does not read', async () => {
    const { visitor, atOrigin } = await pair('/open', [], { perMessageDeflate: false })
    visitor.pause()
    for (let nth = 0; nth < 100; nth++) atOrigin.send(Buffer.alloc(MEGABYTE))
    const waiting = () => atOrigin.bufferedAmount
    for (let before = -1; before !== waiting(); await new Promise(resolve => setTimeout(resolve, 500)))
      before = waiting()
    expect(waiting()).toBeGreaterThan(50 * MEGABYTE)
    visitor.terminate()
  })

  it('passes the pings of each side to the other', async () => {
    const { visitor, atOrigin } = await pair('/open')
    const ping = once(atOrigin, 'ping')
    visitor.ping('are you there')
    expect(String((await ping)[0])).toBe('are you there')
    visitor.terminate()
  })
})
