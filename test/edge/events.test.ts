import { evictDurableObject } from 'cloudflare:test'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { entryKey } from '../../src/tokens/draw.ts'
import { claimsOf, type Edge, env, misplaced, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const MINUTE = 60_000
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const iso = (ms: number) => new Date(ms).toISOString()
/** Mocked time stands still. The tests move it along by hand, and never back. */
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)
/** Waits until an isolate and its door have reported their counts. */
const reported = () => pause(2_500)

const change = async (room: string, set: object) =>
  expect(await roomStub(env, room).change({ set }, null, 'test')).toMatchObject({ kind: 'changed' })
const draw = async (room: string, event: string, edge: Edge) => {
  const answer = await new Visitor(`${room}.test`, edge).data(`/.waiting-room/draws/${event}?room=${room}`)
  return { ...answer, json: JSON.parse(answer.text) }
}

/** An event whose prequeue begins now, six minutes before its start. */
function eventFromNow(more: object = {}) {
  const nowMs = Date.now()
  return {
    name: 'sale',
    prequeue_start_time: iso(nowMs),
    event_start_time: iso(nowMs + 6 * MINUTE),
    event_end_time: iso(nowMs + 66 * MINUTE),
    shuffle_at_event_start: true,
    ...more,
  }
}

/** Visitors who arrive one second apart, and come back once. */
async function waitFor(host: string, edge: Edge, people: number): Promise<Visitor[]> {
  const visitors = Array.from({ length: people }, () => new Visitor(host, edge))
  for (const visitor of visitors) {
    pass(1_000)
    await visitor.page()
  }
  pass(3_000)
  for (const visitor of visitors) await visitor.poll()
  return visitors
}

async function sha256(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return `sha256:${[...hash].map(byte => byte.toString(16).padStart(2, '0')).join('')}`
}

beforeEach(() => {
  vi.setSystemTime(Math.ceil(Date.now() / MINUTE) * MINUTE)
})
afterEach(settled)
afterAll(() => {
  vi.useRealTimers()
})

