import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, type Edge, env, misplaced, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const change = (room: string, set: object) => roomStub(env, room).change({ set }, null, 'test')
/**
 * Mocked time stands still. The tests move it along by hand, and never back: a clock that goes back is not under test.
 */
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)
/** Waits until an isolate and its door have reported their counts. */
const reported = () => pause(2_500)

/** Newcomers who arrive one millisecond apart: the order within one millisecond is undefined. */
async function crowd(host: string, edge: Edge, people: number): Promise<Visitor[]> {
  const visitors = Array.from({ length: people }, () => new Visitor(host, edge))
  for (const visitor of visitors) {
    pass(1)
    await visitor.page()
  }
  return visitors
}

afterEach(settled)
afterAll(() => {
  vi.useRealTimers()
})

describe('a random room', () => {
  it('draws the visitors of one window, and shows no place before the window has ended', async () => {
    const edge = newEdge()
    const batchMs = Math.ceil(Date.now() / 6_000) * 6_000
    vi.setSystemTime(batchMs)
    const visitors = await crowd('shuffled.test', edge, 12)
    for (const visitor of visitors) {
      const { place } = await visitor.poll()
      expect(place).toMatchObject({ state: 'waiting', position: null, peopleAhead: null, called: false })
      expect(place.cfWaitingRoom).toMatchObject({
        queueingMethod: 'random',
        isRandomQueue: true,
        isFIFOQueue: false,
        waitTimeKnown: false,
      })
      expect(Date.parse(place.drawAt ?? '')).toBe(batchMs + 11_000)
      // The token contains the batch, and nothing about the draw.
      expect(claimsOf(visitor.token)).toMatchObject({ until: batchMs + 6_000, cnf: true, low: null })
    }
    expect(new Set(visitors.map(visitor => claimsOf(visitor.token).key)).size).toBe(1)
    await reported()
    vi.setSystemTime(batchMs + 10_900)
    const [first] = visitors as [Visitor]
    expect((await first.poll()).place).toMatchObject({ position: null })
    vi.setSystemTime(batchMs + 18_000)
    const drawn = []
    for (const visitor of visitors) {
      const { place } = await visitor.poll()
      drawn.push({ position: Number(place.position), key: Number(claimsOf(visitor.token).key) })
      expect([place.state, place.drawAt]).toEqual(['waiting', null])
    }
    expect(misplaced(drawn)).toEqual([])
    expect(drawn.toSorted((a, b) => a.key - b.key)).not.toEqual(drawn)
  }, 30_000)

  it('explains on the page how places are given, until they are drawn', async () => {
    const { text } = await new Visitor('shuffled.test', newEdge()).page()
    expect(text).toContain('drawn by lot among everybody who comes in the same few minutes')
    expect(text).toContain('Not drawn yet')
  })

  it('gives a visitor who returns without the cookie another draw, but no known place', async () => {
    const edge = newEdge()
    const visitor = new Visitor('shuffled.test', edge)
    await visitor.page()
    const first = claimsOf(visitor.token)
    visitor.jar.clear()
    await visitor.page()
    const second = claimsOf(visitor.token)
    expect(second.sub).not.toBe(first.sub)
    expect((await visitor.poll()).place).toMatchObject({ state: 'waiting', position: null })
  })

  it('admits newcomers directly while it is open, and calls no visitor of a closing batch before its end', async () => {
    const edge = newEdge()
    // The middle of a batch of half an hour, so half of the draws lie before this moment.
    vi.setSystemTime(Math.ceil(Date.now() / 1_800_000) * 1_800_000 + 900_000)
    const inside = new Visitor('drawn.test', edge)
    expect((await inside.page()).atOrigin).not.toBeNull()
    // Drawing began with the room, so keys lie before this moment only one batch later.
    pass(1_800_000)
    expect((await inside.page()).atOrigin).not.toBeNull()
    await change('drawn', { total_active_users: 1 })
    // The door spends or returns the permits in hand within five seconds.
    for (let i = 0; i < 4; i++) {
      pass(2_000)
      expect((await inside.page()).atOrigin).not.toBeNull()
      await pause(50)
    }
    const visitors = await crowd('drawn.test', edge, 12)
    for (const visitor of visitors) {
      const { place } = await visitor.poll()
      expect(place).toMatchObject({ state: 'waiting', called: false, position: null })
    }
    await reported()
    // Places become free, but no visitor is called before the batch has ended.
    await change('drawn', { total_active_users: 1_000 })
    pass(60_000)
    for (const visitor of visitors) expect((await visitor.poll()).place).toMatchObject({ state: 'waiting' })
    pass(900_000)
    let admitted = 0
    for (let second = 0; second < 10 && admitted < visitors.length; second++) {
      pass(2_000)
      await pause(50)
      admitted = 0
      for (const visitor of visitors) if ((await visitor.page()).atOrigin) admitted++
    }
    expect(admitted).toBe(visitors.length)
  }, 30_000)
})

