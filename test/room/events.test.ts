import { afterAll, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { emptyReport } from '../support/reports.ts'
import { env, newEdge, send, Visitor } from '../support/workerd/visitor.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()
const demand = (ready: number) => [{ lane: 'main', ready, oldestKey: Date.now(), perSecond: 0 }]

afterAll(() => {
  vi.useRealTimers()
})

describe('a room that sleeps through the start of an event', () => {
  it('fills its bank at the rate that was in force, up to the very start', async () => {
    const room = roomStub(env, 'turning')
    const nowMs = Math.ceil(Date.now() / MINUTE) * MINUTE
    vi.setSystemTime(nowMs)
    const startMs = nowMs + 10_000
    const limits = { total_active_users: 100_000, new_users_per_minute: 60_000 }
    const times = { event_start_time: iso(startMs), event_end_time: iso(startMs + MINUTE) }
    await room.change({ set: { events: [{ name: 'rush', ...times, ...limits }] } }, null, 'test')
    // The rate is one permit a second. The bank of five is spent at once.
    const first = await room.sync({ ...emptyReport('zz-0'), demand: demand(1_000) })
    expect(first?.granted).toBe(5)
    await room.sync({ ...emptyReport('zz-0'), seq: 2, spent: 5, live: 5 })
    // Ten seconds at one permit a second bank five at most. A tenth of a second at a thousand a second adds 100.
    vi.setSystemTime(startMs + 100)
    expect((await room.describe()).figures).toMatchObject({ permitsBanked: 105, totalActiveUsers: 100_000 })
    // Back at one a second, the bank holds at most five seconds of the rate.
    vi.setSystemTime(startMs + MINUTE)
    expect((await room.describe()).figures).toMatchObject({ permitsBanked: 5, effectiveRatePerMinute: 60 })
  })
})

describe('a draw', () => {
  it('has a commitment, which is not its seed, from the moment its event is set', async () => {
    const room = roomStub(env, 'turning')
    const startMs = Date.now() + 60 * MINUTE
    const times = { prequeue_start_time: iso(startMs - 5 * MINUTE), event_start_time: iso(startMs) }
    const gala = { name: 'gala', shuffle_at_event_start: true, ...times, event_end_time: iso(startMs + MINUTE) }
    expect(await room.draws()).toEqual([])
    await room.change({ set: { events: [gala] } }, null, 'test')
    const [draw] = await room.draws()
    expect(draw).toMatchObject({ seed: null, fromKey: null, calledOff: false })
    expect(draw?.commitment).toMatch(/^[\da-f]{64}$/)
    const { snapshot } = (await room.sync({ ...emptyReport('zz-1') })) ?? {}
    expect(snapshot?.events?.draws).toEqual([{ id: 1, event: 'gala', startMs, drawn: null }])
  })

  it('is not found under a name that no event has', async () => {
    const visitor = new Visitor('turning.test', newEdge())
    const ask = (event: string) => visitor.data(`/.waiting-room/draws/${event}?room=turning`)
    for (const event of ['nothing', 'a%20name', '__proto__', '%ff']) expect((await ask(event)).status, event).toBe(404)
    expect((await ask('gala')).status).toBe(200)
    expect((await visitor.data('/.waiting-room/draws/gala?room=none')).status).toBe(404)
  })

  it('is fetched from the room once a second at most, and no network is refused because of another', async () => {
    let calls = 0
    const ROOM: typeof env.ROOM = {
      getByName: (name, options) => {
        const room = env.ROOM.getByName(name, options)
        const draws = () => {
          calls++
          return room.draws()
        }
        return { ...room, draws }
      },
    }
    const edge = newEdge()
    const ask = async (address: string, event = 'gala') => {
      const url = `https://turning.test/.waiting-room/draws/${event}?room=turning`
      const headers = { 'CF-Connecting-IP': address }
      return (await send(edge, new Request(url, { headers }), { ...env, ROOM })).status
    }
    const answersTo = async (count: number, ask: (i: number) => Promise<number>) =>
      new Set(await Promise.all(Array.from({ length: count }, (_, i) => ask(i))))
    vi.setSystemTime(Date.now())
    expect(await answersTo(300, i => ask('', `e${i}`))).toEqual(new Set([404]))
    expect(await answersTo(300, () => ask('10.0.0.7'))).toEqual(new Set([200]))
    expect(calls).toBe(1)
    expect(await answersTo(60, i => ask(`81.2.69.${i}`))).toEqual(new Set([200, 429]))
    expect(await answersTo(50, i => ask(`81.2.70.${i}`))).toEqual(new Set([200]))
    vi.setSystemTime(Date.now() + 1_000)
    expect([await ask(''), await ask(''), calls]).toEqual([200, 200, 2])
    vi.useRealTimers()
  })
})
