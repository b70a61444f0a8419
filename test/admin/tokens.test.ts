import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Env, OPERATORS, operatorsStub, roomStub } from '../../src/settings/env.ts'
import { type Edge, env, newEdge, send, settled } from '../support/workerd/visitor.ts'

const T0 = Date.now()
const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
/** Each test has a time of its own, so that no list of the test before is fresh. */
let beganMs = T0
const at = (ms: number) => vi.setSystemTime(beganMs + ms)

beforeEach(() => {
  beganMs += 10 * MINUTE
  at(0)
})
afterEach(settled)
afterAll(() => {
  vi.useRealTimers()
})

interface Asking {
  readonly token?: string
  readonly method?: string
  readonly body?: unknown
  readonly bindings?: Env
}

async function ask(edge: Edge, path: string, asking: Asking = {}) {
  const { token = String(env.ADMIN_TOKEN), method = 'GET', body, bindings = env } = asking
  const headers = { Authorization: `Bearer ${token}` }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const { status, text } = await send(
    edge,
    new Request(`https://admin.test/.waiting-room/api/v1${path}`, init),
    bindings,
  )
  return { status, body: text.startsWith('{') ? JSON.parse(text) : null }
}

const make = async (edge: Edge, name: string, more: object = {}) =>
  (await ask(edge, '/tokens', { method: 'POST', body: { name, role: 'viewer', ...more } })).body

/** Bindings that count the calls of the object with the tokens, and let a test make it silent. */
function watched() {
  const seen = { lists: 0, uses: 0, isSilent: false }
  const stub = operatorsStub(env)
  const operators = {
    tokens: async () => {
      seen.lists++
      if (seen.isSilent) throw new Error('the object is overloaded')
      return stub.tokens()
    },
    tokenUsed: async (id: string) => {
      seen.uses++
      return stub.tokenUsed(id)
    },
  }
  const getByName: Env['ROOM']['getByName'] = (name, options) =>
    name === OPERATORS
      ? (operators as unknown as ReturnType<Env['ROOM']['getByName']>)
      : env.ROOM.getByName(name, options)
  return { seen, bindings: { ...env, ROOM: { getByName } } as Env }
}