describe('a passthrough room', () => {
  it('lets every visitor through, without places, tickets or passes', async () => {
    const edge = newEdge()
    for (let i = 0; i < 5; i++) {
      const { atOrigin, response } = await new Visitor('passing.test', edge).page('/x')
      expect(atOrigin?.headers['waiting-room-pass']).toBeUndefined()
      expect([atOrigin?.url, response.headers.has('Set-Cookie')]).toEqual(['http://origin.test/x', false])
    }
    pass(2_000)
    await new Visitor('passing.test', edge).page()
    await reported()
    const { figures } = await roomStub(env, 'passing').describe()
    expect(figures.active).toBe(0)
    expect(figures.totals.passed_through).toBeGreaterThanOrEqual(5)
  })

  it('keeps earlier sessions and places, and lets waiting visitors go on', async () => {
    const edge = newEdge()
    await change('passing', { queueing_method: 'fifo' })
    pass(2_000)
    const [inside, waiting] = (await crowd('passing.test', edge, 2)) as [Visitor, Visitor]
    const [pass_, ticket] = [inside.token, waiting.token]
    expect([claimsOf(pass_).key, typeof claimsOf(ticket).key]).toEqual([undefined, 'number'])
    await change('passing', { queueing_method: 'passthrough' })
    pass(2_000)
    expect((await inside.page()).atOrigin?.headers['waiting-room-pass']).toBeDefined()
    expect((await waiting.poll()).place).toMatchObject({ state: 'admitted' })
    expect((await waiting.page()).atOrigin).not.toBeNull()
    expect(waiting.token).toBe(ticket)
    await change('passing', { queueing_method: 'fifo' })
    pass(2_000)
    expect((await inside.page()).atOrigin).not.toBeNull()
    expect((await waiting.page()).atOrigin).toBeNull()
    expect(claimsOf(waiting.token)).toMatchObject({ sub: claimsOf(ticket).sub, key: claimsOf(ticket).key })
  })

  it('still queues visitors under queue_all', async () => {
    await change('passing', { queueing_method: 'passthrough', queue_all: true })
    pass(2_000)
    const { atOrigin, text } = await new Visitor('passing.test', newEdge()).data()
    expect(atOrigin).toBeNull()
    expect(JSON.parse(text)).toMatchObject({
      state: 'waiting',
      cfWaitingRoom: { isPassthroughQueue: true, isFIFOQueue: false },
    })
  })
})

describe('a room that rejects', () => {
  it('admits a visitor while it has capacity, and rejects others with a page that never reloads', async () => {
    const edge = newEdge()
    const inside = new Visitor('rejecting.test', edge)
    expect((await inside.page()).atOrigin).not.toBeNull()
    const visitor = new Visitor('rejecting.test', edge)
    const { status, text, response } = await visitor.page('/sale')
    expect([status, response.headers.get('Set-Cookie')]).toEqual([429, null])
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'retry-after': '30',
      'x-robots-tag': 'noindex',
      'content-type': 'text/html; charset=utf-8',
    })
    expect(text).toContain('There is no room at the moment')
    expect(text).toContain('Doors open again at noon.')
    expect(text).not.toMatch(/<script|http-equiv|<form|<button/)
    expect((await inside.page()).atOrigin).not.toBeNull()
  })

  it('answers programs in JSON, without a ticket and without an object call', async () => {
    const edge = newEdge()
    const visitor = new Visitor('rejecting.test', edge)
    await visitor.page()
    pass(1_000)
    const { text, response, objectCalls } = await visitor.data('/api')
    const body = JSON.parse(text)
    expect(body).toMatchObject({
      state: 'rejected',
      position: null,
      pollAfterSeconds: null,
      message: 'Doors open again at noon.',
      cfWaitingRoom: { queueingMethod: 'reject', isRejectQueue: true, isFIFOQueue: false, queueIsFull: true },
    })
    expect(Object.keys(body.cfWaitingRoom)).toHaveLength(25)
    expect(response.headers.has('Waiting-Room-Token')).toBe(false)
    expect(objectCalls).toBe(0)
    const posted = await visitor.data('/order', { method: 'POST', body: '{}' })
    expect([posted.status, posted.response.headers.get('Content-Type')]).toEqual([503, 'application/problem+json'])
    const part = await visitor.send('/a.png', { headers: { Accept: 'image/*', 'Sec-Fetch-Dest': 'image' } })
    expect([part.status, part.text]).toEqual([503, ''])
  })

  it('opens again as soon as a place is free', async () => {
    const edge = newEdge()
    await change('rejecting', { total_active_users: 2 })
    pass(2_000)
    let atOrigin = null
    for (let i = 0; i < 20 && !atOrigin; i++) {
      pass(500)
      await pause(50)
      atOrigin = (await new Visitor('rejecting.test', edge).page()).atOrigin
    }
    expect(atOrigin).not.toBeNull()
  })
})

