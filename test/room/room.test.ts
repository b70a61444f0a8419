import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { newHealth, upstreamIn } from '../../src/core/health/state.ts'
import { arrivalBucketOf } from '../../src/core/line/arrivals.ts'
import type { DoorReport } from '../../src/core/protocol/messages.ts'
import { roomStub } from '../../src/settings/env.ts'
import { emptyReport } from '../support/reports.ts'
import { env } from '../support/workerd/visitor.ts'

const stubOf = (name: string) => roomStub(env, name) as unknown as DurableObjectStub

function report(door: string, more: Partial<DoorReport> = {}): DoorReport {
  return { ...emptyReport(door), ...more }
}

const ready = (people: number) => [{ lane: 'main', ready: people, oldestKey: Date.now(), perSecond: 0 }]

describe('a room', () => {
  it('remembers grants, the line and its doors after an eviction', async () => {
    const room = roomStub(env, 'held')
    await room.change({ set: { queue_all: false } }, null, 'test')
    const first = await room.sync(report('zz-1', { demand: ready(500) }))
    const bucket = arrivalBucketOf(Date.now())
    await room.sync(report('zz-1', { seq: 2, spent: 10, live: 10, cells: { [`line/main/${bucket}`]: 7 } }))
    const before = await room.describe()
    await evictDurableObject(stubOf('held'))
    const after = await room.describe()
    expect(after.figures).toMatchObject({
      active: 10,
      permitsOut: before.figures.permitsOut,
      waiting: 7,
      open: false,
      totals: { admitted: 10, confirmed: 7 },
    })
    expect(await room.sync(report('zz-1', { seq: 2, spent: 10, live: 10 }))).toMatchObject({ granted: first?.granted })
    expect(await room.sync(report('zz-1', { seq: 1 }))).toBeNull()
  })

  it('adds doors when one has too much to do, and remembers them', async () => {
    const room = roomStub(env, 'own')
    await room.sync(report('zz-0', { callsPerSecond: 20 }))
    await evictDurableObject(stubOf('own'))
    vi.setSystemTime(Date.now() + 20_000)
    const reply = await room.sync(report('zz-0', { seq: 2, callsPerSecond: 800 }))
    vi.useRealTimers()
    expect(reply?.snapshot.doors).toEqual({ count: 3, from: 1 })
    await evictDurableObject(stubOf('own'))
    expect((await room.sync(report('zz-0', { seq: 3, callsPerSecond: 20 })))?.snapshot.doors).toEqual({
      count: 3,
      from: 1,
    })
  })

  it('remembers each place that doors have counted, although not each report stores the line', async () => {
    const room = roomStub(env, 'standing')
    await room.change({ set: { queue_all: true } }, null, 'test')
    await room.sync(report('zz-1', { demand: ready(1) }))
    const bucket = arrivalBucketOf(Date.now() + 1_000)
    const report2 = (door: string, i: number) => ({
      door,
      seq: i,
      base: i - 1,
      cells: { [`line/main/${bucket + i}`]: 1 },
    })
    for (let i = 2; i <= 8; i++)
      for (const door of ['zz-1', 'zz-2', 'zz-3']) await room.sync(report(door, report2(door, i)))
    for (let times = 0; times < 2; times++) {
      await evictDurableObject(stubOf('standing'))
      expect((await room.describe()).figures).toMatchObject({ waiting: 21, totals: { confirmed: 21 } })
    }
    await room.sync(report('zz-1', { seq: 9, base: 8, cells: { [`gone/main/${bucket + 2}`]: 1 } }))
    await evictDurableObject(stubOf('standing'))
    expect((await room.describe()).figures.waiting).toBe(20)
  })

  it('moves the people of a removed lane into the main line once, whatever is evicted', async () => {
    const room = roomStub(env, 'invited')
    const bucket = arrivalBucketOf(Date.now() + 1_000)
    const line = (lane: string, count: number) => ({ [`line/${lane}/${bucket}`]: count })
    await room.sync(report('zz-1', { demand: ready(1) }))
    await room.sync(report('zz-1', { seq: 2, base: 1, cells: { ...line('main', 3), ...line('vip', 4) } }))
    const figures = async () => {
      await evictDurableObject(stubOf('invited'))
      const { waiting, lanes } = (await room.describe()).figures
      return [waiting, ...lanes.map(lane => lane.waiting)]
    }
    const setLanes = (names: readonly string[]) =>
      room.change({ set: { lanes: names.map(name => ({ name, share: 0.2 })) } }, null, 'test')
    expect(await figures()).toEqual([7, 3, 4, 0])
    await setLanes(['press'])
    expect(await figures()).toEqual([7, 7, 0])
    await setLanes(['press', 'vip'])
    expect(await figures()).toEqual([7, 7, 0, 0])
    await room.change({ reset: 'all' }, null, 'test')
  })

  it('converts a removed lane that an earlier version has stored', async () => {
    const room = roomStub(env, 'invited')
    const key = Date.now() + 5_000
    const cells = { [`line/main/${arrivalBucketOf(key)}`]: 5, [`line/press/${arrivalBucketOf(key)}`]: 2 }
    await room.sync(report('zz-2', { cells }))
    const { lanes, waiting } = (await room.describe()).figures
    expect(lanes[2]).toMatchObject({ name: 'press', waiting: 2 })
    // Such a version counted the people of a removed lane in both lines.
    await runInDurableObject(stubOf('invited'), (_room, { storage }) => {
      storage.sql.exec(`UPDATE facts SET value = json_set(value, '$.lines.press.removedAtMs', 1) WHERE name = 'room'`)
    })
    await evictDurableObject(stubOf('invited'))
    expect((await room.describe()).figures).toMatchObject({
      waiting: waiting - 2,
      lanes: [lanes[0], lanes[1], { waiting: 0 }],
    })
    await room.sync(report('zz-2', { seq: 2, base: 1 }))
    const rows = await runInDurableObject(stubOf('invited'), (_room, { storage }) =>
      storage.sql.exec("SELECT chunk FROM arrivals WHERE lane = 'press'").toArray(),
    )
    expect(rows).toEqual([])
  })

  it('answers a report again that it answered before an eviction', async () => {
    const room = roomStub(env, 'wide')
    const again = report('zz-3', { demand: ready(2) })
    const first = await room.sync(again)
    await evictDurableObject(stubOf('wide'))
    expect(await room.sync(again)).toMatchObject({ seq: 1, granted: first?.granted })
  })

  it('probes an upstream in trouble as soon as a probe is set', async () => {
    const room = roomStub(env, 'leaving')
    await room.describe()
    const breaker = { state: 'half-open', sinceMs: 1, goodWindows: 0, fairWindows: 0, failures: 1 }
    const origin = { ...upstreamIn(newHealth(0), 'origin'), breaker }
    const health = JSON.stringify({ ...newHealth(Date.now()), upstreams: { origin } })
    await runInDurableObject(stubOf('leaving'), (_room, { storage }) => {
      storage.sql.exec("INSERT OR REPLACE INTO facts (name, value) VALUES ('origin_health', ?)", health)
    })
    await evictDurableObject(stubOf('leaving'))
    expect((await room.describe()).figures.health.upstreams[0]?.breaker).toBe('half-open')
    await room.change({ set: { health: { probe: { path: '/up' } } } }, null, 'test')
    const alarmMs = await runInDurableObject(stubOf('leaving'), (_room, { storage }) => storage.getAlarm())
    expect(alarmMs).not.toBeNull()
    await room.change({ reset: 'all' }, null, 'test')
  })

  it('keeps its generation after an eviction, because every token contains it', async () => {
    const room = roomStub(env, 'wide')
    const { snapshot } = (await room.sync(report('zz-2'))) ?? {}
    await evictDurableObject(stubOf('wide'))
    const again = await room.sync(report('zz-2', { seq: 2 }))
    expect(again?.snapshot.generation).toBe(snapshot?.generation)
  })

  it('grants no more permits than it has places, whatever the doors demand', async () => {
    const room = roomStub(env, 'small')
    const doors = ['zz-1', 'zz-2', 'zz-3']
    let granted = 0
    for (const door of doors) granted += (await room.sync(report(door, { demand: ready(100) })))?.granted ?? 0
    expect(granted).toBe(10)
  })
})

