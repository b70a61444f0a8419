import { setTimeout as pauseUntil } from 'node:timers/promises'
import { describe, it, type TestContext } from 'vitest'
import { maxIn } from '../../tools/simulation/order.ts'
import { type Place, pause, Visitor } from '../support/node/browser-like.ts'
import { type Site, startOrigin, startSite } from '../support/node/served.ts'

/** A site, its origin and its crowd. All three stop when their test ends, even when the test fails. */
interface Play {
  readonly site: Site
  /** When each session's first request reached the origin. */
  readonly sessions: Map<string, number>
  readonly send: (count: number, stay: Stay) => Crowd
}

/** How long visitors keep polling at the interval that the room asks for. */
interface Stay {
  readonly forMs: number
  /** The second poll waits for this promise. The second poll is the first one that may get a position. */
  readonly isCounted?: () => Promise<unknown>
  /** Polling ends early once at most this many visitors lack a position and all of those are called. */
  readonly untilNumberedBut?: number
}

interface Crowd {
  readonly visitors: Visitor[]
  /** The last place of each visitor, or null once the visitor is inside. */
  readonly done: Promise<(Place | null)[]>
  /** Ends the crowd now. */
  end(): Promise<unknown>
}

async function start(
  { onTestFinished }: TestContext,
  room: Record<string, unknown>,
  options: { isolates?: number } = {},
): Promise<Play> {
  const over = new AbortController()
  const sessions = new Map<string, number>()
  const origin = await startOrigin((request, response) => {
    const session = String(request.headers['waiting-room-session'] ?? 'none')
    if (!sessions.has(session)) sessions.set(session, performance.now())
    response.end('inside')
  })
  onTestFinished(() => origin.stop())
  // The crowd and its origin share a process, so the origin may answer slowly. Health is not under test here.
  const rooms = [{ name: 'shop', host: '*', session_duration: 10, health: { mode: 'off' }, ...room }]
  const site = await startSite({ origin: origin.url, rooms, ...options })
  onTestFinished(async () => {
    over.abort()
    await site.stop()
  })
  const send: Play['send'] = (count, { forMs, isCounted, untilNumberedBut = -1 }) => {
    const endMs = performance.now() + forMs
    const visitors = Array.from({ length: count }, () => new Visitor(site.url, 'shop'))
    const without = new Map<Visitor, Place | null>(visitors.map(visitor => [visitor, null]))
    const note = (visitor: Visitor, place: Place | 'inside') => {
      if (place === 'inside' || place.position !== null) without.delete(visitor)
      else without.set(visitor, place)
      const all = [...without.values()]
      if (all.length <= untilNumberedBut && all.every(place => place?.called)) over.abort()
    }
    const wait = { endMs, over: over.signal, counted: isCounted?.(), note }
    const done = Promise.all(visitors.map(visitor => waitAsTold(visitor, wait)))
    // A test that has failed does not wait for its crowd. The site is stopped by then, so the visitors' requests fail.
    done.catch(() => undefined)
    wait.counted?.catch(() => undefined)
    const end = () => {
      over.abort()
      return done
    }
    return { visitors, done, end }
  }
  return { site, sessions, send }
}

interface Wait {
  readonly endMs: number
  readonly over: AbortSignal
  readonly counted: Promise<unknown> | undefined
  /** Called with the answer to each poll. */
  readonly note: (visitor: Visitor, place: Place | 'inside') => void
}

/** Polls as often as the room asks, until admitted or until `endMs`. Returns the last place, or null once inside. */
async function waitAsTold(visitor: Visitor, { endMs, over, counted, note }: Wait): Promise<Place | null> {
  const first = await visitor.get('/')
  if (first.text === 'inside') {
    note(visitor, 'inside')
    return null
  }
  let place: Place | null = null
  let seconds = Number(/data-poll="([\d.]+)"/.exec(first.text)?.[1] ?? 2)
  for (let polls = 1; performance.now() + seconds * 1_000 < endMs; polls++) {
    await pauseUntil(seconds * 1_000, undefined, { signal: over }).catch(() => undefined)
    if (polls === 2) await counted
    if (over.aborted) break
    const next = await visitor.poll()
    if (next?.state === 'admitted') {
      await visitor.get('/')
      note(visitor, 'inside')
      return null
    }
    place = next ?? place
    if (place !== null) note(visitor, place)
    seconds = next?.pollAfterSeconds ?? 2
  }
  return place
}

