/**
 * The snippets of docs/origin.md, run as an origin's developer would run them.
 * Every language must judge the same table of header values alike, keep the keys alike, and refuse alike.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyRing } from '../../../src/tokens/keyring.ts'
import { dropKeys } from '../../../src/tokens/rotation.ts'
import { freePort } from '../../../tools/support/ports.ts'
import { command } from '../../support/node/programs.ts'
import { CASES, type Case, claimsOf, everyChange, type Keys, makeKeys, pass, ROOM, ringOf, SID } from './cases.ts'
import {
  COOKIE,
  close,
  type KeyTimes,
  LANGUAGES,
  type Language,
  listen,
  NODE,
  Running,
  SNIPPETS,
  send,
  verify,
  verifyAll,
} from './runtimes.ts'

const DEFAULTS: KeyTimes = { maxAge: 300, cooldown: 60 }
const PREFLIGHT = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }

let directory: string
let keys: Keys
let jwksFile: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'antesala-snippets-'))
  keys = await makeKeys()
  jwksFile = join(directory, 'jwks.json')
  await writeFile(jwksFile, JSON.stringify(keys.ring.jwks))
})

afterAll(() => rm(directory, { recursive: true }))

for (const language of LANGUAGES) {
  describe(`the snippet for ${language.name}`, { tags: language.needs ?? [] }, () => testLanguage(language))
}

function testLanguage(language: Language): void {
  beforeAll(() => language.prepare(directory))

  describe('judging one value of the header', () => {
    const judged = new Map<unknown, { value: string; printed: unknown }>()

    // One process judges the whole table, because starting a process for each value takes a minute.
    beforeAll(async () => {
      const values = await Promise.all(CASES.map(({ header }) => header(keys)))
      const printed = await verifyAll(language.verifier(jwksFile), values)
      CASES.forEach((one, i) => {
        judged.set(one, { value: values[i] ?? '', printed: printed[i] })
      })
    })

    it.for(CASES)('$name: $refusal', async one => {
      const { value, printed } = one.isShort ? await judgedNow(one) : (judged.get(one) ?? { value: '', printed: null })
      expect(printed).toEqual(one.refusal === null ? { claims: claimsOf(shopPass(value)) } : { refusal: one.refusal })
    })

    /** Judges a value that is valid for a short time. A verifier that starts too slowly gets a new value. */
    const judgedNow = async ({ header }: Case) => {
      for (let tries = 1; ; tries++) {
        const value = await header(keys)
        const { printed } = await verify(language.verifier(jwksFile), value)
        if (tries === 5 || !('refusal' in Object(printed))) return { value, printed }
      }
    }

    it('ends with 0 for a pass, and with 1 for anything else', async () => {
      const token = await pass(keys.ring)
      const verifier = language.verifier(jwksFile)
      expect(await verify(verifier, token)).toEqual({ code: 0, printed: { claims: claimsOf(token) } })
      expect(await verify(verifier, 'no pass')).toEqual({ code: 1, printed: { refusal: 'malformed' } })
    })
  })

  describe('as an origin', () => {
    let edge: Edge
    let origin: Running

    beforeAll(async () => {
      edge = await Edge.start(keys.ring.jwks)
      origin = await serve(language, edge)
    })
    afterAll(async () => {
      await origin?.stop()
      await edge?.stop()
    })

    it('answers a request with a pass, and returns its session', async () => {
      const token = await pass(keys.ring)
      const answer = await send(origin.port, { 'Waiting-Room-Pass': token })
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.body)).toEqual({ claims: claimsOf(token) })
      expect(answer.headers['waiting-room-session']).toBe(SID)
    })

    it('takes the session from the pass, not from a header', async () => {
      const headers = { 'Waiting-Room-Pass': await pass(keys.ring), 'Waiting-Room-Session': 'somebody-else' }
      expect((await send(origin.port, headers)).headers['waiting-room-session']).toBe(SID)
    })

    it('takes the pass from the cookie where no header has one', async () => {
      const token = await pass(keys.ring)
      const sent = (cookie: string, more = {}) => send(origin.port, { Cookie: cookie, ...more })
      for (const cookie of [`${COOKIE}=${token}`, `cart=a=b; ${COOKIE}=x.y.z; ${COOKIE}=${token}; theme=dark`])
        expect((await sent(cookie)).headers['waiting-room-session']).toBe(SID)
      for (const cookie of [`${COOKIE}-2=${token}`, `x${COOKIE}=${token}`, `${COOKIE}=`, COOKIE, `${COOKIE}=x.y.z`])
        expect((await sent(cookie)).status, cookie).toBe(403)
      expect((await sent(`${COOKIE}=${token}`, { 'Waiting-Room-Pass': 'x.y.z' })).status).toBe(403)
    })

    it('finds its room among several header lines', async () => {
      for (const rooms of [
        ['news', ROOM],
        [ROOM, 'news'],
      ]) {
        const passes = await Promise.all(rooms.map(room => pass(keys.ring, { room })))
        expect((await send(origin.port, { 'Waiting-Room-Pass': passes })).status).toBe(200)
      }
    })

    it('refuses a request without a pass, and its answer does not reveal why', async () => {
      for (const headers of [{}, { 'Waiting-Room-Pass': await pass(keys.ring, { room: 'news' }) }]) {
        const answer = await send(origin.port, headers, { method: 'POST' })
        expect(answer.status).toBe(403)
        expect(answer.headers).toMatchObject({
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
        })
        const title = 'This site is entered through its waiting room'
        expect(JSON.parse(answer.body)).toEqual({ type: 'about:blank', title, status: 403 })
      }
      await expect.poll(() => origin.log).toContain('no pass (missing)')
      await expect.poll(() => origin.log).toContain('no pass (wrong-room)')
    })

    it('refuses a pass in which any one character is changed', async () => {
      const statuses = new Set<number>()
      for (const value of everyChange(await pass(keys.ring))) {
        statuses.add((await send(origin.port, { 'Waiting-Room-Pass': value })).status)
      }
      expect([...statuses]).toEqual([403])
    })

    it('survives a header of two megabytes', async () => {
      const answer = await send(origin.port, { 'Waiting-Room-Pass': 'a'.repeat(2_000_000) })
      expect([0, 400, 403, 413, 431]).toContain(answer.status)
      expect((await send(origin.port, { 'Waiting-Room-Pass': await pass(keys.ring) })).status).toBe(200)
    })

    it('lets through CORS preflights and exempt paths, but nothing similar', async () => {
      expect((await send(origin.port, PREFLIGHT, { method: 'OPTIONS' })).status).toBe(200)
      expect((await send(origin.port, {}, { path: '/healthz' })).status).toBe(200)
      expect((await send(origin.port, {}, { method: 'OPTIONS' })).status).toBe(403)
      expect((await send(origin.port, PREFLIGHT, { method: 'POST' })).status).toBe(403)
      expect((await send(origin.port, {}, { path: '/healthz/../' })).status).toBe(403)
    })

    it('asks the edge for its keys once, however many passes have an unknown key', async () => {
      const token = await pass(keys.unpublished)
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => send(origin.port, { 'Waiting-Room-Pass': token })),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(403))
      expect(edge.asked).toBe(1)
    })
  })
}

