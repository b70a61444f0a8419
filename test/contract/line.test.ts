import { afterEach, describe, expect, it } from 'vitest'
import { runCrowd } from '../../tools/crowd/crowd.ts'
import { maxIn } from '../../tools/simulation/order.ts'
import { pause } from '../support/node/browser-like.ts'
import { type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

let site: Site
let origin: Origin
const over = new AbortController()

afterEach(async () => {
  over.abort()
  await site?.stop()
  await origin?.stop()
})

/** Permits that may be used at once: the permits of five seconds at the rate. */
const burst = (ratePerMinute: number) => (ratePerMinute / 60) * 5

describe('2,000 visitors over three isolates, 30 % of whom leave before their turn', () => {
  it('enter at the rate that the operator sets, without waste, as measured at the origin', async () => {
    /** The sessions that reached the origin. */
    const sessions = new Set<string>()
    origin = await startOrigin((request, response) => {
      sessions.add(String(request.headers['waiting-room-session'] ?? 'none'))
      response.setHeader('Content-Type', 'text/html')
      response.end('<!doctype html><title>inside</title>')
    })
    // The crowd and its origin share a process, so the origin may answer slowly. Health is not under test here.
    const settings = { total_active_users: 5_000, new_users_per_minute: 600, doors: 3, health: { mode: 'off' } }
    const rooms = [{ name: 'shop', host: '*', ...settings }]
    site = await startSite({ origin: origin.url, rooms, isolates: 3 })
    const startMs = Date.now()
    const crowd = runCrowd({
      url: site.url,
      visitors: 2_000,
      arriveMs: 30_000,
      stayMs: 300_000,
      thinkMs: 60_000,
      noShows: 0.3,
      durationMs: 100_000,
      signal: over.signal,
    })
    // A test that has failed does not wait for its crowd.
    crowd.catch(() => undefined)
    const now = () => (Date.now() - startMs) / 1_000
    const until = (seconds: number) => pause((seconds - now()) * 1_000)
    /** When the change was requested, and when it was accepted, in seconds since the start. */
    const change = async (set: object) => {
      const askedAt = now()
      await site.change('shop', set)
      return { askedAt, at: now() }
    }
    /**
     * A permit is wasted only when the bank is full. Banked permits are used a little later,
     * so the measurement may take up to 5 seconds longer.
     */
    const come = async (perSecond: number, from: number, to: number) => {
      await until(from)
      const before = { sessions: sessions.size, at: now() }
      await until(to)
      const rate = () => (sessions.size - before.sessions) / (now() - before.at)
      await expect.poll(rate, { timeout: 5_000, interval: 100 }).toBeGreaterThanOrEqual(0.95 * perSecond)
    }
    await come(10, 8, 24)
    const slower = await change({ new_users_per_minute: 120 })
    await until(slower.at + 8)
    const faster = await change({ new_users_per_minute: 1_200 })
    // Visitors who are called at the new rate first need a poll to learn that they are called.
    await come(20, faster.at + 5, faster.at + 15)
    const closed = await change({ total_active_users: 1 })
    await until(closed.at + 6)
    over.abort()
    const figures = await crowd

    expect(figures.leaked ?? 0).toBe(0)
    expect(sessions.has('none')).toBe(false)
    // The times at which the doors admitted them. On a busy machine their requests reach the origin somewhat later.
    const times = (await site.admittedMs('shop', sessions)).map(ms => (ms - startMs) / 1_000)
    const between = (from: number, to: number) => times.filter(at => at >= from && at < to)
    for (const seconds of [1, 5, 10, 20]) {
      expect(maxIn(between(0, slower.askedAt), seconds), `600 a minute, any ${seconds} s`).toBeLessThanOrEqual(
        10 * seconds + burst(600),
      )
      expect(
        maxIn(between(faster.askedAt, closed.at), seconds),
        `1,200 a minute, any ${seconds} s`,
      ).toBeLessThanOrEqual(20 * seconds + burst(1_200))
    }
    // At most one burst of permits is left from the old rate. The new rate holds two seconds after the change.
    const slow = between(slower.at + 2, faster.askedAt).length
    const permitted = 2 * (faster.askedAt - slower.at - 2)
    expect(slow).toBeLessThanOrEqual(permitted + burst(120))
    // The permits of two seconds, and one permit that is on its way, may be used later.
    expect(slow).toBeGreaterThanOrEqual(permitted - 5)
    // The change takes up to two seconds to reach the doors. The last visitors may then be on their way to the origin.
    expect(between(closed.at + 2.5, Number.POSITIVE_INFINITY)).toEqual([])
  }, 110_000)
})
