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

/** Permits that may be used at once: five seconds of the rate. Requests of one admission may reach the origin a moment apart. */
const burst = (ratePerMinute: number) => (ratePerMinute / 60) * 5 + 1

describe('2,000 visitors, 30 % of them gone before their turn, over three isolates', () => {
  it('come in at the rate as the operator turns it, without waste, measured at the origin', async () => {
    /** When each session's first request reached the origin, in seconds of the run. */
    const sessions = new Map<string, number>()
    let startMs = 0
    origin = await startOrigin((request, response) => {
      const session = String(request.headers['waiting-room-session'] ?? 'none')
      if (!sessions.has(session)) sessions.set(session, (performance.now() - startMs) / 1_000)
      response.setHeader('Content-Type', 'text/html')
      response.end('<!doctype html><title>inside</title>')
    })
    // The crowd and its origin share a process: how fast it answers is not what this is about.
    const settings = { total_active_users: 5_000, new_users_per_minute: 600, doors: 3, health: { mode: 'off' } }
    const rooms = [{ name: 'shop', host: '*', ...settings }]
    site = await startSite({ origin: origin.url, rooms, isolates: 3 })
    startMs = performance.now()
    const crowd = runCrowd({
      url: site.url,
      visitors: 2_000,
      arriveMs: 30_000,
      stayMs: 300_000,
      thinkMs: 60_000,
      noShows: 0.3,
      durationMs: 68_000,
      signal: over.signal,
    })
    // A test that has failed does not wait for its crowd.
    crowd.catch(() => undefined)
    const until = (seconds: number) => pause(startMs + seconds * 1_000 - performance.now())
    await until(30)
    await site.change('shop', { new_users_per_minute: 120 })
    await until(40)
    await site.change('shop', { new_users_per_minute: 1_200 })
    await until(60)
    await site.change('shop', { total_active_users: 1 })
    const figures = await crowd

    const times = [...sessions.values()].sort((a, b) => a - b)
    const between = (from: number, to: number) => times.filter(at => at >= from && at < to)
    expect(sessions.has('none')).toBe(false)
    expect(figures.leaked ?? 0).toBe(0)
    for (const seconds of [1, 10, 20]) {
      expect(maxIn(between(0, 30), seconds), `600 a minute, any ${seconds} s`).toBeLessThanOrEqual(
        10 * seconds + burst(600),
      )
    }
    // A permit is wasted when the bank is full. What is banked for a moment comes later: no window alone must have all of its own.
    expect(between(0, 30).length).toBeGreaterThanOrEqual(0.98 * 300)
    expect(between(10, 30).length).toBeGreaterThanOrEqual(0.95 * 200)
    // What was permitted by the old rate is at most its burst; two seconds after the change the new one holds.
    expect(between(32, 40).length).toBeLessThanOrEqual(2 * 8 + burst(120))
    expect(between(32, 40).length).toBeGreaterThanOrEqual(2 * 8 - 4)
    for (const seconds of [1, 10, 20])
      expect(maxIn(between(40, 60), seconds), `1,200 a minute, any ${seconds} s`).toBeLessThanOrEqual(
        20 * seconds + burst(1_200),
      )
    // Visitors who are called by the new rate have to hear of it first.
    expect(between(46, 60).length).toBeGreaterThanOrEqual(0.95 * 280)
    // Two seconds for the doors to hear of it, one for who was just let in by a poll to ask for the page.
    expect(between(63, 68)).toEqual([])
  }, 110_000)
})
