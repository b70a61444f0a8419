import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pause, send, Visitor } from '../support/node/browser-like.ts'
import { type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

const rooms = [
  {
    name: 'shop',
    host: '*',
    total_active_users: 10_000,
    new_users_per_minute: 100_000,
    origin_timeout: 0.7,
    session_duration: 0.2,
  },
  {
    name: 'uploads',
    host: 'uploads.test',
    total_active_users: 10_000,
    new_users_per_minute: 100_000,
    origin_timeout: 0.7,
    health: { target_ms: 650 },
  },
]

let origin: Origin
let site: Site
/** The last request as the origin received it. */
let seen: { url: string; headers: Record<string, unknown>; raw: string[] }

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    seen = { url: request.url ?? '', headers: request.headers, raw: request.rawHeaders }
    const path = request.url?.split('?')[0]
    if (path === '/silent') return
    if (path === '/reset') return void request.socket.destroy()
    if (path === '/slow-body') {
      response.write('first')
      setTimeout(() => response.end(' last'), 1_500)
    } else if (path === '/collect') {
      request.setEncoding('utf8')
      let text = ''
      request.on('data', part => {
        text += part
      })
      request.on('end', () => response.end(`collected ${text}`))
    } else if (path === '/echo') {
      response.setHeader('Content-Type', request.headers['content-type'] ?? 'application/octet-stream')
      request.pipe(response)
    } else if (path === '/range') {
      response.writeHead(206, { 'Content-Range': 'bytes 0-4/100', 'Accept-Ranges': 'bytes' }).end('hello')
    } else response.setHeader('X-Origin', 'yes').end(`hello from ${request.url}`)
  })
  site = await startSite({ origin: origin.url, rooms })
})

afterAll(async () => {
  await site.stop()
  await origin.stop()
})

/** Sends bytes unchanged, with `Connection: close`, and reads until the other side closes. */
async function raw(text: string, more: readonly string[] = []): Promise<string> {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => {
    answer += chunk.toString('latin1')
  })
  const over = new Promise(resolve => socket.once('close', resolve))
  await once(socket, 'connect')
  socket.write(text)
  for (const part of more) {
    await pause(300)
    socket.write(part)
  }
  await over
  return answer
}