describe('an event with a draw', () => {
  it('shows no place before its start, and afterwards the place that the published seed determines', async () => {
    const edge = newEdge()
    const startMs = Date.now() + 6 * MINUTE
    await change('drop', { events: [eventFromNow()], queue_all: false })
    const { json: committed } = await draw('drop', 'sale', edge)
    expect(committed).toMatchObject({ state: 'committed', seed: null, places: null })
    const visitors = await waitFor('drop.test', edge, 12)
    // This visitor takes an entry but does not come back before the start, so the draw leaves the entry out.
    const once = new Visitor('drop.test', edge)
    await once.page()
    expect(claimsOf(once.token)).toMatchObject({ event: 'sale', entry: 1 })
    pass(40_000)
    for (const visitor of visitors) {
      const { place, objectCalls } = await visitor.poll()
      expect(place).toMatchObject({ state: 'waiting', position: null, peopleAhead: null, called: false })
      expect(place).toMatchObject({ event: { name: 'sale', startsAt: iso(startMs), draw: { isEntry: true } } })
      expect(place.cfWaitingRoom).toMatchObject({
        isEventActive: true,
        isEventPrequeueing: true,
        shuffleAtEventStart: true,
        timeUntilEventStart: Math.ceil((startMs - Date.now()) / MINUTE),
        waitTimeKnown: false,
      })
      expect(claimsOf(visitor.token)).toMatchObject({ event: 'sale', entry: 1, low: null })
      expect(objectCalls).toBe(0)
    }
    await reported()
    expect((await roomStub(env, 'drop').describe()).figures).toMatchObject({ entries: 12, waiting: 0, active: 0 })

    // A visitor who arrives at the very start gets a place behind all visitors who waited.
    vi.setSystemTime(startMs)
    // The doors fail, as at an edge that has not received the seed yet.
    const [first] = visitors as [Visitor]
    const getByName = () => {
      throw Object.assign(new Error('internal error'), { retryable: true })
    }
    first.bindings = { ...env, DOOR: { getByName } } as unknown as typeof env
    const { text } = await first.page()
    first.bindings = env
    expect(text).toContain('Starting now')
    expect(text).toMatch(/data-starts="0"/)
    expect(text).not.toMatch(/unavailable/i)
    const late = new Visitor('drop.test', edge)
    expect((await late.page()).status).toBe(503)
    expect(claimsOf(late.token)).not.toHaveProperty('entry')
    expect(claimsOf(late.token).key).toBeGreaterThanOrEqual(startMs)
    expect((await draw('drop', 'sale', edge)).json).toMatchObject({ state: 'drawn', seed: null })

    pass(2_500)
    await change('drop', { queue_all: true })
    const everybody = [...visitors, once, late]
    for (const visitor of everybody) {
      const { place } = await visitor.poll()
      expect(place).toMatchObject({ state: 'waiting', position: null })
    }
    expect(claimsOf(once.token).key).toBeGreaterThan(startMs)
    expect(claimsOf(once.token).key).toBeLessThan(startMs + 3_000)
    await reported()
    vi.setSystemTime(startMs + 12_500)
    const { json: published } = await draw('drop', 'sale', edge)
    expect(published).toMatchObject({ state: 'published', commitment: committed.commitment })
    expect(await sha256(published.seed)).toBe(committed.commitment)
    const drawn = []
    for (const visitor of everybody) {
      const { place } = await visitor.poll()
      drawn.push({ visitor, position: Number(place.position), key: Number(claimsOf(visitor.token).key) })
    }
    const inOrder = drawn.toSorted((a, b) => a.key - b.key)
    expect(misplaced(drawn)).toEqual([])
    expect(inOrder.slice(-2).map(({ visitor }) => visitor)).toEqual([late, once])
    for (const { visitor, key } of drawn.slice(0, -2)) {
      const batch = { fromKey: published.places.fromKey, untilMs: published.places.untilKey }
      expect(await entryKey(published.seed, String(claimsOf(visitor.token).sub), batch)).toBe(key)
      expect(key).toBeGreaterThanOrEqual(startMs - MINUTE)
      expect(key).toBeLessThan(startMs)
    }

    // Polling again changes no place, and all visitors come in.
    await change('drop', { queue_all: false })
    for (let tries = 0; tries < 20 && inOrder.some(({ visitor }) => claimsOf(visitor.token).key); tries++) {
      pass(5_000)
      for (const { visitor } of inOrder) if (claimsOf(visitor.token).key) await visitor.poll()
      await pause(300)
    }
    await reported()
    expect((await roomStub(env, 'drop').describe()).figures.totals.admitted).toBe(14)
  })

  it('happens at the next call to a room that slept through it, in the same order', async () => {
    const edge = newEdge()
    const startMs = Date.now() + 6 * MINUTE
    await change('asleep', { events: [eventFromNow()] })
    const visitors = await waitFor('asleep.test', edge, 6)
    await reported()
    const { json: committed } = await draw('asleep', 'sale', edge)
    await evictDurableObject(roomStub(env, 'asleep') as unknown as DurableObjectStub)
    vi.setSystemTime(startMs + 40 * MINUTE)
    await change('asleep', { queue_all: true })
    const late = new Visitor('asleep.test', edge)
    await late.page()
    for (const visitor of visitors) expect((await visitor.poll()).place).toMatchObject({ position: null })
    await reported()
    await evictDurableObject(roomStub(env, 'asleep') as unknown as DurableObjectStub)
    pass(12_000)
    const { json: published } = await draw('asleep', 'sale', edge)
    expect(published.commitment).toBe(committed.commitment)
    const batch = { fromKey: published.places.fromKey, untilMs: published.places.untilKey }
    const places = []
    for (const visitor of visitors) {
      const { place } = await visitor.poll()
      const key = Number(claimsOf(visitor.token).key)
      expect(key).toBe(await entryKey(published.seed, String(claimsOf(visitor.token).sub), batch))
      places.push({ key, position: place.position })
    }
    expect(places.toSorted((a, b) => a.key - b.key).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6])
    expect(claimsOf(late.token).key).toBeGreaterThan(startMs)
  })

  it('keeps its entries when it is moved, and draws at the new start', async () => {
    const edge = newEdge()
    const first = eventFromNow()
    await change('moved', { events: [first] })
    const visitors = await waitFor('moved.test', edge, 4)
    const { json: before } = await draw('moved', 'sale', edge)
    const startMs = Date.parse(first.event_start_time) + 10 * MINUTE
    await change('moved', { events: [{ ...first, event_start_time: iso(startMs) }] })
    vi.setSystemTime(Date.parse(first.event_start_time) + 5_000)
    for (const visitor of visitors) {
      const { place } = await visitor.poll()
      expect(place).toMatchObject({ position: null, event: { startsAt: iso(startMs), draw: { isEntry: true } } })
    }
    vi.setSystemTime(startMs + 2_500)
    await change('moved', { queue_all: true })
    for (const visitor of visitors) await visitor.poll()
    await reported()
    pass(12_000)
    const positions = []
    for (const visitor of visitors) positions.push((await visitor.poll()).place.position)
    expect(positions.toSorted()).toEqual([1, 2, 3, 4])
    const { json: after } = await draw('moved', 'sale', edge)
    expect(after).toMatchObject({ commitment: before.commitment, startsAt: iso(startMs) })

    // An event with the same name is another draw, because the seed of the first draw is known.
    const again = { ...eventFromNow(), name: 'sale', prequeue_start_time: iso(Date.now() + 70 * MINUTE) }
    const next = { event_start_time: iso(Date.now() + 80 * MINUTE), event_end_time: iso(Date.now() + 90 * MINUTE) }
    await change('moved', { events: [{ ...again, ...next }] })
    pass(1_000)
    const { json: second } = await draw('moved', 'sale', edge)
    expect(second).toMatchObject({ state: 'committed', seed: null })
    expect(second.commitment).not.toBe(before.commitment)
  })

  it('leaves every visitor the place of arrival when it is called off', async () => {
    const edge = newEdge()
    await change('called-off', { events: [eventFromNow()] })
    const visitors = await waitFor('called-off.test', edge, 5)
    pass(40_000)
    await change('called-off', { events: [], queue_all: true })
    expect((await draw('called-off', 'sale', edge)).json).toMatchObject({ state: 'called off', seed: null })
    pass(2_000)
    // The visitors poll in reverse order, and the first to arrive still stands first.
    for (const visitor of visitors.toReversed()) expect((await visitor.poll()).place.event).toBeNull()
    await reported()
    pass(76_000)
    const positions = []
    for (const visitor of visitors) positions.push((await visitor.poll()).place.position)
    expect(positions).toEqual([1, 2, 3, 4, 5])
  })
})

