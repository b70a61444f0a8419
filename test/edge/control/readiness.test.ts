import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ROOM_MIGRATIONS } from '../../../src/room/store.ts'
import { major, migrate } from '../../../src/runtime/migrations.ts'
import { type Env, roomStub } from '../../../src/settings/env.ts'
import { type Edge, env, newEdge, send, settled } from '../../support/workerd/visitor.ts'

interface NamedRoom {
  readonly name: string
}

/** Bindings with only the named rooms. */
function only(...names: string[]): Env {
  return { ...env, ROOMS: (env.ROOMS as NamedRoom[]).filter(({ name }) => names.includes(name)) }
}

/** Bindings whose doors answer a report through `around`. */
function withDoors(bindings: Env, around: (sync: () => Promise<unknown>) => Promise<unknown>): Env {
  const DOOR: Env['DOOR'] = {
    getByName: (...args) =>
      new Proxy(env.DOOR.getByName(...args), {
        get: (door, name) =>
          name === 'sync'
            ? (report: Parameters<typeof door.sync>[0]) => around(() => door.sync(report))
            : Reflect.get(door, name),
      }),
  }
  return { ...bindings, DOOR }
}

async function get(edge: Edge, path: string, bindings: Env) {
  const { status, text, response } = await send(edge, new Request(`https://wide.test${path}`), bindings)
  const body = JSON.parse(text) as { status: unknown; title?: string; reasons?: string[] }
  return { status, body, headers: response.headers }
}

const readyz = (edge: Edge, bindings: Env) => get(edge, '/.waiting-room/readyz', bindings)
const healthz = (edge: Edge, bindings: Env) => get(edge, '/.waiting-room/healthz', bindings)

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await settled()
})

describe('readiness', () => {
  it('is 200 when the door of each room answers', async () => {
    const { status, body, headers } = await readyz(newEdge(), only('wide', 'small'))
    expect([status, body]).toEqual([200, { status: 'ready' }])
    expect(headers.get('Cache-Control')).toBe('no-store')
  })

  it('is 503 with the path and the range of a wrong setting, but without its value', async () => {
    const [room] = only('wide').ROOMS as object[]
    const secret = { header: { name: 'X-Monitor', value: ['a-long-secret'] } }
    const bindings = { ...env, ROOMS: [{ ...room, total_active_users: 0, bypass: [secret] }] }
    const edge = newEdge()
    const { status, body, headers } = await readyz(edge, bindings)
    expect([status, body.title]).toEqual([503, 'Not ready'])
    expect(body.reasons).toContain('ROOMS[0].total_active_users must be a whole number, 1 to 10,000,000')
    expect(body.reasons?.join()).toContain('ROOMS[0].bypass[0].header.value')
    expect(JSON.stringify(body)).not.toContain('a-long-secret')
    expect(headers.get('Retry-After')).toBe('1')
    const alive = await healthz(edge, bindings)
    expect(alive).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect(alive.headers.get('X-Content-Type-Options')).toBe('nosniff')
  })

  it.each([
    [undefined, 'ROOM_KEYS is not set: make one with `npm run keys -- new`'],
    ['{"keys": []}', 'ROOM_KEYS must hold exactly one ticket key with state sign, got 0'],
  ])('is 503 when ROOM_KEYS is %j, and the edge is alive', async (ROOM_KEYS, reason) => {
    const edge = newEdge()
    const { ROOM_KEYS: _, ...rest } = only('wide')
    const bindings: Env = ROOM_KEYS === undefined ? rest : { ...rest, ROOM_KEYS }
    expect(await readyz(edge, bindings)).toMatchObject({ status: 503, body: { reasons: [reason] } })
    expect((await healthz(edge, bindings)).status).toBe(200)
  })

  it('is served under the prefix of a refused configuration', async () => {
    const bindings = { ...env, ROOMS: [], ORIGIN: 'nowhere', CONTROL_PREFIX: '/queue' }
    const edge = newEdge()
    expect((await get(edge, '/queue/healthz', bindings)).status).toBe(200)
    expect((await get(edge, '/queue/readyz', bindings)).body.reasons?.[0]).toContain('ORIGIN must be an address')
    const broken = { ...bindings, CONTROL_PREFIX: 'two/parts' }
    expect((await healthz(newEdge(), broken)).status).toBe(200)
    expect((await readyz(newEdge(), broken)).body.reasons?.join()).toContain('CONTROL_PREFIX must be one path segment')
  })

  it('names the room whose door does not answer, asks it at most once a second, and recovers', async () => {
    let isDown = true
    let calls = 0
    const bindings = withDoors(only('wide', 'small'), async sync => {
      calls++
      if (isDown) throw new Error('internal error; reference = abc')
      return sync()
    })
    const edge = newEdge()
    vi.useFakeTimers({ toFake: ['Date'] })
    const answers = await Promise.all(Array.from({ length: 50 }, () => readyz(edge, bindings)))
    for (let nth = 0; nth < 50; nth++) answers.push(await readyz(edge, bindings))
    expect(calls).toBe(2)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    const { body } = answers.at(-1) ?? {}
    expect(body?.reasons).toEqual(['room wide: no door has answered yet', 'room small: no door has answered yet'])
    expect(JSON.stringify(body)).not.toContain('reference')
    isDown = false
    vi.useRealTimers()
    await expect.poll(async () => (await readyz(edge, bindings)).status, { timeout: 10_000 }).toBe(200)
  })

  it('reports how long a room has been silent once on_room_failure applies', async () => {
    let silentMs = 30_000
    const bindings = withDoors(only('wide'), async sync => ({ ...((await sync()) as object), silentMs }))
    expect((await readyz(newEdge(), bindings)).status).toBe(200)
    silentMs = 75_000
    const { status, body } = await readyz(newEdge(), bindings)
    expect([status, body.reasons]).toEqual([503, ['room wide: no answer for 75 s']])
  })

  it('reports a database with a major migration of a newer version', async () => {
    const stub = roomStub(env, 'ahead') as unknown as DurableObjectStub
    await roomStub(env, 'ahead').describe()
    await runInDurableObject(stub, (_room, { storage }) => {
      migrate(storage.sql, [...ROOM_MIGRATIONS, major('CREATE TABLE more (x);')])
    })
    await evictDurableObject(stub)
    const { status, body } = await readyz(newEdge(), only('ahead', 'wide'))
    expect(status).toBe(503)
    expect(body.reasons).toHaveLength(1)
    expect(body.reasons?.[0]).toMatch(
      /^room ahead: storage refused: a newer version of the program has made this database/,
    )
  })
})

describe('a refused configuration', () => {
  it('is logged once, however many requests come', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const edge = newEdge()
    const statuses: number[] = []
    for (let nth = 0; nth < 20; nth++) statuses.push((await get(edge, '/', { ...env, ROOM_KEYS: 'x' })).status)
    expect(new Set(statuses)).toEqual(new Set([503]))
    expect(logged.mock.calls.flat().map(text => JSON.parse(text))).toMatchObject([
      {
        event: 'configuration-refused',
        room: null,
        detail: 'ROOM_KEYS is not JSON: make one with `npm run keys -- new`',
      },
    ])
  })
})
