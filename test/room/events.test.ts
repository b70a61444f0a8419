import { afterAll, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { emptyReport } from '../support/reports.ts'
import { env, newEdge, Visitor } from '../support/workerd/visitor.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()
const demand = (standing: number) => [{ lane: 'main', standing, oldestKey: Date.now(), perSecond: 0 }]

afterAll(() => {
  vi.useRealTimers()
})

describe('a room that sleeps through the start of an event', () => {
  it('fills its bank by the rate that was in force, until the very moment', async () => {
    const room = roomStub(env, 'turning')
    const nowMs = Math.ceil(Date.now() / MINUTE) * MINUTE
    vi.setSystemTime(nowMs)
    const startMs = nowMs + 10_000
    const limits = { total_active_users: 100_000, new_users_per_minute: 60_000 }
    const times = { event_start_time: iso(startMs), event_end_time: iso(startMs + MINUTE) }
    await room.change({ set: { events: [{ name: 'rush', ...times, ...limits }] } }, null, 'test')
    // One a second: the bank of five is spent at once.
    const first = await room.sync({ ...emptyReport('zz-0'), demand: demand(1_000) })
    expect(first?.granted).toBe(5)
    await room.sync({ ...emptyReport('zz-0'), seq: 2, spent: 5, live: 5 })
    // Ten seconds of one, of which five are banked, and a tenth of a second of a thousand.
    vi.setSystemTime(startMs + 100)
    expect((await room.describe()).figures).toMatchObject({ permitsBanked: 105, totalActiveUsers: 100_000 })
    // And back: what the rush had banked is more than five seconds of one.
    vi.setSystemTime(startMs + MINUTE)
    expect((await room.describe()).figures).toMatchObject({ permitsBanked: 5, effectiveRatePerMinute: 60 })
  })
})

describe('a draw', () => {
  it('has its commitment from the moment its event is set, which is not its seed', async () => {
    const room = roomStub(env, 'turning')
    const startMs = Date.now() + 60 * MINUTE
    const times = { prequeue_start_time: iso(startMs - 5 * MINUTE), event_start_time: iso(startMs) }
    const gala = { name: 'gala', shuffle_at_event_start: true, ...times, event_end_time: iso(startMs + MINUTE) }
    expect(await room.draw('gala')).toBeNull()
    await room.change({ set: { events: [gala] } }, null, 'test')
    const draw = await room.draw('gala')
    expect(draw).toMatchObject({ seed: null, fromKey: null, calledOff: false })
    expect(draw?.commitment).toMatch(/^[\da-f]{64}$/)
    const { view } = (await room.sync({ ...emptyReport('zz-1') })) ?? {}
    expect(view?.events?.draws).toEqual([{ id: 1, event: 'gala', startMs, drawn: null }])
  })

  it('that nobody knows is not there, and nobody can make an edge ask for draws for ever', async () => {
    const visitor = new Visitor('turning.test', newEdge())
    const ask = (event: string) => visitor.data(`/.waiting-room/draws/${event}?room=turning`)
    expect((await ask('nothing')).status).toBe(404)
    expect((await ask('a%20name')).status).toBe(404)
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask('gala')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]))
    expect((await visitor.data('/.waiting-room/draws/gala?room=none')).status).toBe(404)
  })
})