describe('1,000 visitors at once over four isolates and three doors', () => {
  it('fill ten places, and the other 990 wait in the order they came', async context => {
    const { expect } = context
    const { site, sessions, send } = await start(
      context,
      { total_active_users: 10, new_users_per_minute: 60_000, doors: 3 },
      { isolates: 4 },
    )
    // A machine that stalls counts some visitors late, and a shown position never rises. So wait for the count.
    const isCounted = async () => {
      let before = 0
      const isStill = async () => {
        const { waiting = 0 } = (await site.describe('shop')).figures
        const isSame = waiting >= 980 && waiting === before
        before = waiting
        return isSame
      }
      await expect.poll(isStill, { timeout: 20_000, interval: 1_000 }).toBe(true)
      await pause(2_000)
    }
    const { visitors: crowd, done } = send(1_000, { forMs: 30_000, isCounted, untilNumberedBut: 5 })
    const places = await done
    expect(places.filter(place => place === null)).toHaveLength(10)
    expect(sessions.size).toBe(10)
    expect([...sessions.keys()]).not.toContain('none')

    const waiting = crowd
      .map((visitor, i) => ({ key: Number(visitor.claims.key), place: places[i] as Place | null }))
      .filter((one): one is { key: number; place: Place } => one.place !== null)
      .sort((a, b) => a.key - b.key)
    const wrong = waiting.flatMap(({ place }, index) => {
      if (place.called && index < 5) return []
      const off = Math.abs((place.position ?? Number.POSITIVE_INFINITY) - (index + 1))
      return off <= Math.max(3, 0.05 * (index + 1))
        ? []
        : [{ rank: index + 1, position: place.position, called: place.called }]
    })
    expect(wrong).toEqual([])
    expect((await site.describe('shop')).figures).toMatchObject({ active: 10, open: false })
  }, 60_000)
})

describe.concurrent('a crowd over several isolates', () => {
  it('never sends the origin more than the rate and one burst in any window', async context => {
    const { expect } = context
    const { site, sessions, send } = await start(
      context,
      { total_active_users: 10_000, new_users_per_minute: 60, doors: 3 },
      { isolates: 4 },
    )
    await send(1_000, { forMs: 30_000 }).done
    const endMs = Date.now()
    const times = await site.admittedMs('shop', sessions.keys())
    // A burst is five seconds of the rate.
    for (const seconds of [1, 5, 10, 20])
      expect(maxIn(times, seconds * 1_000), `in ${seconds} s`).toBeLessThanOrEqual(seconds + 5)
    // The line is counted after about six seconds. Until then, none of its visitors is called.
    // From then on nearly every permit is used, one a second.
    expect(times.length - 5).toBeGreaterThanOrEqual(Math.floor((endMs - Number(times[5])) / 1_000) - 1)
  }, 90_000)

  it('of a hundred is inside in under eight seconds after the total rises by a hundred', async context => {
    const { expect } = context
    const { site, sessions, send } = await start(
      context,
      { total_active_users: 5, new_users_per_minute: 60_000 },
      { isolates: 2 },
    )
    const { end } = send(105, { forMs: 40_000 })
    const waiting = async () => (await site.describe('shop')).figures.waiting
    await expect.poll(waiting, { timeout: 15_000, interval: 250 }).toBe(100)
    expect(sessions.size).toBe(5)
    await site.change('shop', { total_active_users: 105 })
    const raisedMs = Date.now()
    while (sessions.size < 105 && Date.now() - raisedMs < 15_000) await pause(50)
    expect(sessions.size).toBe(105)
    expect(Number((await site.admittedMs('shop', sessions.keys())).at(-1)) - raisedMs).toBeLessThan(8_000)
    await end()
  }, 60_000)

  it('pauses within two seconds of `queue_all`, and loses no session to a lowered total', async context => {
    const { expect } = context
    const { site, sessions, send } = await start(
      context,
      { total_active_users: 1_000, new_users_per_minute: 1_200 },
      { isolates: 2 },
    )
    const { visitors: crowd, end } = send(300, { forMs: 40_000 })
    // A burst of a hundred gets in at once. The line moves only after it has been counted.
    await expect.poll(() => sessions.size, { timeout: 14_000, interval: 50 }).toBeGreaterThan(120)
    await site.change('shop', { queue_all: true })
    const heldMs = Date.now()
    await pause(6_000)
    const late = (await site.admittedMs('shop', sessions.keys())).filter(at => at > heldMs + 2_000)
    expect(late).toEqual([])
    expect(sessions.size).toBeLessThan(300)
    await site.change('shop', { total_active_users: 1 })
    await pause(1_500)
    const inside = crowd.filter(visitor => visitor.claims.key === undefined)
    const answers = await Promise.all(inside.slice(0, 50).map(visitor => visitor.get('/')))
    expect(answers.every(({ text }) => text === 'inside')).toBe(true)
    await end()
  }, 60_000)
})