describe.concurrent('the keys of an origin', () => {
  for (const language of LANGUAGES) {
    const name = `in ${language.name} follow the edge, and stay the last good ones while it has none`
    it(name, { tags: language.needs ?? [] }, async ({ expect }) => {
      await language.prepare(directory)
      const edge = await Edge.start(null)
      const origin = await serve(language, edge, { maxAge: 2, cooldown: 1 })
      const ask = async (ring: KeyRing) => send(origin.port, { 'Waiting-Room-Pass': await pass(ring) })
      const statusOf = async (ring: KeyRing) => (await ask(ring)).status
      try {
        const unsure = await ask(keys.before)
        expect([unsure.status, unsure.headers['retry-after']]).toEqual([503, '5'])

        edge.jwks = keys.before.jwks
        await expect.poll(() => statusOf(keys.before), { timeout: 4_000 }).toBe(200)
        expect(await statusOf(keys.ring)).toBe(403)

        edge.jwks = keys.ring.jwks
        await expect.poll(() => statusOf(keys.ring), { timeout: 4_000 }).toBe(200)
        expect(await statusOf(keys.before)).toBe(200)

        const statuses = new Set<number>()
        for (const nothing of [
          null,
          '<html>',
          { keys: [] },
          { keys: [{ kty: 'oct', k: 'AAAA', kid: 'p-new' }] },
          null,
        ]) {
          edge.jwks = nothing
          const asked = edge.asked + 1
          await expect
            .poll(() => statusOf(keys.ring).then(status => statuses.add(status) && edge.asked), { timeout: 5_000 })
            .toBeGreaterThanOrEqual(asked)
        }
        expect([...statuses]).toEqual([200])

        const dropped = await ringOf(dropKeys(keys.stored))
        edge.jwks = dropped.jwks
        await expect.poll(() => statusOf(keys.before), { timeout: 5_000 }).toBe(403)
        expect(await statusOf(dropped)).toBe(200)
      } finally {
        await origin.stop()
        await edge.stop()
      }
    })
  }
})

