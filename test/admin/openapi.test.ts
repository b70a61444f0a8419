import { afterEach, describe, expect, it } from 'vitest'
import { OPERATIONS, type OperationKey } from '../../src/admin/openapi/operations.ts'
import { BODIES } from '../../src/admin/openapi/schemas.ts'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, send, settled, Visitor } from '../support/workerd/visitor.ts'

const TOKEN = 'the-admin-token-of-the-test-rooms'
const edge = newEdge()
const WITHOUT_BODY = ['101', '202', '204']

async function ask(method: string, path: string, body?: unknown) {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'CF-Connecting-IP': '192.0.2.1' }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const { status, text } = await send(edge, new Request(`https://admin.test/.waiting-room/api/v1${path}`, init))
  return { status, body: text === '' ? null : JSON.parse(text) }
}

interface Operation {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema?: object }>> }>>
}

afterEach(settled)

describe('the description of the admin API', () => {
  it('has a name, a group and a schema for each answer of each operation', async () => {
    const { paths, components } = (await ask('GET', '/openapi.json')).body
    const named: string[] = []
    for (const [path, item] of Object.entries(paths as Record<string, Record<string, Operation>>))
      for (const [method, operation] of Object.entries(item)) {
        if (!['get', 'post', 'patch', 'delete'].includes(method)) continue
        const which = `${method} ${path}`
        named.push(operation.operationId ?? which)
        expect(operation.tags, which).toHaveLength(1)
        for (const [status, { content }] of Object.entries(operation.responses)) {
          if (WITHOUT_BODY.includes(status)) expect(content, which).toBeUndefined()
          else
            expect(
              Object.values(content ?? {}).every(({ schema }) => schema),
              `${which} ${status}`,
            ).toBe(true)
          if (!WITHOUT_BODY.includes(status)) expect(Object.keys(content ?? {}), which).not.toEqual([])
        }
      }
    expect(named.filter(name => /[ /]/.test(name))).toEqual([])
    expect(new Set(named).size).toBe(named.length)
    const refs = JSON.stringify(paths).match(/(?<="#\/components\/schemas\/)\w+/g) ?? []
    expect([...new Set(refs)].filter(name => !(name in components.schemas))).toEqual([])
    // Answers of later versions have more members.
    expect(JSON.stringify(components.schemas.Room)).not.toContain('"additionalProperties":false')
  })
})

describe('the answers of the admin API', () => {
  it('have exactly the members that are described', async () => {
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const sid = String(claimsOf(visitor.token).sub)
    const nowMs = Date.now()
    const time = (ms: number) => new Date(nowMs + ms).toISOString()
    const sale = { event_start_time: time(3_600_000), event_end_time: time(7_200_000), new_users_per_minute: 5_000 }
    const events = [
      {
        name: 'sale',
        prequeue_start_time: time(3_000_000),
        shuffle_at_event_start: true,
        total_active_users: 9,
        ...sale,
      },
    ]
    const given = { path: { name: 'wide', sid, setting: 'message', id: 'span' } }
    const bodies: Readonly<Record<string, unknown>> = {
      'PATCH /rooms/{name}': { events },
      'POST /tokens': { name: 'described', role: 'viewer' },
    }
    const { reports } = (await ask('GET', '/rooms/wide/reports')).body
    expect(reports).toEqual([])
    for (const [key, operation] of Object.entries(OPERATIONS)) {
      if (!('body' in operation)) continue
      const [method = '', pattern = ''] = (key as OperationKey).split(' ')
      const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => Reflect.get(given.path, name))
      const { status, body } = await ask(method, path, bodies[key])
      expect(status, key).toBe(200)
      const parsed = BODIES[operation.body].safeParse(body)
      expect(parsed.error?.issues ?? [], key).toEqual([])
    }
    const room = BODIES.Room.parse((await ask('GET', '/rooms/wide')).body)
    expect(room.figures.doors.length).toBeGreaterThan(0)
  })

  it('have these members also in a room with upstreams, lanes, policies and alerts', async () => {
    const rooms = BODIES.Rooms.parse((await ask('GET', '/rooms')).body).rooms
    expect(rooms.length).toBeGreaterThan(10)
    expect(BODIES.Health.safeParse((await ask('GET', '/rooms/shedding/health')).body).error).toBeUndefined()
    await roomStub(env, 'wide').change(
      { set: { alerts: [{ when: 'line_longer_than', threshold: 5, to: ['chat'] }] } },
      null,
      'ana',
    )
    expect(BODIES.Alerts.parse((await ask('GET', '/rooms/wide/alerts')).body)).toBeTruthy()
  })

  it.each([
    ['GET', '/rooms/none', 404],
    ['PATCH', '/rooms/wide', 422],
    ['GET', '/rooms/wide/history?from=x', 422],
  ])('are problems where %s %s is refused', async (method, path, status) => {
    const answer = await ask(method, path, method === 'PATCH' ? { nothing: 1 } : undefined)
    expect(answer.status).toBe(status)
    expect(BODIES.Problem.safeParse(answer.body).error).toBeUndefined()
  })
})
