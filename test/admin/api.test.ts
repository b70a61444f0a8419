import { afterEach, describe, expect, it, vi } from 'vitest'
import { claimsOf, type Edge, env, newEdge, send, settled, Visitor } from '../support/workerd/visitor.ts'

const TOKEN = 'the-admin-token-of-the-test-rooms'
const DASHBOARD = '/.waiting-room/admin/'

async function api(edge: Edge, path: string, init: RequestInit = {}, host = 'admin.test') {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'CF-Connecting-IP': '192.0.2.1', ...init.headers }
  const { response, status, text } = await send(
    edge,
    new Request(`https://${host}/.waiting-room/api/v1${path}`, { ...init, headers }),
  )
  return { status, response, body: text === '' ? null : JSON.parse(text) }
}

const patch = (edge: Edge, room: string, change: unknown, headers: Record<string, string> = {}) =>
  api(edge, `/rooms/${room}`, { method: 'PATCH', body: JSON.stringify(change), headers })

afterEach(settled)

describe('access', () => {
  it('is possible on the admin host only', async () => {
    for (const path of ['/.waiting-room/api/v1/rooms', '/.waiting-room/admin/', '/.waiting-room/api/v1/openapi.json']) {
      const there = await send(
        newEdge(),
        new Request(`https://wide.test${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } }),
      )
      expect(there.status, path).toBe(404)
    }
    expect((await send(newEdge(), new Request('https://admin.test/anything'))).status).toBe(404)
  })

  it('has a dashboard with all of its scripts and styles', async () => {
    const file = async (name: string) =>
      (await send(newEdge(), new Request(`https://admin.test${DASHBOARD}${name}`))).text
    const page = await file('')
    const names = [...page.matchAll(/(?:href|src)="([\w-]+\.(?:css|js))"/g)].map(([, name = '']) => name)
    expect(names).toContain('uplot.js')
    for (const name of names) expect((await file(name)).length, name).toBeGreaterThan(500)
  })

  it('is off everywhere without an admin host, and refused without any token', async () => {
    const request = () =>
      new Request('https://admin.test/.waiting-room/api/v1/rooms', { headers: { Authorization: `Bearer ${TOKEN}` } })
    expect((await send(newEdge(), request(), { ...env, ADMIN_HOST: '' })).status).toBe(404)
    expect((await send(newEdge(), request(), { ...env, ADMIN_TOKEN: '' })).status).toBe(403)
  })

  it.each([
    ['no token', ''],
    ['another scheme', `Basic ${TOKEN}`],
    ['a wrong token', `Bearer ${TOKEN}x`],
    ['a beginning of it', `Bearer ${TOKEN.slice(0, -1)}`],
    ['an empty one', 'Bearer '],
  ])('is refused with %s', async (_what, Authorization) => {
    const { status, response, body } = await api(newEdge(), '/rooms', { headers: { Authorization } })
    expect([status, response.headers.get('WWW-Authenticate')]).toEqual([401, 'Bearer'])
    expect(JSON.stringify(body)).not.toContain(TOKEN)
  })

  it.each([
    ['one network', '81.2.69.1', '81.2.69.200'],
    ['an office in IPv6', '2a00:1450:4001:82b::1', '[2a00:1450:4001:82b:9::2]:443'],
    ['addresses that tell nothing', '10.0.0.1', 'unknown'],
    ['nowhere', '', ''],
  ])(
    'is given to the right token whatever was tried from %s, while wrong tokens are throttled',
    async (_what, first, second) => {
      const edge = newEdge()
      const ask = (token: string, address: string) =>
        api(edge, '/nothing', { headers: { Authorization: `Bearer ${token}`, 'CF-Connecting-IP': address } })
      vi.setSystemTime(Date.now())
      for (let i = 0; i < 10; i++) expect((await ask('wrong', first)).status).toBe(401)
      const { status, response, body } = await ask('wrong', second)
      expect([status, body.detail]).toEqual([429, 'This token is wrong, too. The right one is accepted at any time.'])
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
      for (let i = 0; i < 30; i++) expect((await ask(TOKEN, first)).status).toBe(404)
      expect([(await ask(TOKEN, second)).status, (await ask('wrong', second)).status]).toEqual([404, 429])
      expect((await ask('wrong', '92.40.1.1')).status).toBe(401)
      vi.useRealTimers()
    },
  )

  it('is given to the metrics token after any number of wrong ones', async () => {
    const edge = newEdge()
    const bindings = { ...env, METRICS_TOKEN: 'm'.repeat(40) }
    const ask = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}`, 'CF-Connecting-IP': '81.2.69.1' }
      return (await send(edge, new Request('https://admin.test/.waiting-room/metrics', { headers }), bindings)).status
    }
    vi.setSystemTime(Date.now())
    for (let i = 0; i < 11; i++) await ask('wrong')
    expect([await ask('wrong'), await ask(bindings.METRICS_TOKEN)]).toEqual([429, 200])
    vi.useRealTimers()
  })

  it('is throttled for simultaneous wrong tokens, but not for the right one beside them', async () => {
    const edge = newEdge()
    vi.setSystemTime(Date.now())
    const tries = (count: number, token: string) =>
      Promise.all(
        Array.from(
          { length: count },
          async () => (await api(edge, '/nothing', { headers: { Authorization: `Bearer ${token}` } })).status,
        ),
      )
    const [wrong, right] = await Promise.all([tries(30, 'wrong'), tries(30, TOKEN)])
    expect(new Set(right)).toEqual(new Set([404]))
    expect(wrong.filter(status => status === 401)).toHaveLength(10)
    expect(wrong.filter(status => status === 429)).toHaveLength(20)
    vi.useRealTimers()
  })

  it('is refused to a token that is too short, even when it matches', async () => {
    const request = new Request('https://admin.test/.waiting-room/api/v1/rooms', {
      headers: { Authorization: 'Bearer short' },
    })
    expect((await send(newEdge(), request, { ...env, ADMIN_TOKEN: 'short' })).status).toBe(503)
  })
})

describe('a page of the operator', () => {
  it('of 64 KiB fits in one change, and a wrong one is refused with its line', async () => {
    const edge = newEdge()
    const page = `<p title="{{site}}">\n${'"'.repeat(65_000)}</p>`
    expect((await patch(edge, 'decorated', { custom_page_html: page })).status).toBe(200)
    const { status, body } = await patch(edge, 'decorated', { custom_page_html: '<p>\n{{#queueAll}}' })
    expect(status).toBe(422)
    const message = 'must be a Mustache template: the section "queueAll" is opened in line 2 and not closed'
    expect(body.problems).toEqual([{ path: 'custom_page_html', message }])
    expect((await api(edge, '/rooms/decorated')).body.settings.custom_page_html).toBe(page)
  })
})

describe('reading', () => {
  it.each([
    ['fails', () => Promise.reject(new Error('internal error'))],
    ['hangs', () => new Promise<never>(() => {})],
  ])('lists the other rooms when one room %s, and names that room', async (_, describe) => {
    const ROOM: typeof env.ROOM = {
      getByName: (name, options) => {
        const room = env.ROOM.getByName(name, options)
        return name === 'held' ? { ...room, describe } : room
      },
    }
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const request = new Request('https://admin.test/.waiting-room/api/v1/rooms', { headers })
    const { status, text } = await send(newEdge(), request, { ...env, ROOM })
    expect(status).toBe(200)
    const { rooms } = JSON.parse(text) as { rooms: { name: string; figures?: object }[] }
    expect(rooms.find(({ name }) => name === 'held')).toEqual({ name: 'held', error: 'The room does not answer' })
    expect(rooms.find(({ name }) => name === 'wide')).toMatchObject({ figures: { active: expect.any(Number) } })
  })

  it('lists the rooms with their settings, sources and live figures', async () => {
    const { body } = await api(newEdge(), '/rooms')
    const held = body.rooms.find((room: { name: string }) => room.name === 'held')
    expect(held).toMatchObject({
      settings: { queue_all: true, session_duration: 5 },
      sources: { queue_all: 'file', claim_window: 'default' },
      file: { queue_all: true },
      now: expect.stringMatching(/^\d{4}-.*Z$/),
      figures: { active: expect.any(Number), open: expect.any(Boolean), effectiveRatePerMinute: 0 },
    })
  })

  it('names the existing rooms when one does not exist', async () => {
    const { status, body } = await api(newEdge(), '/rooms/nonsense')
    expect(status).toBe(404)
    expect(body.detail).toContain('wide')
  })

  it('returns the description of the API', async () => {
    const { body } = await api(newEdge(), '/openapi.json', { headers: { Authorization: '' } })
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.components.schemas.Change.properties)).toContain('new_users_per_minute')
  })

  it('publishes the schema of a rooms file to editors, on the admin host only', async () => {
    const ask = (host: string) => send(newEdge(), new Request(`https://${host}/.waiting-room/rooms.schema.json`))
    const { status, text } = await ask('admin.test')
    expect([status, JSON.parse(text).title]).toEqual([200, 'Rooms of antesala'])
    expect((await ask('wide.test')).status).toBe(404)
  })

  it('serves the dashboard with a policy that forbids foreign scripts', async () => {
    for (const file of ['', 'main.js', 'api.js', 'admin.css']) {
      const { status, response } = await send(newEdge(), new Request(`https://admin.test/.waiting-room/admin/${file}`))
      expect(status).toBe(200)
      expect(response.headers.get('Content-Security-Policy')).toMatch(/default-src 'none'; script-src 'self'/)
    }
    expect((await send(newEdge(), new Request('https://admin.test/.waiting-room/admin/other.js'))).status).toBe(404)
  })
})

describe('an address header that never arrives', () => {
  const notices = async (edge: Edge, headers: Record<string, string> = {}) =>
    (await api(edge, '/rooms', { headers: { 'CF-Connecting-IP': '', ...headers } })).body.notices

  it('is logged once, and shown to operators', async () => {
    const warn = vi.spyOn(console, 'warn')
    const edge = newEdge()
    for (let i = 0; i < 18; i++) await send(edge, new Request('https://wide.test/.waiting-room/healthz'))
    expect(await notices(edge)).toEqual([])
    const [notice] = await notices(edge)
    expect(notice).toContain('TRUSTED_IP_HEADER is CF-Connecting-IP, and none of 20 requests has had an address in it')
    for (let i = 0; i < 30; i++) await send(edge, new Request('https://wide.test/.waiting-room/healthz'))
    const lines = warn.mock.calls.filter(([text]) => String(text).includes('TRUSTED_IP_HEADER'))
    expect(lines.map(([text]) => JSON.parse(text).detail)).toEqual([notice])
    warn.mockRestore()
  })

  it('is no longer shown once an address has arrived', async () => {
    const edge = newEdge()
    for (let i = 0; i < 30; i++) await notices(edge)
    expect(await notices(edge)).toHaveLength(1)
    expect(await notices(edge, { 'CF-Connecting-IP': '81.2.69.1' })).toEqual([])
    for (let i = 0; i < 30; i++) await notices(edge)
    expect(await notices(edge)).toEqual([])
  })
})

describe('changing', () => {
  it('answers with the room as it is now, and its version', async () => {
    const { status, body, response } = await patch(newEdge(), 'caseless', { new_users_per_minute: 77 })
    expect(status).toBe(200)
    expect(body).toMatchObject({ settings: { new_users_per_minute: 77 }, sources: { new_users_per_minute: 'live' } })
    expect(response.headers.get('ETag')).toBe(`"${body.version}"`)
  })

  it.each(['stocked', 'shouting', 'invited', 'shedding', 'limited', 'own', 'front'])(
    'has no effect on the room %s when it is sent its own settings, twice, or nothing',
    async room => {
      const edge = newEdge()
      const { body: before, response } = await api(edge, `/rooms/${room}`)
      const { body: log } = await api(edge, `/rooms/${room}/changes`)
      for (const change of [before.settings, before.settings, {}]) {
        const answer = await patch(edge, room, change)
        expect([answer.status, answer.response.headers.get('ETag')]).toEqual([200, response.headers.get('ETag')])
        expect(answer.body).toMatchObject({ version: before.version, sources: before.sources })
      }
      expect((await api(edge, `/rooms/${room}/changes`)).body).toEqual(log)
    },
  )

  it('makes one version and one entry when the same change comes twice', async () => {
    const edge = newEdge()
    const first = await patch(edge, 'caseless', { message: 'once' })
    const second = await patch(edge, 'caseless', { message: 'once' })
    expect([second.status, second.body.version]).toEqual([200, first.body.version])
    const { body } = await api(edge, '/rooms/caseless/changes')
    expect(body.changes[0].request).toEqual({ set: { message: 'once' } })
    expect(body.changes[1]?.request).not.toEqual({ set: { message: 'once' } })
  })

  it('is refused with 412 when another operator changed the room meanwhile', async () => {
    const edge = newEdge()
    const etag = (await api(edge, '/rooms/caseless')).response.headers.get('ETag') ?? ''
    // A proxy that compresses answers makes the ETag weak.
    expect((await patch(edge, 'caseless', { message: 'a' }, { 'If-Match': `W/${etag}` })).status).toBe(200)
    const late = await patch(edge, 'caseless', { message: 'b' }, { 'If-Match': etag })
    expect(late.status).toBe(412)
    expect(late.response.headers.get('ETag')).not.toBe(etag)
  })

  it.each([
    [{ total_active_users: 'many' }, 'total_active_users', 'must be a whole number, 1 to 10,000,000, got "many"'],
    [{ name: 'x' }, 'name', 'cannot be changed live: change the file and deploy'],
    [
      { bypass: [{ path: 'nope' }] },
      'bypass[0].path',
      'must be a path pattern like /checkout/* that begins with /, got "nope"',
    ],
  ])('refuses %j and gives the reason', async (change, path, message) => {
    const { status, body } = await patch(newEdge(), 'caseless', change)
    expect([status, body.problems]).toEqual([422, [{ path, message }]])
  })

  it.each(['{', '', 'null', '[]', '5'])('refuses the body %j', async body => {
    const { status } = await api(newEdge(), '/rooms/caseless', { method: 'PATCH', body })
    expect([400, 422]).toContain(status)
  })

  it('resets one setting or all settings to the file', async () => {
    const edge = newEdge()
    await patch(edge, 'caseless', { message: 'live', total_active_users: 55 })
    const one = await api(edge, '/rooms/caseless/overrides/message', { method: 'DELETE' })
    expect(one.body.sources).toMatchObject({ message: 'default', total_active_users: 'live' })
    const all = await api(edge, '/rooms/caseless/overrides', { method: 'DELETE' })
    expect(all.body.sources.total_active_users).toBe('file')
  })
})

describe('a suspension', () => {
  it('opens the room at every edge within two seconds, and its end closes the room again', async () => {
    const edges = [newEdge(), newEdge(), newEdge()]
    let tokenOfSomebodyWaiting = ''
    for (const edge of edges) {
      const visitor = new Visitor('held.test', edge)
      expect((await visitor.page()).atOrigin).toBeNull()
      tokenOfSomebodyWaiting = visitor.token
    }
    await patch(newEdge(), 'held', { suspended: true })
    await new Promise(resolve => setTimeout(resolve, 2_000))
    for (const edge of edges) expect((await new Visitor('held.test', edge).page()).status).toBe(200)
    // A visitor who is already on the waiting page is admitted by the next poll.
    const waited = new Visitor('held.test', edges[0] as Edge)
    waited.token = tokenOfSomebodyWaiting
    expect((await waited.poll()).place.state).toBe('admitted')
    await patch(newEdge(), 'held', { suspended: false, message: 'Back at one.' })
    await new Promise(resolve => setTimeout(resolve, 2_000))
    for (const edge of edges) expect((await new Visitor('held.test', edge).page()).text).toContain('Back at one.')
  })
})

describe('sessions', () => {
  it('can be read and ended', async () => {
    const edge = newEdge()
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const sid = String(claimsOf(visitor.token).sub)
    expect((await api(edge, `/rooms/wide/sessions/${sid}`)).body).toMatchObject({ sid, ended: null })
    expect((await api(edge, `/rooms/wide/sessions/${sid}`, { method: 'DELETE' })).status).toBe(204)
    expect((await api(edge, `/rooms/wide/sessions/${sid}`, { method: 'DELETE' })).status).toBe(404)
    expect((await api(edge, `/rooms/wide/sessions/${sid}`)).body).toMatchObject({ ended: 'revoked' })
    await visitor.page()
    expect(claimsOf(visitor.token).sub).not.toBe(sid)
  })

  it.each(['nonsense', '../x', 'xx-0.short', 'toolongregion-0.AAAAAAAAAAAAAAAAAAAAAA'])(
    'are not found under %s, which creates no object',
    async sid => {
      expect((await api(newEdge(), `/rooms/wide/sessions/${encodeURIComponent(sid)}`)).status).toBe(404)
    },
  )
})