describe('an event without a draw', () => {
  it('admits no visitor before its start, and then visitors in order of arrival', async () => {
    const edge = newEdge()
    await change('premiere', { session_duration: 30 })
    const inside = new Visitor('premiere.test', edge)
    expect((await inside.page()).atOrigin).not.toBeNull()
    pass(1_000)
    expect((await inside.page()).atOrigin).not.toBeNull()
    const startMs = Date.now() + 6 * MINUTE
    const limits = { total_active_users: 1, new_users_per_minute: 60, message: 'The premiere.' }
    await change('premiere', { events: [eventFromNow({ shuffle_at_event_start: false, ...limits })] })
    const visitors = await waitFor('premiere.test', edge, 4)
    await reported()
    // The last second before the start.
    vi.setSystemTime(startMs - 1_000)
    const places = []
    for (const visitor of visitors) places.push((await visitor.poll()).place)
    expect(places.map(({ position }) => position)).toEqual([1, 2, 3, 4])
    expect(places[0]).toMatchObject({ called: false, message: 'The premiere.', drawAt: null })
    expect(places[0]?.cfWaitingRoom).toMatchObject({ isEventPrequeueing: true, shuffleAtEventStart: false })
    const { settings, figures } = await roomStub(env, 'premiere').describe()
    expect([settings.total_active_users, figures.effectiveRatePerMinute]).toEqual([1_000, 6_000])

    vi.setSystemTime(startMs)
    expect((await roomStub(env, 'premiere').describe()).figures).toMatchObject({ effectiveRatePerMinute: 60, burst: 5 })
    // The visitor inside takes the only place, so no other visitor comes in until it is free.
    pass(2_500)
    for (const visitor of visitors) expect((await visitor.poll()).place.state).not.toBe('admitted')
    await inside.send('/.waiting-room/leave?room=premiere', { method: 'POST' })
    let admitted = -1
    for (let tries = 0; tries < 30 && admitted < 0; tries++) {
      pass(4_000)
      for (const [i, visitor] of visitors.entries()) {
        if (admitted < 0 && (await visitor.poll()).place.state === 'admitted') admitted = i
      }
      await pause(200)
    }
    expect(admitted).toBe(0)
    // The event ends to the millisecond.
    vi.setSystemTime(startMs + 60 * MINUTE - 1)
    expect((await roomStub(env, 'premiere').describe()).figures.effectiveRatePerMinute).toBe(60)
    pass(1)
    expect((await roomStub(env, 'premiere').describe()).figures.effectiveRatePerMinute).toBe(6_000)
  })

  it('serves the visitors who were in line before the prequeue, and no visitor behind them', async () => {
    const edge = newEdge()
    await change('queued', { queue_all: true })
    const before = await waitFor('queued.test', edge, 3)
    await reported()
    pass(10_000)
    await change('queued', { events: [eventFromNow({ shuffle_at_event_start: false })], queue_all: false })
    const behind = await waitFor('queued.test', edge, 2)
    for (let tries = 0; tries < 20; tries++) {
      pass(4_000)
      for (const visitor of [...before, ...behind]) if (claimsOf(visitor.token).key) await visitor.poll()
      await pause(200)
    }
    expect(before.map(visitor => claimsOf(visitor.token).key)).toEqual([undefined, undefined, undefined])
    expect(behind.every(visitor => claimsOf(visitor.token).key)).toBe(true)
  })

  it('opens a room that keeps no line, for as long as the event lasts', async () => {
    const edge = newEdge()
    const newcomer = new Visitor('evening.test', edge)
    await change('evening', { new_users_per_minute: 0, total_active_users: 1 })
    expect((await newcomer.page()).text).toContain('There is no room at the moment')
    const startMs = Date.now() + 6 * MINUTE
    const event = { queueing_method: 'fifo', total_active_users: 100, new_users_per_minute: 6_000 }
    await change('evening', { events: [eventFromNow({ shuffle_at_event_start: false, ...event })] })
    pass(2_000)
    expect((await newcomer.page()).text).toContain('Starts in')
    vi.setSystemTime(startMs + 1_000)
    let state = ''
    for (let tries = 0; tries < 20 && state !== 'admitted'; tries++) {
      pass(4_000)
      state = (await newcomer.poll()).place.state
      await pause(200)
    }
    expect(state).toBe('admitted')
    vi.setSystemTime(startMs + 60 * MINUTE + 1_000)
    expect((await new Visitor('evening.test', edge).page()).text).toContain('There is no room at the moment')
  })
})