describe('plain workerd', () => {
  it('forwards the address of the connection and believes no header about it', async () => {
    await send(`${site.url}/`, { headers: { 'X-Forwarded-For': '203.0.113.9', 'CF-Connecting-IP': '203.0.113.9' } })
    expect(seen.headers['x-forwarded-for']).toMatch(/^(127\.0\.0\.1|::1)$/)
    expect(JSON.stringify(seen.headers)).not.toContain('203.0.113.9')
  })

  it('keeps hop-by-hop headers from the origin', async () => {
    await raw(
      'GET /hop HTTP/1.1\r\nHost: x\r\nConnection: close, X-Private\r\nX-Private: 1\r\nTE: trailers\r\nKeep-Alive: 9\r\nProxy-Authorization: Basic eA==\r\n\r\n',
    )
    expect(seen.url).toBe('/hop')
    for (const name of ['x-private', 'te', 'keep-alive', 'proxy-authorization'])
      expect(seen.headers[name], name).toBeUndefined()
  })

  it('forwards the path as it came', async () => {
    await raw('GET /a%2Fb/%63;d?x=%20 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(seen.url).toBe('/a%2Fb/%63;d?x=%20')
  })

  it.each([
    [(pass: string) => ['theme=dark', `${pass}; cart=3`], 'theme=dark; cart=3'],
    [(pass: string) => [pass, 'theme=dark; cart=3'], 'theme=dark; cart=3'],
    [(pass: string) => ['theme=dark', 'cart=3', pass], 'theme=dark, cart=3'],
  ])('finds a pass in any Cookie line and keeps it from the origin (%#)', async (linesWith, rest) => {
    const visitor = new Visitor(site.url, 'shop')
    await visitor.get('/')
    const lines = linesWith(visitor.cookie).map(line => `Cookie: ${line}\r\n`)
    const answer = await raw(`GET /two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.join('')}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(seen.headers['waiting-room-session']).toBe(visitor.claims.sub)
    expect(seen.headers.cookie).toBe(rest)
  })

  it('streams bodies both ways: a megabyte comes back whole', async () => {
    const body = 'tea and cake '.repeat(80_000)
    const { text } = await send(`${site.url}/echo`, { method: 'POST', body })
    expect(text.length).toBe(body.length)
    expect(text).toBe(body)
  })

  it.each(['Content-Length: 0\r\n\r\n', 'Content-Length: 5\r\n\r\nhello'])(
    'answers a GET with a meaningless body: %j',
    async body => {
      const answer = await raw(`GET /with-body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${body}`)
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
      expect(answer).toContain('hello from /with-body')
      expect([seen.url, seen.headers['content-length'] ?? '0']).toEqual(['/with-body', '0'])
    },
  )

  it.each([
    ['with its length', 'Content-Length: 25', (part: string) => part, ''],
    ['in chunks', 'Transfer-Encoding: chunked', (part: string) => `5\r\n${part}\r\n`, '0\r\n\r\n'],
  ])(
    'lets an upload %s take longer than the origin may, without counting that against its health',
    async (_, field, framed, end) => {
      const head = `POST /collect HTTP/1.1\r\nHost: uploads.test\r\nContent-Type: text/plain\r\nConnection: close\r\n${field}\r\n\r\n`
      const parts = ['first', 'secon', 'third', 'forth', 'fifth'].map(framed)
      const answer = await raw(head, [...parts.slice(0, -1), parts.at(-1) + end])
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
      expect(answer).toContain('collected firstseconthirdforthfifth')
      // A good sample is reported with the next request.
      await pause(1_100)
      await send(`${site.url}/next`, { headers: { Host: 'uploads.test' } })
      await pause(2_500)
      const health = async () => {
        const { figures } = (await site.describe('uploads')) as unknown as {
          figures: { health: { upstreams: { samples: number; apdex: number; failures: number }[] } }
        }
        return figures.health.upstreams[0]
      }
      await expect.poll(async () => (await health())?.samples, { timeout: 10_000 }).toBeGreaterThan(0)
      expect(await health()).toMatchObject({ apdex: 1, failures: 0 })
    },
  )

  it('delivers the first part of an answer before the last part is written', async () => {
    const startMs = performance.now()
    const response = await fetch(`${site.url}/slow-body`)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe('first')
    const firstMs = performance.now() - startMs
    const second = await reader?.read()
    expect(Buffer.from(second?.value ?? []).toString()).toBe(' last')
    // The timeout covers the time to the first byte. The body may take longer.
    expect(performance.now() - startMs).toBeGreaterThan(firstMs + 500)
  })

  it('keeps the meaning of HEAD and of ranges', async () => {
    const head = await send(`${site.url}/page`, { method: 'HEAD' })
    expect([head.status, head.text, head.headers['x-origin']]).toEqual([200, '', 'yes'])
    const range = await send(`${site.url}/range`, { headers: { Range: 'bytes=0-4' } })
    expect([range.status, range.headers['content-range']]).toEqual([206, 'bytes 0-4/100'])
    expect(seen.headers.range).toBe('bytes=0-4')
  })

  it('gives up on an origin that never answers, and keeps the session', async () => {
    const visitor = new Visitor(site.url, 'shop')
    await visitor.get('/')
    const session = visitor.claims.sub
    const { status, headers, text } = await visitor.get('/silent')
    expect([status, headers['content-type']]).toEqual([504, 'text/html; charset=utf-8'])
    expect(headers['retry-after']).toBeDefined()
    expect(text).not.toMatch(/Error|^ +at \w+/m)
    await visitor.get('/')
    expect(visitor.claims.sub).toBe(session)
  })

  it('answers for an origin that cuts the connection or does not exist', async () => {
    const cut = await send(`${site.url}/reset`)
    expect([cut.status, cut.headers['content-type']]).toEqual([502, 'application/problem+json'])
    const elsewhere = await startSite({ origin: 'http://127.0.0.1:1', rooms })
    try {
      const { status, text, headers } = await send(`${elsewhere.url}/`)
      expect([status, headers['retry-after'] !== undefined]).toEqual([502, true])
      expect(text).not.toMatch(/127\.0\.0\.1|ECONN|refused/)
    } finally {
      await elsewhere.stop()
    }
  })

  it.each([
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['an absolute target', 'GET http://x/checkout HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['a target of control characters', 'GET /\x01\x02 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['a huge cookie', `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'a=b; '.repeat(3_000)}\r\nConnection: close\r\n\r\n`],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['a target of percent signs', 'GET /%%%25%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ])('answers %s without a 500 or a stack trace', async (_what, text) => {
    const answer = await raw(text)
    expect(answer).not.toMatch(/^HTTP\/1\.1 500/)
    expect(answer).not.toMatch(/\n\s+at /)
  })
})

describe("an origin that receives the visitor's Host", () => {
  it('gets uploads unchanged, and no body of a GET', async () => {
    const variables = { ORIGIN_HOST_HEADER: 'visitor' }
    const direct = await startSite({ origin: origin.url, rooms, variables })
    try {
      const headers = { Host: 'shop.example', 'Content-Type': 'text/plain' }
      for (const path of ['/echo', '/collect']) {
        const { status, text } = await send(`${direct.url}${path}`, {
          method: 'POST',
          headers,
          body: 'tea and biscuits',
        })
        expect([status, text]).toEqual([200, `${path === '/echo' ? '' : 'collected '}tea and biscuits`])
        expect(seen.headers).toMatchObject({ host: 'shop.example', 'content-length': '16' })
      }
      const got = await send(`${direct.url}/with-body`, { headers, body: 'hello' })
      expect([got.status, got.text]).toEqual([200, 'hello from /with-body'])
      expect(seen.headers['content-length'] ?? '0').toBe('0')
    } finally {
      await direct.stop()
    }
  })
})

describe('a site behind a proxy with TLS', () => {
  it('takes scheme and address from the proxy, and binds the cookie to host and https', async () => {
    const variables = { TRUSTED_IP_HEADER: 'X-Real-IP' }
    const proxied = await startSite({ origin: origin.url, rooms, behindProxy: true, isolates: 2, variables })
    try {
      for (let isolate = 0; isolate < 2; isolate++) {
        const { headers } = await send(`${proxied.url}/`, {
          headers: { Host: 'shop.example', 'X-Forwarded-Proto': 'https', 'X-Real-IP': '203.0.113.9' },
        })
        expect(String(headers['set-cookie'])).toMatch(/^__Host-antesala-shop=.*; Secure/)
        expect(seen.headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' })
      }
      const plain = await send(`${proxied.url}/`, { headers: { 'X-Forwarded-Proto': 'http' } })
      expect(String(plain.headers['set-cookie'])).toMatch(/^antesala-shop=/)
    } finally {
      await proxied.stop()
    }
  })
})

describe('an address header that several proxies append to', () => {
  it('is believed for the entry of our own proxy only, not for what the visitor wrote', async () => {
    const variables = { TRUSTED_IP_HEADER: 'X-Forwarded-For', CONTROL_PREFIX: '/queue' }
    const proxied = await startSite({ origin: origin.url, rooms, variables, controlPrefix: '/queue' })
    try {
      await send(`${proxied.url}/`, { headers: { 'X-Forwarded-For': '198.51.100.7, 203.0.113.9' } })
      expect(seen.headers['x-forwarded-for']).toBe('203.0.113.9')
      expect((await send(`${proxied.url}/queue/healthz`)).status).toBe(200)
    } finally {
      await proxied.stop()
    }
  })
})

describe('a WebSocket', () => {
  it('that the origin refuses gets an ordinary answer, with the pass of a newcomer', async () => {
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`${site.url.replace('http', 'ws')}/plain`)
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(200)
    expect(response.headers['x-origin']).toBe('yes')
    expect(String(response.headers['set-cookie'])).toContain('antesala-shop=')
    response.destroy()
  })

  it('passes messages both ways, and is closed when its session ends', async () => {
    const { WebSocketServer } = await import('ws')
    const server = new WebSocketServer({ server: origin.server, path: '/ws' })
    server.on('connection', socket => socket.on('message', data => socket.send(`you said ${data}`)))
    const visitor = new Visitor(site.url, 'shop')
    await visitor.get('/')
    await visitor.get('/')
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`${site.url.replace('http', 'ws')}/ws`, { headers: { Cookie: visitor.cookie } })
    await once(socket, 'open')
    socket.send('hello')
    const [message] = await once(socket, 'message')
    expect(String(message)).toBe('you said hello')
    const closed = once(socket, 'close')
    const response = await fetch(`${site.url}/.waiting-room/api/v1/rooms/shop/sessions/${visitor.claims.sub}`, {
      method: 'DELETE',
      headers: { Authorization: 'Bearer an-admin-token-for-process-tests-only' },
    })
    expect(response.status).toBe(204)
    const [code, reason] = await closed
    expect([code, String(reason)]).toEqual([1008, 'the session has ended'])
    server.close()
  }, 30_000)
})