describe('a change of the method while people wait', () => {
  it('keeps the places of all tickets, and serves them in the order of their keys before any newcomer', async () => {
    const edge = newEdge()
    const early = await crowd('changing.test', edge, 3)
    for (const visitor of early) await visitor.poll()
    await change('changing', { queueing_method: 'random', shuffle_window: 0.1 })
    pass(7_000)
    const drawn = await crowd('changing.test', edge, 3)
    for (const visitor of drawn) await visitor.poll()
    await reported()
    await change('changing', { queueing_method: 'reject' })
    pass(20_000)
    const places = []
    for (const visitor of [...early, ...drawn]) places.push((await visitor.poll()).place.position)
    // The first three keep their places. The other three stand behind them, in the order of their draw.
    expect(places.slice(0, 3)).toEqual([1, 2, 3])
    expect(places.slice(3).toSorted()).toEqual([4, 5, 6])

    // No newcomer is admitted or gets a place while these visitors wait.
    await change('changing', { queue_all: false })
    pass(2_000)
    const newcomer = new Visitor('changing.test', edge)
    expect((await newcomer.page()).status).toBe(503)
    expect(newcomer.jar.size).toBe(0)
    const all = [...early, ...drawn]
    let admitted = 0
    for (let second = 0; second < 15 && admitted < all.length; second++) {
      pass(2_000)
      await pause(50)
      admitted = 0
      for (const visitor of all) if ((await visitor.page()).atOrigin) admitted++
    }
    expect(admitted).toBe(all.length)
  }, 30_000)
})

describe('a room with a budget of admissions', () => {
  it('admits no more than its budget, then waits or reports nothing left, until a new budget', async () => {
    const edge = newEdge()
    const visitors = await crowd('stocked.test', edge, 5)
    const inside = visitors.filter(visitor => claimsOf(visitor.token).key === undefined)
    const [waiting] = visitors.filter(visitor => !inside.includes(visitor)) as [Visitor]
    expect(inside).toHaveLength(3)
    await reported()
    pass(5_000)
    expect((await waiting.page()).text).toContain('New bread at five.')
    expect((await roomStub(env, 'stocked').describe()).figures.remaining).toBe(0)
    const place = waiting.token

    await change('stocked', { when_sold_out: 'reject' })
    pass(60_000)
    expect((await waiting.poll()).place).toMatchObject({ state: 'rejected', message: 'New bread at five.' })
    const { status, text } = await waiting.page()
    expect([status, text.includes('Nothing is left'), text.includes('New bread at five.')]).toEqual([503, true, true])
    const newcomer = new Visitor('stocked.test', edge)
    expect((await newcomer.data()).text).toContain('"soldOut":true')
    expect([newcomer.jar.size, claimsOf(waiting.token).sub]).toEqual([0, claimsOf(place).sub])

    // A reset of the live settings restores none of the budget: the budget comes from the file, and is used up.
    expect(await roomStub(env, 'stocked').change({ reset: 'all' }, null, 'test')).toMatchObject({ kind: 'changed' })
    expect((await roomStub(env, 'stocked').describe()).figures.remaining).toBe(0)

    // Setting the same number again is a new budget, and the waiting visitor is served from it.
    await change('stocked', { remaining: 3 })
    let atOrigin = null
    for (let i = 0; i < 10 && !atOrigin; i++) {
      pass(2_000)
      await pause(50)
      atOrigin = (await waiting.page()).atOrigin
    }
    expect(atOrigin?.headers['waiting-room-session']).toBe(claimsOf(place).sub)
  }, 30_000)
})
