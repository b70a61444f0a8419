import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

afterEach(async () => {
  vi.useRealTimers()
  await settled()
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
    // A minute later none of the first passes has come back. Mocked time stands still, so the test moves it by hand.
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

describe('a ticket whose session has just ended', () => {
  it('is replaced by one at the front, even when only a poll finds the session ended', async () => {
    const set = (queue_all: boolean) => roomStub(env, 'replayed').change({ set: { queue_all } }, null, 'test')
    await set(true)
    await pause(1_100)
    const visitor = new Visitor('replayed.test', newEdge())
    await visitor.page()
    const { token: ticket } = visitor
    const { sub, key } = claimsOf(ticket)
    await set(false)
    await expect.poll(async () => (await visitor.page()).status, { timeout: 20_000, interval: 500 }).toBe(200)
    vi.setSystemTime(Date.now() + 60_000)
    visitor.token = ticket
    const { place } = await visitor.poll()
    expect(place.state).toMatch(/^(waiting|called)$/)
    expect(claimsOf(visitor.token)).toMatchObject({ sub: `${sub}~1`, key })
  }, 30_000)
})

describe('robots without cookies', () => {
  it('leave at least 40 % of 1,000 places free at ten a second for two minutes', async () => {
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
