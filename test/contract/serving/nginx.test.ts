/**
 * The whole server block of docs/self-hosting, in the real nginx.
 * @module-tag nginx
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request as requestPlain, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type RequestOptions, request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { freePort } from '../../../tools/support/ports.ts'
import { type Certificate, selfSigned } from '../../support/node/certificate.ts'
import { command } from '../../support/node/programs.ts'
import { type Origin, type Site, startOrigin, startSite } from '../../support/node/served.ts'
import { Running } from '../snippets/runtimes.ts'

const HOST = 'shop.example.com'
const CONFIG = new URL('../../../docs/self-hosting/nginx.conf', import.meta.url)
const CHUNK = Buffer.alloc(1_000_000, 'tea ')
const CHUNKS = 210

let directory: string
let origin: Origin
let site: Site
let nginx: Running
let ports: { plain: number; tls: number }
let certificate: Certificate
/** Requests that the origin received. */
const reached: IncomingMessage[] = []
/** Bytes of an upload that the origin has received so far. */
let received = 0
let stream: ServerResponse

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'antesala-nginx-'))
  certificate = selfSigned(HOST, Date.now())
  writeFileSync(join(directory, 'cert.pem'), certificate.cert)
  writeFileSync(join(directory, 'key.pem'), certificate.key)
  origin = await startOrigin((incoming, answer) => {
    reached.push(incoming)
    if (incoming.url === '/stream') {
      stream = answer
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: first\n\n')
    } else if (incoming.url === '/upload') {
      received = 0
      incoming.on('data', (part: Buffer) => {
        received += part.length
      })
      incoming.on('end', () => answer.end(`${received} bytes`))
    } else answer.end(`hello from ${incoming.headers.host}`)
  })
  new WebSocketServer({ server: origin.server }).on('connection', socket =>
    socket.on('message', text => socket.send(`you said ${text}`)),
  )
  site = await startSite({
    origin: origin.url,
    rooms: [{ name: 'shop', host: HOST, total_active_users: 1_000, new_users_per_minute: 60_000 }],
    behindProxy: true,
    variables: { TRUSTED_IP_HEADER: 'X-Real-IP', ORIGIN_HOST_HEADER: 'visitor', ADMIN_HOST: 'admin.example.com' },
  })
  ports = { plain: await freePort(), tls: await freePort() }
  nginx = await startNginx()
})

afterAll(async () => {
  await nginx?.stop()
  await site?.stop()
  await origin?.stop()
  if (directory) rmSync(directory, { recursive: true, force: true })
})

/** The configuration from docs, with this machine's ports and paths. */
async function startNginx(): Promise<Running> {
  let config = readFileSync(CONFIG, 'utf8')
  for (const [written, here, times] of [
    ['server 127.0.0.1:8787;', `server 127.0.0.1:${new URL(site.url).port};`, 1],
    ['listen 80', `listen 127.0.0.1:${ports.plain}`, 2],
    ['listen 443', `listen 127.0.0.1:${ports.tls}`, 2],
    ['/etc/letsencrypt/live/shop.example.com/fullchain.pem', join(directory, 'cert.pem'), 1],
    ['/etc/letsencrypt/live/shop.example.com/privkey.pem', join(directory, 'key.pem'), 1],
  ] as const) {
    expect(config.split(written)).toHaveLength(times + 1)
    config = config.replaceAll(written, here)
  }
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  for (const kind of kinds) mkdirSync(join(directory, kind))
  const paths = kinds.map(kind => `${kind}_temp_path ${join(directory, kind)};`)
  writeFileSync(join(directory, 'antesala.conf'), config)
  writeFileSync(
    join(directory, 'nginx.conf'),
    `user root; pid ${directory}/nginx.pid; error_log stderr; daemon off; worker_processes 1; events {}
    http { ${paths.join(' ')} access_log off; include ${directory}/antesala.conf; }`,
  )
  const options = ['-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')]
  return Running.start(ports.tls, { command: [command('nginx'), ...options] })
}

const tls = () => ({ host: '127.0.0.1', port: ports.tls, servername: HOST, ca: certificate.cert })

function ask(path: string, options: RequestOptions = {}) {
  return request({ ...tls(), path, ...options, headers: { Host: HOST, ...options.headers } })
}

async function answerTo(asked: ReturnType<typeof ask>): Promise<{ response: IncomingMessage; text: string }> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of response) text += part
  return { response, text }
}

/** Sends bytes unchanged, and reads until the other side closes. */
async function raw(socket: Duplex, text: string): Promise<string> {
  let answer = ''
  socket.on('data', part => {
    answer += part
  })
  socket.write(text)
  await once(socket, 'close')
  return answer
}