describe('the snippet for nginx', { tags: 'nginx' }, () => {
  let edge: Edge
  let verifier: Running
  let nginx: Running
  let site: Server
  /** Requests that reached the site behind nginx. */
  const reached: { url: string | undefined; session: string | string[] | undefined }[] = []
  let accessLog: string

  beforeAll(async () => {
    edge = await Edge.start(keys.ring.jwks)
    verifier = await serve(NODE, edge)
    site = createServer((request, response) => {
      reached.push({ url: request.url, session: request.headers['waiting-room-session'] })
      response.setHeader('Waiting-Room-Command', 'extend=600')
      response.end('the site')
    })
    accessLog = join(directory, 'waiting-room.log')
    nginx = await startNginx({ verifier: verifier.port, site: await listen(site) })
  })
  afterAll(async () => {
    await nginx?.stop()
    if (site) await close(site)
    await verifier?.stop()
    await edge?.stop()
  })

  // Node itself sends no header with a newline or letters that are not ASCII.
  it.each(CASES.filter(({ name }) => !/newline|ASCII/.test(name)))(
    '$name: $refusal',
    async ({ name, header, refusal }) => {
      reached.length = 0
      const answer = await send(nginx.port, { 'Waiting-Room-Pass': await header(keys) })
      if (refusal === null) {
        expect(answer.status).toBe(200)
        expect(reached).toEqual([{ url: '/', session: SID }])
      } else {
        expect(reached).toEqual([])
        // nginx itself refuses a header larger than its buffers, with 400 or by closing the connection.
        expect(/megabytes/.test(name) ? [0, 400] : [403]).toContain(answer.status)
      }
    },
  )

  it('refuses with a problem document', async () => {
    const answer = await send(nginx.port, {}, { method: 'POST', path: '/checkout' })
    expect(answer.status).toBe(403)
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(JSON.parse(answer.body)).toMatchObject({ type: 'about:blank', status: 403 })
  })

  it('finds its room among several header lines', async () => {
    const passes = [await pass(keys.ring, { room: 'news' }), await pass(keys.ring)]
    expect((await send(nginx.port, { 'Waiting-Room-Pass': passes })).status).toBe(200)
  })

  it('finds the pass in the cookie', async () => {
    reached.length = 0
    await send(nginx.port, { Cookie: `cart=1; ${COOKIE}=${await pass(keys.ring)}` }, { path: '/basket' })
    expect(reached).toEqual([{ url: '/basket', session: SID }])
  })

  it('gives the site the session of the pass, whatever the request claims, and logs it', async () => {
    reached.length = 0
    const headers = { 'Waiting-Room-Pass': await pass(keys.ring), 'Waiting-Room-Session': ['somebody', 'else'] }
    const answer = await send(nginx.port, headers, { path: '/basket?item=1' })
    expect(reached).toEqual([{ url: '/basket?item=1', session: SID }])
    expect(answer.headers['waiting-room-command']).toBe('extend=600')
    await expect
      .poll(() => readFile(accessLog, 'utf8'), { timeout: 5_000 })
      .toMatch(new RegExp(`^${SID.replace('.', '\\.')} \\S+ "GET /basket\\?item=1 HTTP/1.1" 200 `, 'm'))
  })

  it('lets through CORS preflights and the health check, but nothing similar', async () => {
    expect((await send(nginx.port, PREFLIGHT, { method: 'OPTIONS' })).status).toBe(200)
    expect((await send(nginx.port, {}, { path: '/healthz' })).status).toBe(200)
    expect((await send(nginx.port, {}, { method: 'OPTIONS' })).status).toBe(403)
    expect((await send(nginx.port, PREFLIGHT, { method: 'POST' })).status).toBe(403)
    expect((await send(nginx.port, {}, { path: '/_waiting_room_pass' })).status).toBe(404)
  })

  it('refuses every request while the verifier is down', async () => {
    await verifier.stop()
    reached.length = 0
    const answer = await send(nginx.port, { 'Waiting-Room-Pass': await pass(keys.ring) })
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(reached).toEqual([])
  })

  /** The configuration from docs, with this machine's ports and paths. */
  async function startNginx(ports: { verifier: number; site: number }): Promise<Running> {
    const port = await freePort()
    let included = await readFile(join(SNIPPETS, 'nginx/waiting-room.conf'), 'utf8')
    for (const [written, here] of [
      ['server 127.0.0.1:8081;', `server 127.0.0.1:${ports.verifier};`],
      ['server 127.0.0.1:8080;', `server 127.0.0.1:${ports.site};`],
      ['listen 8000;', `listen 127.0.0.1:${port};`],
      ['/var/log/nginx/waiting-room.log', accessLog],
    ] as const) {
      expect(included.split(written)).toHaveLength(2)
      included = included.replace(written, here)
    }
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      kind => `${kind}_temp_path ${directory}/${kind};`,
    )
    await writeFile(join(directory, 'waiting-room.conf'), included)
    await writeFile(
      join(directory, 'nginx.conf'),
      `pid ${directory}/nginx.pid; error_log stderr; daemon off; worker_processes 1; events {}
      http { ${paths.join(' ')} access_log off; include ${directory}/waiting-room.conf; }`,
    )
    const options = ['-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')]
    return Running.start(port, { command: [command('nginx'), ...options] })
  }
})

/** An edge that publishes public keys and counts the requests for them. It answers 503 while its keys are null. */
class Edge {
  asked = 0
  readonly #server: Server
  #port = 0

  jwks: unknown

  private constructor(jwks: unknown) {
    this.jwks = jwks
    this.#server = createServer((_, response) => {
      this.asked++
      response.writeHead(this.jwks === null ? 503 : 200, { 'Content-Type': 'application/json' })
      response.end(typeof this.jwks === 'string' ? this.jwks : JSON.stringify(this.jwks))
    })
  }

  static async start(jwks: unknown): Promise<Edge> {
    const edge = new Edge(jwks)
    edge.#port = await listen(edge.#server)
    return edge
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/.waiting-room/jwks.json`
  }

  stop(): Promise<void> {
    return close(this.#server)
  }
}

async function serve(language: Language, edge: Edge, times = DEFAULTS): Promise<Running> {
  const port = await freePort()
  return Running.start(port, language.server(edge.url, port, directory, times))
}

/** Returns the pass for the room of the table from a value of the header. */
function shopPass(value: string): string {
  return (
    value.split(',').find(token => token.includes('.ey') && (claimsOf(token) as { aud: string }).aud === ROOM) ?? ''
  )
}
