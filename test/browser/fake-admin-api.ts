/**
 * The admin API and the dashboard's files over node:http, with rooms that move by themselves. It validates with the
 * Worker's own settings and refuses the way src/admin refuses: 400, 401, 403, 404, 412, 413, 422 and 429.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsFor } from '../../src/admin/access/roles.ts'
import { eventsOf } from '../../src/admin/events.ts'
import { openApi } from '../../src/admin/openapi/openapi.ts'
import { historyCsv } from '../../src/admin/past/history.ts'
import { fail, invalid } from '../../src/admin/refusals.ts'
import { spend } from '../../src/core/gcra.ts'
import type { Decision } from '../../src/core/history/decisions.ts'
import { type Forecast, forecastOf } from '../../src/core/history/forecast.ts'
import type { Change, ChangeRequest, ReportListed, RoomStats } from '../../src/core/protocol/calls.ts'
import type { Session } from '../../src/core/session.ts'
import type { Role } from '../../src/settings/admin/named-tokens.ts'
import { type LiveChange, liveChange } from '../../src/settings/changes.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { type Overrides, parseRooms, withOverrides } from '../../src/settings/rooms.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'
import { fakeHistory } from './fake-history.ts'
import { FakeOperations, FakeTokens } from './fake-operations.ts'

export const TOKEN = 'an-admin-token-of-thirty-two-chars'
const PREFIX = '/.waiting-room'
const ROOT = new URL('../../', import.meta.url)
const FAILURES = { intervalMs: 6_000, burst: 10 }
const BODY_MAX = 1_024 * 1_024
/** The page is tested with the same files and the same policy that the Worker sends. */
const DASHBOARD = readFileSync(new URL('src/admin/dashboard.ts', ROOT), 'utf8')
const POLICY = /"(default-src [^"]+)"/.exec(DASHBOARD)?.[1]
const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' }
const FILES = new Map([
  [`${PREFIX}/admin/`, 'admin.html'],
  ...[...DASHBOARD.matchAll(/^ {2}'([\w/-]+\.(?:css|js))': \[/gm)].map(
    ([, file = '']) => [`${PREFIX}/admin/${file}`, file] as const,
  ),
])
/** Files that are not in static/admin. */
const PACKAGED = new Map([
  ['uplot.js', 'node_modules/uplot/dist/uPlot.iife.min.js'],
  ['uplot.css', 'node_modules/uplot/dist/uPlot.min.css'],
])

const DECISIONS: readonly Decision[] = [
  {
    atMs: Date.now() - 60_000,
    upstream: 'origin',
    did: { kind: 'feature-broken', patterns: ['/report/yearly'] },
    saw: { sessions: 206, apdex: 1, failures: 0, inside: 206, there: 206 },
    enforced: true,
  },
]

/** The settings of a room, as in a rooms file, and the figures of its crowd. */
export interface Given {
  readonly settings: Record<string, unknown>
  readonly inside?: number
  readonly waiting?: number
  readonly arrivalsPerMinute?: number
  /** The newcomers of the last minute, as the room reports them. */
  readonly cameLastMinute?: number
  readonly doors?: readonly string[]
  readonly health?: Partial<RoomStats['health']>
  readonly advice?: RoomStats['advice']
  readonly limits?: RoomStats['limits']
  readonly totals?: RoomStats['totals']
  readonly lanes?: RoomStats['lanes']
}

/** One request to the API, as it came. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly ifMatch: string | undefined
  readonly body: string
}

const YOU = { name: 'ana', by: 'token' }

export async function startFakeAdmin(given: readonly Given[]) {
  const file = parseRooms(given.map(room => room.settings))
  const rooms = new Map(file.map((config, index) => [config.name, new FakeRoom(config, given[index] as Given)]))
  const asked: Asked[] = []
  const tokens = new FakeTokens()
  /** `down` drops every connection. `off` stands for a deployment without ADMIN_TOKEN. */
  const mode = {
    role: 'admin' as Role,
    down: false,
    off: false,
    access: false,
    silent: '',
    forbidden: '',
    notices: [] as string[],
  }
  let failuresTatMs = 0

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      if (mode.down) return void request.socket.destroy()
      const { pathname: path, search, searchParams } = new URL(request.url ?? '', 'http://fake')
      const file = FILES.get(path)
      if (file) return serveFile(response, file, mode.access)
      if (path === `${PREFIX}/readyz`) return void send(response, readiness(mode.silent))
      if (path.endsWith('/forecast') && !mode.off) return void send(response, forecast(path, searchParams))
      const report = /\/reports?[/.].*\.?(html|csv)$/.exec(path)
      if (report && !mode.off) {
        asked.push({ method: 'GET', path: path + search, ifMatch: undefined, body: '' })
        return void send(response, new Response('a report', { headers: { 'Content-Type': `text/${report[1]}` } }))
      }
      if (path.endsWith('/history') && !mode.off) return void send(response, history(searchParams))
      void send(response, api(request, path, Buffer.concat(chunks).toString(), searchParams))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))

  function forecast(path: string, search: URLSearchParams): Response {
    const [, name = ''] = /rooms\/([^/]+)\/forecast$/.exec(path) ?? []
    const room = rooms.get(name)
    if (!room) return fail(404, `No room is named ${name}`)
    const rate = search.get('new_users_per_minute') ?? room.describe().settings.new_users_per_minute
    return Response.json(room.forecast(Number(rate)))
  }

  function history(search: URLSearchParams): Response {
    const report = fakeHistory(search, Date.now())
    if (search.get('format') !== 'csv') return Response.json(report)
    return new Response(historyCsv(report), { headers: { 'Content-Type': 'text/csv; charset=utf-8' } })
  }

  function api(request: IncomingMessage, path: string, body: string, search: URLSearchParams): Response {
    if (mode.off) return fail(403, 'The admin API is off', 'The secret ADMIN_TOKEN is not set.')
    const isIn = mode.access && request.headers.authorization === undefined
    if (!isIn && request.headers.authorization !== `Bearer ${TOKEN}`) {
      const next = spend(FAILURES, failuresTatMs, 1, Date.now())
      failuresTatMs = next.tatMs
      if (!next.allowed) {
        const seconds = String(Math.ceil(next.retryAfterMs / 1_000))
        return fail(429, 'Too many wrong tokens', undefined, { headers: { 'Retry-After': seconds } })
      }
      return fail(401, 'A valid token is required', 'Send it as Authorization: Bearer.', {
        headers: { 'WWW-Authenticate': 'Bearer' },
      })
    }
    const ifMatch = request.headers['if-match']
    const method = request.method ?? ''
    asked.push({ method, path, ifMatch, body })
    if (mode.forbidden !== '' && method !== 'GET')
      return fail(403, 'Your role does not include this', mode.forbidden, { more: { role: 'viewer' } })
    if (body.length > BODY_MAX) return fail(413, `The body is larger than ${BODY_MAX} bytes`)
    const [, id] = new RegExp(`^${PREFIX}/api/v1/tokens(?:/([^/]+))?$`).exec(path) ?? []
    if (path.startsWith(`${PREFIX}/api/v1/tokens`)) return tokens.answer(method, id, parsed(body))
    const [name = '', ...rest] = path.slice(`${PREFIX}/api/v1/rooms/`.length).split('/').map(decodeURIComponent)
    if (path.endsWith('/openapi.json')) return Response.json(openApi(PREFIX))
    if (method === 'GET' && name === '') {
      const silent = { name: mode.silent, error: 'The room does not answer' }
      const all = [...rooms].map(([own, one]) => (own === mode.silent ? silent : one.describe()))
      const you = {
        ...YOU,
        ...(mode.access ? { by: 'access' } : {}),
        role: mode.role,
        settings: settingsFor(mode.role),
      }
      return Response.json({ you, notices: mode.notices, rooms: all })
    }
    const room = rooms.get(name)
    if (!room) return fail(404, `No room is named ${name}`, `There are: ${[...rooms.keys()].join(', ')}`)
    const ifVersion = ifMatch === undefined || ifMatch === '*' ? null : ifMatch.replace(/^"(.*)"$/, '$1')
    const change = (wanted: ChangeRequest) => room.change(wanted, ifVersion, YOU.name)
    const [part, setting] = rest
    switch (`${method} ${part ?? 'room'}${setting === undefined ? '' : '/one'}`) {
      case 'GET room':
        return Response.json(room.describe(), { headers: { ETag: `"${room.version}"` } })
      case 'GET changes':
        return Response.json({ changes: room.changes.slice(0, 100) })
      case 'GET reports':
        return Response.json({ reports: room.reports })
      case 'GET alerts':
        return Response.json(room.operations.alerts(room.describe().settings))
      case 'POST alerts/one':
        return room.operations.test(Object(parsed(body)).receiver)
          ? new Response(null, { status: 202 })
          : fail(422, 'There is no such receiver')
      case 'GET audit': {
        const entries = room.operations.audit(room.changes, search)
        const headers = { 'Content-Type': 'text/csv; charset=utf-8' }
        return search.get('format') === 'csv' ? new Response('time,actor\r\n', { headers }) : Response.json({ entries })
      }
      case 'GET health/one':
      case 'GET health':
        return Response.json({ health: room.describe().figures.health, decisions: DECISIONS, history: [] })
      case 'GET sessions/one': {
        const session = room.sessions.get(setting ?? '')
        return session ? Response.json(session) : fail(404, 'No such session')
      }
      case 'DELETE sessions/one': {
        const session = room.sessions.get(setting ?? '')
        if (!session || session.ended !== null) return fail(404, 'No such live session')
        session.ended = 'revoked'
        return new Response(null, { status: 204 })
      }
      case 'DELETE health/one':
        room.lifted++
        return new Response(null, { status: 204 })
      case 'PATCH room': {
        const patch = parsed(body)
        return patch === undefined ? fail(400, 'The body is not JSON') : change({ set: patch })
      }
      case 'DELETE overrides':
        return change({ reset: 'all' })
      case 'DELETE overrides/one':
        return change({ reset: [setting ?? ''] })
      default:
        return fail(404, 'Not found')
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIX}/admin/`,
    asked,
    mode,
    tokens,
    room(name: string): FakeRoom {
      const room = rooms.get(name)
      if (!room) throw new Error(`no room ${name}`)
      return room
    },
    stop: () =>
      new Promise<void>(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

/** A smooth crowd: visitors come, wait, are admitted at the rate while there are places, and leave. */
class FakeRoom {
  readonly changes: Change[] = []
  readonly sessions = new Map<string, Session>()
  readonly reports: ReportListed[] = []
  readonly operations = new FakeOperations()
  readonly #file: RoomConfig
  readonly #given: Given
  #overrides: Overrides = {}
  #version = 0
  /** How often the ceiling of the room was lifted. */
  lifted = 0
  #inside: number
  #waiting: number
  #admitted: number
  #tickedAtMs = Date.now()
  #recent: [atMs: number, count: number][] = []

  constructor(file: RoomConfig, given: Given) {
    this.#file = file
    this.#given = given
    this.#inside = given.inside ?? 0
    this.#waiting = given.waiting ?? 0
    this.#admitted = this.#inside * 40
    const nowMs = Date.now()
    const perSecond = this.#waiting > 0 && !file.queue_all ? (file.new_users_per_minute * 0.95) / 60 : 0
    this.#recent = Array.from({ length: 60 }, (_, second) => [nowMs - 1_000 * (60 - second), perSecond])
  }

  describe() {
    const settings = withOverrides(this.#file, this.#overrides)
    const set = Object.keys(this.#overrides)
    const written = Object.keys(this.#given.settings)
    const sources = Object.fromEntries(
      Object.keys(settings).map(key => [key, set.includes(key) ? 'live' : written.includes(key) ? 'file' : 'default']),
    )
    return {
      name: this.#file.name,
      version: this.version,
      settings,
      file: this.#file,
      sources,
      figures: this.#figures(settings),
      events: eventsOf(settings, [], Date.now()),
      now: new Date().toISOString(),
    }
  }

  get version(): string {
    return `1fake.${this.#version}`
  }

  change(request: ChangeRequest, ifVersion: string | null, actor: string): Response {
    if (ifVersion !== null && ifVersion !== this.version) {
      const detail = 'Read it again, then send your change with the new version.'
      return fail(412, 'The room was changed meanwhile', detail, { headers: { ETag: `"${this.version}"` } })
    }
    let change: LiveChange | null
    try {
      const config = withOverrides(this.#file, this.#overrides)
      change = liveChange({ file: this.#file, overrides: this.#overrides, config }, request)
    } catch (error) {
      if (error instanceof SettingsError) return invalid(error.problems)
      throw error
    }
    this.#tick(Date.now())
    if (change) {
      this.#overrides = change.overrides
      this.#version++
      const { request } = change
      this.changes.unshift({ version: String(this.#version), atMs: Date.now(), actor, request })
    }
    return Response.json(this.describe(), { headers: { ETag: `"${this.version}"` } })
  }

  #tick(nowMs: number): void {
    const settings = withOverrides(this.#file, this.#overrides)
    const seconds = (nowMs - this.#tickedAtMs) / 1_000
    this.#tickedAtMs = nowMs
    const wave = 1 + 0.35 * Math.sin(nowMs / 7_000)
    const arrived = ((this.#given.arrivalsPerMinute ?? 0) / 60) * seconds * wave
    const left = (this.#inside / (settings.session_duration * 60)) * seconds
    const rate = settings.queue_all ? 0 : settings.new_users_per_minute
    const places = Math.max(0, settings.total_active_users - this.#inside + left)
    const admitted = Math.min((rate / 60) * seconds, places, this.#waiting + arrived)
    this.#inside += admitted - left
    this.#waiting += arrived - admitted
    this.#admitted += admitted
    this.#recent = [...this.#recent, [nowMs, admitted] as [number, number]].filter(([atMs]) => nowMs - atMs < 60_000)
  }

  get #came(): number {
    return this.#given.cameLastMinute ?? this.#given.arrivalsPerMinute ?? 0
  }

  forecast(ratePerMinute: number): Forecast {
    return forecastOf(
      {
        ...{ waiting: this.#waiting, coming: 0, showRate: 0.72, inside: 0, arrivalsPerMinute: this.#came },
        ...{ stayMs: 300_000, remaining: null },
      },
      { ratePerMinute, totalActiveUsers: 1_000_000 },
    )
  }

  #figures(settings: RoomConfig): RoomStats {
    this.#tick(Date.now())
    const doors = this.#given.doors ?? ['eu-0', 'eu-1', 'na-0']
    const rate = settings.queue_all ? 0 : settings.new_users_per_minute
    const standing = rate === 0 || this.#waiting < 1 ? 0 : Math.round(rate / 30)
    const permitsOut = rate === 0 ? 0 : Math.min(doors.length, settings.total_active_users - Math.floor(this.#inside))
    const share = (value: number, index: number) =>
      Math.floor(value / doors.length) + (index < Math.floor(value) % doors.length ? 1 : 0)
    return {
      active: Math.floor(this.#inside),
      permitsOut,
      permitsBanked: 2,
      remaining: null,
      entries: 0,
      limits: this.#given.limits ?? {},
      verdicts: {},
      answers: {},
      waiting: Math.round(this.#waiting),
      standing,
      lanes: this.#given.lanes ?? [],
      totals: {
        admitted: Math.floor(this.#admitted),
        polls: Math.floor(this.#admitted * 23),
        minted: Math.floor(this.#admitted * 1.4),
        confirmed: Math.floor(this.#admitted * 1.1),
        late: 3,
        fallback: 0,
        would_wait: 0,
        left: 41,
        ...this.#given.totals,
      },
      admittedLastMinute: Math.round(this.#recent.reduce((sum, [, count]) => sum + count, 0)),
      cameLastMinute: this.#came,
      effectiveRatePerMinute: rate,
      totalActiveUsers: settings.total_active_users,
      burst: Math.max(3, Math.ceil(rate / 12)),
      health: {
        mode: 'enforce',
        state: 'well',
        sinceMs: null,
        ends: null,
        nextTrialMs: null,
        raisedFromMs: null,
        reason: null,
        ceiling: null,
        there: Math.round(this.#inside * 0.8),
        inside: 1,
        ratePerMinute: rate,
        totalActiveUsers: settings.total_active_users,
        pins: [],
        upstreams: [
          {
            name: 'origin',
            critical: true,
            breaker: 'closed',
            back: null,
            pinned: false,
            sinceMs: null,
            untilMs: null,
            samples: 840,
            p50Ms: 76,
            p95Ms: 304,
            apdex: 0.97,
            failures: 0,
          },
        ],
        ...this.#given.health,
      },
      open: this.#waiting < 1,
      held: rate === 0,
      forecast: this.forecast(rate),
      advice: this.#given.advice ?? [],
      sinceMs: this.#tickedAtMs - 720_000,
      waitRangeMs: null,
      waitMs: this.#waiting < 1 ? 0 : rate === 0 ? null : Math.round((this.#waiting / rate) * 60_000),
      showRate: 0.72,
      doors: doors.map((name, index) => ({
        name,
        active: share(this.#inside, index),
        permitsOut: share(permitsOut, index),
        standing: share(standing, index),
        admitted: share(this.#admitted, index),
        callsPerSecond: 40 + index,
        heardMsAgo: 120 + index * 2_900,
      })),
    }
  }
}

/** Answers as the edge does, where one room may have no door. */
function readiness(silent: string): Response {
  if (silent === '') return Response.json({ status: 'ready' })
  return Response.json({ status: 503, reasons: [`room ${silent}: no door has answered for 12 s`] }, { status: 503 })
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Marks the page as the Worker does where Cloudflare Access has let its request through. */
function serveFile(response: ServerResponse, file: string, isByAccess: boolean): void {
  response.writeHead(200, {
    'Content-Type': TYPES[file.split('.').pop() as keyof typeof TYPES],
    'Content-Security-Policy': POLICY ?? '',
    'Cache-Control': 'no-cache',
  })
  const content = readFileSync(new URL(PACKAGED.get(file) ?? `static/admin/${file}`, ROOT))
  if (file !== 'admin.html' || !isByAccess) return void response.end(content)
  response.end(content.toString().replace('<html ', '<html data-login="access" '))
}

async function send(response: ServerResponse, answer: Response): Promise<void> {
  response.writeHead(answer.status, { 'Cache-Control': 'no-store', ...Object.fromEntries(answer.headers) })
  response.end(await answer.text())
}