describe('a token that was made in the dashboard', () => {
  it('is shown once, and works with its name and its role', async () => {
    const edge = newEdge()
    const made = await make(edge, 'ana', { role: 'operator', days: 30 })
    expect(made).toMatchObject({
      name: 'ana',
      role: 'operator',
      madeBy: 'ADMIN_TOKEN',
      endsAtMs: Date.now() + 30 * DAY,
    })
    expect(made.token).toMatch(/^antesala_[\w-]{43}$/)
    for (const each of [edge, newEdge()])
      expect((await ask(each, '/rooms', { token: made.token })).body.you).toMatchObject({
        name: 'ana',
        role: 'operator',
      })
    await settled()
    const { body } = await ask(edge, '/tokens')
    expect(body.tokens[0]).toMatchObject({ from: 'dashboard', id: made.id, name: 'ana', lastUsedAtMs: Date.now() })
    expect(JSON.stringify(body)).not.toMatch(/sha256|antesala_/)
    expect((await ask(edge, '/tokens', { token: made.token })).status).toBe(403)
  })

  it('is refused everywhere within five seconds after it was revoked', async () => {
    const [edge, other] = [newEdge(), newEdge()]
    const { token, id } = await make(edge, 'bo')
    expect((await ask(other, '/rooms', { token })).status).toBe(200)
    at(SECOND)
    expect((await ask(edge, `/tokens/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await ask(edge, '/rooms', { token })).status).toBe(401)
    at(5 * SECOND)
    expect((await ask(other, '/rooms', { token })).status).toBe(401)
    expect((await ask(edge, `/tokens/${id}`, { method: 'DELETE' })).status).toBe(404)
    const { tokens } = (await ask(edge, '/tokens')).body
    expect(tokens.find((one: { id: string }) => one.id === id)).toMatchObject({ revokedBy: 'ADMIN_TOKEN' })
  })

  it('works within a second at an edge that has just read the list', async () => {
    const [edge, other] = [newEdge(), newEdge()]
    const before = await make(edge, 'cleo')
    expect((await ask(other, '/rooms', { token: before.token })).status).toBe(200)
    const { token } = await make(edge, 'dan')
    at(SECOND)
    expect((await ask(other, '/rooms', { token })).status).toBe(200)
  })

  it('ends by itself, and the answer names it', async () => {
    const edge = newEdge()
    const { token } = await make(edge, 'eve', { days: 1 })
    at(DAY)
    const { status, body } = await ask(edge, '/rooms', { token })
    expect([status, body.detail]).toEqual([401, 'The token of eve has expired. An admin can make a new one.'])
    beganMs += DAY
  })

  it('costs an edge one call in five seconds for all requests, and one a minute to report its use', async () => {
    const { seen, bindings } = watched()
    const edge = newEdge()
    const { token } = await make(newEdge(), 'fay')
    for (let ms = 0; ms < 5 * SECOND; ms += 250) {
      at(ms)
      expect((await ask(edge, '/rooms/wide/changes', { token, bindings })).status).toBe(200)
    }
    await settled()
    expect(seen).toMatchObject({ lists: 1, uses: 1 })
    at(5 * SECOND)
    await ask(edge, '/rooms/wide/changes', { token, bindings })
    expect(seen.lists).toBe(2)
  })

  it('causes at most one call a second for wrong tokens, and no call for tokens in secrets', async () => {
    const { seen, bindings } = watched()
    const edge = newEdge()
    for (let ms = 0; ms < 3 * SECOND; ms += 100) {
      at(ms)
      await ask(edge, '/rooms/wide/changes', { token: `wrong-${ms}`, bindings })
    }
    expect(seen.lists).toBe(3)
    seen.isSilent = true
    at(10 * SECOND)
    expect((await ask(edge, '/rooms/wide/changes', { bindings })).status).toBe(200)
    expect(seen.lists).toBe(3)
  })

  it('works for a minute while no list can be read, and is then answered as one that cannot be checked', async () => {
    const { seen, bindings } = watched()
    const edge = newEdge()
    const { token } = await make(newEdge(), 'gus')
    expect((await ask(edge, '/rooms/wide/changes', { token, bindings })).status).toBe(200)
    seen.isSilent = true
    at(59 * SECOND)
    expect((await ask(edge, '/rooms/wide/changes', { token, bindings })).status).toBe(200)
    at(MINUTE)
    const { status, body } = await ask(edge, '/rooms/wide/changes', { token, bindings })
    expect([status, body.title]).toEqual([503, 'The token cannot be checked'])
  })

  it('is in the audit log of every room, with who made and who revoked it', async () => {
    const edge = newEdge()
    const { id } = await make(edge, 'hal')
    await ask(edge, `/tokens/${id}`, { method: 'DELETE' })
    for (const room of ['wide', 'small']) {
      const all = { actor: 'ADMIN_TOKEN', action: null, fromMs: 0, toMs: 1e15, beforeId: null, limit: 2 }
      const [removed, added] = await roomStub(env, room).audit(all)
      expect([removed, added]).toMatchObject([{ action: 'token-removed' }, { action: 'token-added' }])
      expect(added?.subject).toMatch(new RegExp(`^hal, viewer until .* \\(${id.slice(0, 6)}\\)$`))
    }
  })

  it('is shown to its maker while a room does not answer', async () => {
    const { bindings } = watched()
    const hanging = { record: () => new Promise<void>(() => {}) } as unknown as ReturnType<Env['ROOM']['getByName']>
    const getByName: Env['ROOM']['getByName'] = (name, options) =>
      name === OPERATORS ? env.ROOM.getByName(name, options) : hanging
    const body = { name: 'ivy', role: 'viewer' }
    const asking = { method: 'POST', body, bindings: { ...bindings, ROOM: { getByName } } as Env }
    const made = await ask(newEdge(), '/tokens', asking)
    expect([made.status, made.body.token]).toEqual([200, expect.stringMatching(/^antesala_/)])
  })

  it.each([
    [{ role: 'viewer' }, 'name', 'must be 1 to 40 letters, digits or . _ @ + -, and not ADMIN_TOKEN'],
    [{ name: 'ADMIN_TOKEN', role: 'viewer' }, 'name', expect.any(String)],
    [{ name: 'ivy', role: 'owner' }, 'role', 'must be one of viewer, operator, admin'],
    [{ name: 'ivy', role: 'viewer', days: 401 }, 'days', 'must be a whole number, 1 to 400'],
  ])('is refused as %j', async (body, path, message) => {
    const answer = await ask(newEdge(), '/tokens', { method: 'POST', body })
    expect([answer.status, answer.body.problems]).toEqual([422, [{ path, message }]])
  })

  it('is listed beside those in the secret, which only a deployment revokes', async () => {
    const edge = newEdge()
    const secret = { name: 'jo', role: 'viewer', sha256: 'A'.repeat(43), expires: '2999-01-01T00:00:00Z' }
    const bindings = { ...env, ADMIN_TOKENS: JSON.stringify([secret]) }
    const { body } = await ask(edge, '/tokens', { bindings })
    const found = body.tokens.find(({ from }: { from: string }) => from === 'secret')
    expect(found).toMatchObject({ name: 'jo', role: 'viewer', lastUsedAtMs: null })
    const answer = await ask(edge, `/tokens/${found.id}`, { method: 'DELETE', bindings })
    expect([answer.status, answer.body.detail]).toEqual([404, expect.stringContaining('ADMIN_TOKENS')])
  })

  it('is one of at most 100 that are listed although they are over', async () => {
    const stub = operatorsStub(env)
    const about = { name: 'brief', role: 'viewer', madeBy: 'x', endsAtMs: Date.now() + DAY }
    for (let nth = 0; nth < 110; nth++) {
      const made = await stub.addToken({ ...about, sha256: `brief-${1_000 + nth}-`.padEnd(43, 'y') })
      at(nth + 1)
      expect(await stub.revokeToken(made?.id ?? '', 'x')).toMatchObject({ revokedBy: 'x' })
    }
    const over = (await stub.tokens()).filter(one => one.revokedAtMs !== null)
    expect(over.length).toBeLessThanOrEqual(101)
    expect(over).toContainEqual(expect.objectContaining({ id: 'brief-1109-y' }))
  })

  it('is one of at most 100 that are valid', async () => {
    const stub = operatorsStub(env)
    const about = { name: 'many', role: 'viewer', madeBy: 'x', endsAtMs: Date.now() + DAY }
    const distinct = (nth: number) => ({ ...about, sha256: `${1_000 + nth}-`.padEnd(43, 'z') })
    const valid = (await stub.tokens()).filter(one => one.revokedAtMs === null && one.endsAtMs > Date.now()).length
    for (let nth = valid; nth < 100; nth++) expect(await stub.addToken(distinct(nth))).not.toBeNull()
    expect(await stub.addToken(distinct(100))).toBeNull()
    expect((await ask(newEdge(), '/tokens', { method: 'POST', body: { name: 'kim', role: 'viewer' } })).status).toBe(
      409,
    )
  })
})
