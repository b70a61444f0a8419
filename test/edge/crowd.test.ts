import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, type Edge, env, newEdge, type Place, settled, Visitor } from '../support/workerd/visitor.ts'

const fourEdges = (): Edge[] => [newEdge(), newEdge(), newEdge(), newEdge()]
const keyOf = (visitor: Visitor) => Number(claimsOf(visitor.token).key)
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

afterEach(async () => {
  vi.useRealTimers()
  await settled()
})

describe('1,000 visitors at once against ten places', () => {
  it('leaves exactly ten inside and 990 in line, in the order they came', async () => {
    const edges = fourEdges()
    const visitors = Array.from(
      { length: 1_000 },
      (_, i) => new Visitor('small.test', ...[0, 1, 2, 3].map(e => edges[(i + e) % 4] as Edge)),
    )
    const entered: Visitor[] = []
    const waiting: Visitor[] = []
    const places = new Map<Visitor, Place>()
    const endMs = Date.now() + 15_000
    /** Polls as told until the end; the last place counts. */
    const wait = async (visitor: Visitor, firstSeconds: number) => {
      for (let seconds = firstSeconds; Date.now() + seconds * 1_000 < endMs; ) {
        await pause(seconds * 1_000)
        const { place } = await visitor.poll()
        if (place.state) places.set(visitor, place)
        seconds = place.pollAfterSeconds ?? 2
      }
    }
    // A thousand a second, by fours.
    const arriving: Promise<void>[] = []
    for (let from = 0; from < visitors.length; from += 4) {
      for (const visitor of visitors.slice(from, from + 4)) {
        arriving.push(
          visitor.data().then(({ atOrigin, text }) => {
            if (atOrigin) entered.push(visitor)
            else waiting.push(visitor)
            return atOrigin ? undefined : wait(visitor, JSON.parse(text).pollAfterSeconds)
          }),
        )
      }
      await pause(4)
    }
    await Promise.all(arriving)
    expect(entered).toHaveLength(10)
    expect(waiting).toHaveLength(990)
    const byArrival = waiting.toSorted((a, b) => keyOf(a) - keyOf(b))
    const wrong = byArrival.flatMap((visitor, index) => {
      const { position, called } = places.get(visitor) as Place
      if (called && index < 5) return []
      const off = Math.abs((position ?? Number.POSITIVE_INFINITY) - (index + 1))
      return off <= Math.max(3, 0.05 * (index + 1)) ? [] : [{ rank: index + 1, position, called }]
    })
    expect(wrong).toEqual([])

    const { figures } = await roomStub(env, 'small').describe()
    expect(figures).toMatchObject({ active: 10, permitsOut: 0, open: false })
  }, 60_000)
})

describe('a session that ends without any traffic', () => {
  it('frees its place for the next in line', async () => {
    const edge = newEdge()
    const inside = await Promise.all(
      Array.from({ length: 100 }, () => new Visitor('moving.test', edge)).map(async visitor => {
        await visitor.page()
        return visitor
      }),
    )
    expect(inside.filter(visitor => claimsOf(visitor.token).key === undefined)).toHaveLength(100)
    const next = new Visitor('moving.test', edge)
    expect((await next.page()).atOrigin).toBeNull()
    // A minute later their first passes have not come back. Mocked time stands still: it is moved along by hand.
    let nowMs = Date.now() + 60_000
    let atOrigin = null
    for (let i = 0; i < 60 && !atOrigin; i++) {
      nowMs += 500
      vi.setSystemTime(nowMs)
      await pause(60)
      atOrigin = (await next.page()).atOrigin
    }
    expect(atOrigin).not.toBeNull()
  }, 30_000)
})

describe('a ticket whose session was over a moment ago', () => {
  it('is replaced by one at the front, also at a poll whose only claim said so', async () => {
    const set = (queue_all: boolean) => roomStub(env, 'replayed').change({ set: { queue_all } }, null, 'test')
    await set(true)
    await pause(1_100)
    const visitor = new Visitor('replayed.test', newEdge())
    await visitor.page()
    const { token: ticket } = visitor
    const { sub, key } = claimsOf(ticket)
    await set(false)
    await expect.poll(async () => (await visitor.page()).status, { timeout: 8_000, interval: 500 }).toBe(200)
    vi.setSystemTime(Date.now() + 60_000)
    visitor.token = ticket
    const { place } = await visitor.poll()
    expect(place.state).toMatch(/^(waiting|called)$/)
    expect(claimsOf(visitor.token)).toMatchObject({ sub: `${sub}~1`, key })
  }, 30_000)
})

describe('robots without cookies', () => {
  it('ten a second for two minutes leave at least 40 % of 1,000 places free', async () => {
    const edge = newEdge()
    const startMs = Date.now()
    let mostActive = 0
    for (let second = 0; second < 120; second++) {
      vi.setSystemTime(startMs + second * 1_000)
      await Promise.all(Array.from({ length: 10 }, () => new Visitor('robots.test', edge).page()))
      if (second % 5 === 4) {
        await pause(30)
        const { figures } = await roomStub(env, 'robots').describe()
        mostActive = Math.max(mostActive, figures.active + figures.permitsOut)
      }
    }
    expect(mostActive).toBeGreaterThan(400)
    expect(mostActive).toBeLessThanOrEqual(600)
  }, 60_000)
})
