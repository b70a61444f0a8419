/** Brings the rooms into their states: one insider goes into each while it is open, and then the room is changed. */
import { Connection } from './connection.ts'
import type { Tokens } from './draft.ts'
import { hostOf } from './mutations/profiles.ts'
import { FROM_ORIGIN } from './origin.ts'
import { ADMIN_HOST, type Region, SITE_HOST } from './regions.ts'
import { fieldOf, type Header, valuesOf } from './wire.ts'

const WITHIN_MS = 20_000
/** A change is in force everywhere within two seconds. Doors give back unspent permits within four. */
const ROUND_MS = 250
const ROUNDS_CLOSED = 10
const ROUNDS_MAX = 160

interface Response {
  readonly status: number
  readonly headers: readonly Header[]
  readonly body: string
}

/** Sends plain requests, one after another. */
export class Visits {
  readonly #connection: Connection
  readonly #adminToken: string

  constructor(port: number, adminToken: string) {
    this.#connection = new Connection(port, '127.0.0.1')
    this.#adminToken = adminToken
  }

  get(path: string, lines: readonly string[] = [], host = SITE_HOST): Promise<Response> {
    return this.send('GET', path, [`Host: ${host}`, 'Accept: text/html', ...lines])
  }

  async change(room: string, change: unknown): Promise<void> {
    const lines = [`Host: ${ADMIN_HOST}`, `Authorization: Bearer ${this.#adminToken}`]
    const path = `/.waiting-room/api/v1/rooms/${room}`
    const { status, body } = await this.send('PATCH', path, lines, JSON.stringify(change))
    if (status !== 200) throw new Error(`room ${room} could not be changed: ${status} ${body}`)
  }

  async send(method: string, path: string, lines: readonly string[], body = ''): Promise<Response> {
    const head = [`${method} ${path} HTTP/1.1`, ...lines, `Content-Length: ${Buffer.byteLength(body)}`]
    const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
    const answer = await this.#connection.ask({ bytes, isHead: false, isLast: false, withinMs: WITHIN_MS })
    if (answer.kind === 'answer') return answer
    throw new Error(`${method} ${path} got no answer: the connection was ${answer.kind}`)
  }

  close(): void {
    this.#connection.close()
  }
}

/** Returns three tokens for each room: a pass, the session of the pass, and the pass with one change. */
export async function enter(visits: Visits, regions: readonly Region[]): Promise<Tokens> {
  const tokens = new Map<string, string>()
  for (const region of regions) {
    const { name } = region
    const first = await visits.get(pathOf(region), [], hostOf(region))
    const pass = cookieOf(first.headers, name)
    if (first.status !== 200) throw new Error(`no visitor is let into the room ${name}: ${first.status}`)
    if (pass !== null) {
      tokens.set(`pass:${name}`, pass)
      tokens.set(`changed:${name}`, changed(pass))
      tokens.set(`session:${name}`, String(claimsOf(pass).sub))
      // A session is short until the visitor has sent the pass back.
      await visits.get(pathOf(region), [`Cookie: antesala-${name}=${pass}`], hostOf(region))
      await spend(visits, region, pass)
    }
    if (region.live) await visits.change(name, region.live)
  }
  return tokens
}

/** Waits until every shut room has refused newcomers for a while, and returns the tickets of the last ones. */
export async function untilShut(visits: Visits, regions: readonly Region[]): Promise<Tokens> {
  const tickets = new Map<string, string>()
  const shut = regions.filter(({ gate }) => gate === 'shut')
  for (let rounds = 0, closed = 0; closed < ROUNDS_CLOSED; rounds++) {
    const open: string[] = []
    for (const region of shut) {
      const { headers } = await visits.get(pathOf(region), [], hostOf(region))
      const token = cookieOf(headers, region.name)
      if (fieldOf(headers, FROM_ORIGIN) !== null) open.push(region.name)
      else if (token !== null) tickets.set(`ticket:${region.name}`, token)
    }
    closed = open.length > 0 ? 0 : closed + 1
    if (rounds === ROUNDS_MAX) throw new Error(`rooms that do not close: ${open.join(', ')}`)
    await new Promise(resolve => setTimeout(resolve, ROUND_MS))
  }
  return tickets
}

/** Uses up the insider's allowance of each policy, until the insider is refused. */
async function spend(visits: Visits, region: Region, pass: string): Promise<void> {
  for (const { methods, paths } of region.limits) {
    const lines = [`Host: ${hostOf(region)}`, `Cookie: antesala-${region.name}=${pass}`]
    const statuses: number[] = []
    while (statuses.length < 3) {
      const path = paths?.[0] ?? pathOf(region)
      statuses.push((await visits.send(methods?.[0] ?? 'GET', path, lines)).status)
    }
    if (statuses.at(-1) !== 429) throw new Error(`the insider of ${region.name} is not limited: ${statuses.join(', ')}`)
  }
}

/** The path at which the insider enters: no bypass rule of the room matches it. */
function pathOf({ path }: Region): string {
  return path === '/' ? '/start' : `${path}/start`
}

function cookieOf(headers: readonly Header[], room: string): string | null {
  const set = valuesOf(headers, 'set-cookie').find(value => value.startsWith(`antesala-${room}=`))
  return /=([\w-]+\.[\w-]+\.[\w-]+)/.exec(set ?? '')?.[1] ?? null
}

/** The same pass with another session: its signature is then wrong. */
function changed(pass: string): string {
  const [head, payload = '', signature] = pass.split('.')
  const claims = { ...claimsOf(pass), sub: 'xx-0.AAAAAAAAAAAAAAAAAAAAAA' }
  return [head, payload && Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}
