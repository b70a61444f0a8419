import { base64url } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { adminRoutes } from '../../src/admin/routes.ts'
import { env, newEdge, send, settled } from '../support/workerd/visitor.ts'

const TOKENS = {
  none: null,
  viewer: 'a-viewers-token-0123456789-0123456789',
  operator: 'an-operators-token-0123456789-0123456',
  admin: 'an-admins-token-0123456789-0123456789',
} as const
type Holder = keyof typeof TOKENS

/** The least role for each operation of the API. */
const LEAST: Readonly<Record<string, Exclude<Holder, 'none'>>> = {
  'GET /rooms': 'viewer',
  'GET /rooms/{name}': 'viewer',
  'PATCH /rooms/{name}': 'operator',
  'DELETE /rooms/{name}/overrides': 'admin',
  'DELETE /rooms/{name}/overrides/{setting}': 'operator',
  'GET /rooms/{name}/alerts': 'viewer',
  'POST /rooms/{name}/alerts/test': 'admin',
  'GET /rooms/{name}/changes': 'viewer',
  'GET /rooms/{name}/audit': 'viewer',
  'GET /rooms/{name}/health': 'viewer',
  'DELETE /rooms/{name}/health/ceiling': 'admin',
  'GET /rooms/{name}/history': 'viewer',
  'GET /rooms/{name}/live': 'viewer',
  'GET /rooms/{name}/forecast': 'viewer',
  'GET /rooms/{name}/reports': 'viewer',
  'GET /rooms/{name}/reports/{id}': 'viewer',
  'GET /rooms/{name}/sessions/{sid}': 'viewer',
  'DELETE /rooms/{name}/sessions/{sid}': 'admin',
  'POST /preview-links': 'viewer',
  'GET /tokens': 'admin',
  'POST /tokens': 'admin',
  'DELETE /tokens/{id}': 'admin',
}
const HOLDERS = Object.keys(TOKENS) as Holder[]
const VALUES: Readonly<Record<string, string>> = {
  name: 'caseless',
  setting: 'message',
  sid: `xx-0.${'A'.repeat(22)}`,
  id: 'AAAAAAAAAAAA',
}

const edge = newEdge()
let bindings = env

async function hashOf(token: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))
}

async function bindingsWith(expires: string): Promise<typeof env> {
  const named = HOLDERS.flatMap(role => (role === 'none' ? [] : [{ role, token: TOKENS[role] }]))
  const tokens = named.map(async ({ role, token }) => ({ name: role, role, sha256: await hashOf(token), expires }))
  return { ...env, ADMIN_TOKENS: JSON.stringify(await Promise.all(tokens)) }
}

async function ask(method: string, path: string, token: string | null, body?: unknown) {
  if (bindings === env) bindings = await bindingsWith('2999-01-01T00:00:00Z')
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const { status, text } = await send(edge, new Request(`https://admin.test/.waiting-room${path}`, init), bindings)
  return { status, body: text.startsWith('{') ? JSON.parse(text) : null }
}

const description = async () => (await ask('GET', '/api/v1/openapi.json', null)).body
const callOf = (method: string, path: string, holder: Holder) =>
  ask(
    method,
    `/api/v1${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => VALUES[name] ?? '')}`,
    TOKENS[holder],
    method === 'PATCH'
      ? { message: 'By role' }
      : method === 'POST'
        ? { receiver: 'chat', name: 'made', role: 'viewer' }
        : undefined,
  )

afterEach(settled)

