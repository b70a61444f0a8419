import { setTimeout as pauseUntil } from 'node:timers/promises'
import { describe, it, type TestContext } from 'vitest'
import { maxIn } from '../../tools/simulation/order.ts'
import { type Place, pause, Visitor } from '../support/node/browser-like.ts'
import { type Site, startOrigin, startSite } from '../support/node/served.ts'

/** A site, its origin and its crowd. They end with their test, however that ends. */
interface Play {
  readonly site: Site
  /** When each session's first request reached the origin. */
  readonly sessions: Map<string, number>
  readonly send: (count: number, stay: Stay) => Crowd
}

/** How long visitors poll as told. */
interface Stay {
  readonly forMs: number
  /** Their second poll, the first that may be answered with a number, waits for this. */
  readonly isCounted?: () => Promise<unknown>
  /** It is over before that when all who are in line have a number, but for so many who are called. */
  readonly untilNumberedBut?: number
}

interface Crowd {
  readonly visitors: Visitor[]
  /** Where each stands at last, null once inside. */
  readonly done: Promise<(Place | null)[]>
  /** Ends it now. */
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
  // The crowd and its origin share a process: how fast it answers is not what this is about.
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
    // A test that has failed does not wait for its crowd, which then meets a site that is gone.
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
  /** Called with what each poll has answered. */
  readonly note: (visitor: Visitor, place: Place | 'inside') => void
}

/** A visitor who polls as told until let in or until `endMs`; answers the last place, null once inside. */
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

describe('1,000 visitors at once, over four isolates and three doors', () => {
  it('against ten places: ten are inside, 990 in line in the order they came', async context => {
    const { expect } = context
    const { site, sessions, send } = await start(
      context,
      { total_active_users: 10, new_users_per_minute: 60_000, doors: 3 },
      { isolates: 4 },
    )
    // On a machine that stalls some are counted late, and a number that was shown never rises again.
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
  it('of 1,000 against 60 a minute: in any window the origin gets the rate and one burst at most', async context => {
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
    // Until the line is counted, after about six seconds, nobody of it is called. From then on nothing is wasted but what was banked.
    expect(times.length - 5).toBeGreaterThanOrEqual(Math.floor((endMs - Number(times[5])) / 1_000) - 1)
  }, 90_000)

  it('of a hundred waiting for a total that is raised by a hundred is inside in under eight seconds', async context => {
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

  it('feels a hold within two seconds, and a lowered total sends nobody away', async context => {
    const { expect } = context
    const { site, sessions, send } = await start(
      context,
      { total_active_users: 1_000, new_users_per_minute: 1_200 },
      { isolates: 2 },
    )
    const { visitors: crowd, end } = send(300, { forMs: 40_000 })
    // A burst of a hundred is in at once; the line moves when it has been counted.
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