describe('nginx in front of the site', () => {
  it("determines the visitor's address, whatever the visitor's headers claim", async () => {
    const lies = { 'X-Real-IP': '203.0.113.9', 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'http' }
    const { response, text } = await answerTo(ask('/', { headers: { ...lies, Proxy: 'x', Forwarded: 'for=x' } }).end())
    expect(text).toBe(`hello from ${HOST}`)
    expect(String(response.headers['set-cookie'])).toMatch(/^__Host-antesala-shop=.*; Secure/)
    const { headers } = reached.at(-1) as IncomingMessage
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' })
    expect(JSON.stringify(headers)).not.toContain('203.0.113.9')
    expect([headers.proxy, headers.forwarded]).toEqual([undefined, undefined])
  })

  it('delivers an event stream event by event', async () => {
    const [response] = (await once(ask('/stream').end(), 'response')) as [IncomingMessage]
    response.setEncoding('utf8')
    expect((await once(response, 'data'))[0]).toBe('data: first\n\n')
    stream.write('data: second\n\n')
    expect((await once(response, 'data'))[0]).toBe('data: second\n\n')
    stream.end()
    response.resume()
    await once(response, 'end')
  })

  it('passes a WebSocket both ways', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${ports.tls}/socket`, { ...tls(), headers: { Host: HOST } })
    await once(socket, 'open')
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('you said hello')
    socket.close()
    await once(socket, 'close')
  })

  it('passes an upload of 210 MB on while it is sent, and stores it nowhere', async () => {
    const upload = ask('/upload', { method: 'POST', headers: { 'Content-Length': CHUNKS * CHUNK.length } })
    const answer = answerTo(upload)
    for (let nth = 0; nth < CHUNKS; nth++) {
      if (!upload.write(CHUNK)) await once(upload, 'drain')
      // Buffers on the way hold a few megabytes. A stored copy of the upload would hold back all of it.
      if (nth === 150) await expect.poll(() => received, { timeout: 20_000 }).toBeGreaterThan(100 * CHUNK.length)
    }
    expect(readdirSync(join(directory, 'client_body'))).toEqual([])
    upload.end()
    expect((await answer).text).toBe(`${CHUNKS * CHUNK.length} bytes`)
  })

  it('speaks HTTP/2', async () => {
    const session = connectHttp2(`https://${HOST}`, {
      createConnection: () => connectTls({ ...tls(), ALPNProtocols: ['h2'] }),
    })
    const asked = session.request({ ':path': '/' })
    const [headers] = await once(asked, 'response')
    expect(headers[':status']).toBe(200)
    asked.resume()
    session.close()
  })

  it('redirects plain http', async () => {
    const asked = requestPlain({ host: '127.0.0.1', port: ports.plain, path: '/a?b=c', headers: { Host: HOST } }).end()
    const { response } = await answerTo(asked)
    expect([response.statusCode, response.headers.location]).toEqual([308, `https://${HOST}/a?b=c`])
  })
})

describe('a host that is not served', () => {
  const ends = 'Connection: close\r\n\r\n'
  const targets = [
    ['another name', `GET / HTTP/1.1\r\nHost: whatever.example\r\n${ends}`],
    ['an absolute form', `GET http://whatever.example/ HTTP/1.1\r\nHost: ${HOST}\r\n${ends}`],
    ['an address', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${ends}`],
    ['two dots at the end', `GET / HTTP/1.1\r\nHost: ${HOST}..\r\n${ends}`],
    ['a dot at the beginning', `GET / HTTP/1.1\r\nHost: .${HOST}\r\n${ends}`],
    ['no host', `GET / HTTP/1.1\r\n${ends}`],
    ['an old request without a host', 'GET / HTTP/1.0\r\n\r\n'],
    ['an asterisk', `GET * HTTP/1.1\r\nHost: ${HOST}\r\n${ends}`],
  ] as const

  it.each(targets)('does not reach the origin by TLS: %s', async (_what, text) => {
    reached.length = 0
    const socket = connectTls(tls())
    await once(socket, 'secureConnect')
    expect(await raw(socket, text)).toMatch(/^HTTP\/1\.1 4(00|21) /)
    expect(reached).toEqual([])
  })

  it.each(targets)('does not reach the origin in plain http: %s', async (_what, text) => {
    reached.length = 0
    expect(await raw(connectPlain(ports.plain, '127.0.0.1'), text)).toMatch(/^HTTP\/1\.1 4(00|21) /)
    expect(reached).toEqual([])
  })

  it('gets no certificate', async () => {
    const socket = connectTls({ ...tls(), servername: 'whatever.example' })
    await expect(once(socket, 'secureConnect')).rejects.toThrow()
  })
})