describe('the roles', () => {
  it('are described and given for every operation of the API, and for no other', async () => {
    const { paths } = await description()
    const inApi = Object.entries(paths as Record<string, Record<string, { 'x-role'?: string }>>).filter(
      ([, operations]) => !('servers' in operations),
    )
    const described = inApi.flatMap(([path, { parameters: _, ...operations }]) =>
      Object.entries(operations).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation['x-role']]),
    )
    expect(Object.fromEntries(described)).toEqual(LEAST)
    const routed = adminRoutes().routes.filter(({ path, method }) => path.startsWith('/api/v1/') && method !== 'ALL')
    const calls = routed.map(
      ({ method, path }) => `${method} ${path.slice('/api/v1'.length).replaceAll(/:(\w+)/g, '{$1}')}`,
    )
    expect(calls.filter(call => call !== 'GET /openapi.json').sort()).toEqual(Object.keys(LEAST).sort())
  })

  it.each(Object.entries(LEAST))('open %s from %s on', async (operation, least) => {
    const [method = '', path = ''] = operation.split(' ')
    for (const holder of HOLDERS) {
      const { status } = await callOf(method, path, holder)
      if (holder === 'none') expect(status).toBe(401)
      else if (HOLDERS.indexOf(holder) < HOLDERS.indexOf(least)) expect([holder, status]).toEqual([holder, 403])
      else expect([200, 202, 204, 404, 426], `${holder} ${status}`).toContain(status)
    }
  })

  it.each([
    [{ new_users_per_minute: 90, queue_all: false }, 200],
    [{ events: [] }, 200],
    [{ message: 'ok', total_active_users: 5 }, 403],
    [{ bypass: [] }, 403],
    [{ suspended: true }, 403],
  ])('let an operator change %j: %i', async (change, status) => {
    expect((await ask('PATCH', '/api/v1/rooms/caseless', TOKENS.operator, change)).status).toBe(status)
  })

  it('let an operator give an event a rate and a message, and nothing that only an admin may set', async () => {
    const times = { event_start_time: '2099-01-01T09:00:00Z', event_end_time: '2099-01-01T10:00:00Z' }
    const change = (holder: Holder, more: object) =>
      ask('PATCH', '/api/v1/rooms/caseless', TOKENS[holder], { events: [{ name: 'sale', ...times, ...more }] })
    const { settings } = (await ask('GET', '/api/v1/rooms/caseless', TOKENS.viewer)).body
    const limits = { new_users_per_minute: 5, total_active_users: settings.total_active_users }
    expect((await change('operator', { ...limits, message: 'Sale' })).status).toBe(200)
    const more = { ...limits, total_active_users: limits.total_active_users + 1 }
    for (const foreign of [more, { custom_page_html: '<script>' }, { queueing_method: 'passthrough' }]) {
      const { status, body } = await change('operator', foreign)
      expect([status, body.detail]).toEqual([403, expect.stringMatching(/and not events\[0\]\./)])
    }
    expect((await change('admin', { custom_page_html: '<p>Sale</p>' })).status).toBe(200)
    expect((await change('operator', { custom_page_html: '<p>Sale</p>', message: 'Soon' })).status).toBe(200)
    expect((await change('operator', {})).status).toBe(200)
  })

  it('explain a refused change, and let the operator reset no other setting', async () => {
    const { body } = await ask('PATCH', '/api/v1/rooms/caseless', TOKENS.operator, { suspended: true })
    expect(body).toMatchObject({
      detail:
        'Operators may change new_users_per_minute, queue_all, message, events, and not suspended. operator is operator.',
      role: 'operator',
    })
    for (const setting of ['suspended', 'total%5Factive_users'])
      expect((await ask('DELETE', `/api/v1/rooms/caseless/overrides/${setting}`, TOKENS.operator)).status).toBe(403)
  })

  it('let only an admin read the values that pass the line, also in the list of changes', async () => {
    const value = 'a-value-that-passes'
    const bypass = [
      { header: { name: 'X-Monitor', value }, path: '/up' },
      { query: { name: 'key', value }, path: '/hook' },
      { query: { name: 'order', prefix: value }, path: '/paid' },
    ]
    await ask('PATCH', '/api/v1/rooms/caseless', TOKENS.admin, { bypass })
    for (const path of ['', '/changes', '/history', '/audit']) {
      const { body } = await ask('GET', `/api/v1/rooms/caseless${path}`, TOKENS.operator)
      expect(JSON.stringify(body), path).not.toContain('a-value-that-passes')
      expect(JSON.stringify(body), path).toContain('X-Monitor')
    }
    const { body } = await ask('GET', '/api/v1/rooms/caseless', TOKENS.admin)
    const [header, query, prefix] = body.settings.bypass
    expect([header.header.value, query.query.value, prefix.query.prefix]).toEqual([value, value, value])
    await ask('DELETE', '/api/v1/rooms/caseless/overrides', TOKENS.admin)
  })

  it.each(['zz-0', 'eu-100'])('wake no door %s, which no room has', async door => {
    const path = `/api/v1/rooms/caseless/sessions/${door}.${'A'.repeat(22)}`
    expect((await ask('GET', path, TOKENS.viewer)).body).toMatchObject({ title: 'The text is no session id' })
  })

  it('let every role read the metrics', async () => {
    for (const holder of HOLDERS)
      expect((await ask('GET', '/metrics', TOKENS[holder])).status).toBe(holder === 'none' ? 401 : 200)
  })
})

describe('a named token', () => {
  it('is the name in the log of changes, whatever name the request claims', async () => {
    await ask('PATCH', '/api/v1/rooms/caseless', TOKENS.admin, { message: 'Named' })
    const { body } = await ask('GET', '/api/v1/rooms/caseless/changes', TOKENS.viewer)
    expect(body.changes[0].actor).toBe('admin')
    expect((await ask('GET', '/api/v1/rooms', TOKENS.viewer)).body.you).toMatchObject({
      name: 'viewer',
      role: 'viewer',
      by: 'token',
    })
  })

  it('gets the names of the settings that its role may change', async () => {
    const settingsOf = async (token: string) => (await ask('GET', '/api/v1/rooms', token)).body.you.settings
    expect(await settingsOf(TOKENS.viewer)).toEqual([])
    expect(await settingsOf(TOKENS.operator)).toEqual(['new_users_per_minute', 'queue_all', 'message', 'events'])
    expect(await settingsOf(TOKENS.admin)).toEqual(
      expect.arrayContaining(['suspended', 'events', 'total_active_users']),
    )
  })

  it('is refused after its end, and the answer names it', async () => {
    bindings = await bindingsWith('2020-01-01T00:00:00Z')
    const { status, body } = await ask('GET', '/api/v1/rooms', TOKENS.viewer)
    expect([status, body.detail]).toEqual([401, 'The token of viewer has expired. An admin can make a new one.'])
    bindings = env
  })
})