describe('a live change', () => {
  it('is versioned, and refused when another operator was faster', async () => {
    const room = roomStub(env, 'wide')
    const { version } = await room.describe()
    const first = await room.change({ set: { message: 'one' } }, ['1older.3', version], 'ana')
    expect(first.kind).toBe('changed')
    expect(await room.change({ set: { message: 'two' } }, [version], 'bo')).toMatchObject({ kind: 'outdated' })
    expect((await room.describe()).settings.message).toBe('one')
  })

  it('makes no version, no entry and no new stock when it repeats the settings of the room', async () => {
    const room = roomStub(env, 'stocked')
    await room.change({ set: { remaining: 5 } }, null, 'ana')
    const { version, settings, figures } = await room.describe()
    const entries = (await room.changes()).length
    for (const set of [settings, {}, { remaining: 5, message: settings.message }, { name: 'stocked' }]) {
      expect(await room.change({ set }, [version], 'bo')).toEqual({ kind: 'unchanged', version })
    }
    expect(await room.change({ reset: ['message'] }, null, 'bo')).toEqual({ kind: 'unchanged', version })
    expect(await room.describe()).toMatchObject({ version, settings, figures: { remaining: figures.remaining } })
    expect(await room.changes()).toHaveLength(entries)
    // The same number is new stock if the request sets nothing else.
    expect((await room.change({ set: { remaining: 5 } }, [version], 'bo')).kind).toBe('changed')
    expect(await room.changes()).toHaveLength(entries + 1)
  })

  it('is recorded without the settings that it repeats', async () => {
    const room = roomStub(env, 'stocked')
    const { settings } = await room.describe()
    await room.change({ set: { ...settings, message: 'More at five.' } }, null, 'ana')
    expect((await room.changes())[0]?.request).toEqual({ set: { message: 'More at five.' } })
  })

  it('is refused whole, with path, value and range', async () => {
    const room = roomStub(env, 'wide')
    const outcome = await room.change({ set: { message: 'x', total_active_users: 0, nonsense: 1 } }, null, 'ana')
    expect(outcome).toEqual({
      kind: 'invalid',
      problems: [
        { path: 'total_active_users', message: 'must be a whole number, 1 to 10,000,000, got 0' },
        { path: 'nonsense', message: 'is not a setting' },
      ],
    })
    expect((await room.describe()).settings.message).not.toBe('x')
  })

  it('survives a restart, is audited, and is reset one by one or as a whole', async () => {
    const room = roomStub(env, 'wide')
    await room.change({ set: { message: 'kept', total_active_users: 77 } }, null, 'ana')
    await evictDurableObject(stubOf('wide'))
    expect(await room.describe()).toMatchObject({
      overridden: ['message', 'total_active_users'],
      settings: { message: 'kept', total_active_users: 77 },
      file: { message: '', total_active_users: 1_000 },
    })
    await room.change({ reset: ['message'] }, null, 'bo')
    expect((await room.describe()).settings).toMatchObject({ message: '', total_active_users: 77 })
    expect(await room.change({ reset: ['host'] }, null, 'bo')).toMatchObject({ kind: 'invalid' })
    await room.change({ reset: 'all' }, null, 'bo')
    expect((await room.describe()).settings.total_active_users).toBe(1_000)
    const [last, before, first] = await room.changes()
    expect([last?.request, before?.request, first?.request]).toEqual([
      { reset: 'all' },
      { reset: ['message'] },
      { set: { message: 'kept', total_active_users: 77 } },
    ])
    expect([last?.actor, first?.actor]).toEqual(['bo', 'ana'])
  })
})
