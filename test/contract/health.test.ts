import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lotOf } from '../../src/core/hash.ts'
import { type Answer, pause, Visitor } from '../support/node/browser-like.ts'
import { ADMIN_TOKEN, type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

/** The faults of origins, by host. Each room of these tests has an origin of its own. */
const TROUBLES = ['hangs', 'errors', 'resets', 'stops', 'payment', 'parcels', 'hammered', 'probed', 'returns'] as const
type Trouble = (typeof TROUBLES)[number]

const ISOLATES = 8
/** Trials and pauses are short, so that a test can wait for them. Windows have their usual length. */
const health = { target_ms: 500, open: 0.05, cooldown: 0.05, ramp: 0.05, good_windows: 1 }
const PROTECTED = '/pay/confirm'
const rooms = TROUBLES.map(name => ({
  name,
  host: `${name}.test`,
  total_active_users: 1_000,
  new_users_per_minute: 60_000,
  session_duration: 5,
  origin_timeout: 5,
  origin_body_timeout: name === 'stops' ? 0.5 : null,
  protected_paths: [PROTECTED],
  message: 'Engineers are on it.',
  health: {
    ...health,
    // The pause is long enough for the test to look around in it.
    ...(name === 'returns' ? { min_active_users: 500, open: 0.25 } : {}),
    // The other visitors' answers are in time, however busy the machine is.
    // The answers of the slow page are tolerated, so they are the hardest to distinguish from good ones.
    ...(name === 'hammered' ? { target_ms: 1_000 } : {}),
    ...(name === 'probed' ? { open: 5, probe: { path: '/ready', interval: 1 } } : {}),
  },
  upstreams:
    name === 'payment'
      ? [
          { name: 'cards', paths: ['/cards/*'], timeout: 1, fallback: { answer: 'problem' }, breaker: { open: 5 } },
          { name: 'search', paths: ['/search'], fallback: { answer: 'redirect', to: '/' } },
        ]
      : name === 'parcels'
        ? [{ name: 'tracking', paths: ['/track'], breaker: { open: 0.05 } }]
        : [],
}))

let origin: Origin
let site: Site
const broken = new Set<Trouble>()
/** Requests that reached an origin, by host and path. */
const reached = new Map<string, number>()

beforeAll(async () => {
  origin = await startOrigin(serve)
  // Requests go to the isolates in turn, so every session reports to all of them.
  site = await startSite({ origin: origin.url, rooms, isolates: ISOLATES })
})

afterAll(async () => {
  await site.stop()
  await origin.stop()
})

function serve(request: IncomingMessage, response: ServerResponse): void {
  const host = String(request.headers['x-forwarded-host'] ?? request.headers.host)
  const name = TROUBLES.find(trouble => host.startsWith(trouble)) as Trouble
  const path = request.url ?? ''
  reached.set(name + path, (reached.get(name + path) ?? 0) + 1)
  const isBroken = broken.has(name)
  if (name === 'hammered' && path === '/slow') setTimeout(() => response.end('at last'), 2_500)
  else if (name === 'payment' && path.startsWith('/cards/') && isBroken) return
  else if (!isBroken || name === 'payment' || (name === 'parcels' && path !== '/track'))
    response.end(`hello from ${path}`)
  else if (name === 'hangs' || name === 'returns') return
  else if (name === 'resets') request.socket.destroy()
  else if (name === 'stops') response.writeHead(200, { 'Content-Length': '1000' }).write('only the beginning')
  else response.writeHead(500).end('fast, and wrong')
}

const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document' }

class Shopper extends Visitor {
  /** Returns status 0 for an answer that was cut off. */
  async ask(path = '/', headers: Record<string, string> = PAGE): Promise<Answer> {
    return this.get(path, { ...headers, Host: `${this.room}.test` }).catch(() => ({ status: 0, headers: {}, text: '' }))
  }
}

/** Sessions that send requests twice a second until the test stops them. */
class Crowd {
  readonly shoppers: Shopper[]
  readonly #running: Promise<void>[]
  #goesOn = true

  constructor(room: Trouble, size = 30) {
    this.shoppers = Array.from({ length: size }, () => new Shopper(site.url, room))
    this.#running = this.shoppers.map(async (shopper, index) => {
      let asking = 0
      await pause(index * 15)
      while (this.#goesOn) {
        // Like a browser, a shopper asks again before a slow answer arrives, but keeps at most two requests open.
        if (asking < 2) {
          asking++
          const asked = shopper.ask().finally(() => asking--)
          await Promise.race([asked, pause(500)])
        }
        await pause(500)
      }
    })
  }

  /** Waits until every shopper has a cookie, which takes a while on a slow machine. */
  async inside(): Promise<void> {
    await until(20, 'everybody inside', async () => this.shoppers.every(({ cookie }) => cookie.includes('=')))
  }

  async stop(): Promise<void> {
    this.#goesOn = false
    await Promise.all(this.#running)
  }
}

/** Repeats the check until it holds. Returns how many seconds that took; throws after `withinSeconds`. */
async function until(withinSeconds: number, what: string, isSo: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now()
  for (;;) {
    if (await isSo()) return (performance.now() - startMs) / 1_000
    if (performance.now() - startMs > withinSeconds * 1_000) throw new Error(`not within ${withinSeconds} s: ${what}`)
    await pause(200)
  }
}

interface Told {
  readonly health: {
    reason: string | null
    upstreams: { name: string; breaker: string; samples: number; p95Ms: number }[]
  }
  readonly decisions: { upstream: string; did: { kind: string }; saw: { samples: number } | null }[]
}

async function told(room: Trouble): Promise<Told> {
  const response = await fetch(`${site.url}/.waiting-room/api/v1/rooms/${room}/health`, {
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
  })
  return (await response.json()) as Told
}

/** Returns whether a newcomer waits and sees the outage. Returns false when the request hangs at the origin. */
async function isHeld(room: Trouble): Promise<boolean> {
  const answer = await Promise.race([new Shopper(site.url, room).ask(), pause(500)])
  return (
    typeof answer === 'object' &&
    answer !== null &&
    /id="lead">[^<]*nobody is being let in/.test((answer as Answer).text)
  )
}

describe.concurrent('an origin that', () => {
  it.concurrent.each(['hangs', 'errors', 'resets', 'stops'] as const)(
    '%s is noticed at the door within 20 seconds',
    async name => {
      const crowd = new Crowd(name)
      await pause(2_000)
      broken.add(name)
      const seconds = await until(20, 'new visitors wait, and are told why', () => isHeld(name))
      expect(seconds).toBeLessThan(20)
      // The outage reaches the other isolates within two seconds.
      await pause(2_000)
      const newcomer = await new Shopper(site.url, name).ask()
      expect([newcomer.status, newcomer.text]).toEqual([503, expect.stringContaining('Engineers are on it.')])
      const data = JSON.parse((await new Shopper(site.url, name).ask('/', { Accept: 'application/json' })).text)
      expect(data).toMatchObject({ reason: 'outage', message: 'Engineers are on it.' })
      await crowd.stop()
    },
    40_000,
  )

  it('was down recovers: every session is kept, and newcomers are let in again', async () => {
    const name = 'returns'
    const crowd = new Crowd(name)
    await crowd.inside()
    await pause(1_000)
    broken.add(name)
    await until(20, 'the outage', () => isHeld(name))
    const [shopper] = crowd.shoppers as [Shopper]
    const before = crowd.shoppers.map(({ claims }) => claims.sub)
    // An isolate learns of the outage with its next request. Until then a request hangs there.
    const isHeldThere = async () => {
      const answer = await Promise.race([shopper.ask(), pause(500).then(() => null)])
      return answer?.text.includes('We are holding your place') ?? false
    }
    await until(10, 'a place that is held at every isolate', async () => {
      for (let i = 0; i < ISOLATES; i++) if (!(await isHeldThere())) return false
      return true
    })
    const page = await shopper.ask()
    expect(page.text).toMatch(/http-equiv="refresh" content="\d+; url=&#x2F;"/)
    expect(page.headers['retry-after']).toBeDefined()
    const newcomer = new Shopper(site.url, name)
    expect((await newcomer.ask()).text).toContain('You are in line')
    const api = await shopper.ask('/', { Accept: 'application/json' })
    expect([api.status, api.headers['content-type']]).toEqual([503, 'application/problem+json'])
    const reachedBefore = reached.get(name + PROTECTED) ?? 0
    const paying = shopper.ask(PROTECTED)
    await until(10, 'who pays at the origin', async () => (reached.get(name + PROTECTED) ?? 0) > reachedBefore)
    expect(reached.get(name + PROTECTED)).toBe(reachedBefore + 1)
    broken.delete(name)
    await until(
      45,
      'the origin is tried, and open again',
      async () => (await told(name)).health.upstreams[0]?.breaker === 'closed',
    )
    const isServed = async () =>
      (await Promise.all(crowd.shoppers.map(one => one.ask()))).some(({ text }) => text === 'hello from /')
    await until(15, 'the page', isServed)
    expect(crowd.shoppers.map(({ claims }) => claims.sub)).toEqual(before)
    await until(20, 'who waited comes in', async () => (await newcomer.ask()).status === 200)
    const kinds = (await told(name)).decisions.map(({ did }) => did.kind)
    expect(kinds).toEqual(expect.arrayContaining(['breaker-open', 'breaker-half-open', 'breaker-closed']))
    await paying
    await crowd.stop()
  }, 110_000)

  it('answers its probe is tried long before its pause is over', async () => {
    const crowd = new Crowd('probed')
    await pause(1_000)
    broken.add('probed')
    await until(20, 'the outage', () => isHeld('probed'))
    broken.delete('probed')
    // The pause is five minutes. After ten seconds of it, three good probes one second apart end it.
    await until(25, 'a trial', async () =>
      (await told('probed')).decisions.some(({ did }) => did.kind === 'breaker-half-open'),
    )
    expect(reached.get('probed/ready')).toBeGreaterThan(2)
    await crowd.stop()
  }, 60_000)
})

describe.concurrent('complaints of few visitors', () => {
  it.concurrent('open the breaker of an upstream that five sessions use, and let sessions back gradually', async () => {
    const shoppers = Array.from({ length: 40 }, () => new Shopper(site.url, 'parcels'))
    for (const shopper of shoppers) await shopper.ask()
    const track = async (some: readonly Shopper[]) => {
      const answers = await Promise.all(some.map(one => one.ask('/track')))
      return answers.filter(({ text }) => text === 'hello from /track').length
    }
    const breaker = async () =>
      (await told('parcels')).health.upstreams.find(({ name }) => name === 'tracking')?.breaker
    expect(await track(shoppers)).toBe(40)
    await pause(1_500)
    broken.add('parcels')
    // One visitor can pose as any number of newcomers, so newcomers must not open the breaker.
    for (let i = 0; i < 8; i++) {
      await new Shopper(site.url, 'parcels').ask('/track')
      await pause(400)
    }
    await pause(1_500)
    expect(await breaker()).toBe('closed')
    // Sessions are distinguished by their lot, of which there are a thousand.
    const byLot = new Map(shoppers.map(one => [Math.floor(lotOf(String(one.claims.sub)) * 1_000), one]))
    for (const shopper of [...byLot.values()].slice(0, 5)) {
      await shopper.ask('/track')
      await pause(700)
    }
    await until(15, 'the breaker', async () => (await breaker()) === 'open')
    broken.delete('parcels')
    await until(60, 'the end of the trial', async () => {
      await track(shoppers.slice(0, 10))
      return (await breaker()) === 'closed'
    })
    await shoppers[0]?.ask()
    const first = await track(shoppers)
    expect(first).toBeLessThan(30)
    await until(40, 'more than before', async () => (await track(shoppers)) >= first + 8)
  }, 120_000)

  it.concurrent('open no breaker when a single visitor hammers one slow page', async () => {
    const crowd = new Crowd('hammered', 10)
    await pause(1_500)
    const hammerer = new Shopper(site.url, 'hammered')
    await hammerer.ask()
    const untilMs = performance.now() + 22_000
    const hammering = Array.from({ length: 40 }, async () => {
      while (performance.now() < untilMs) await hammerer.ask('/slow')
    })
    await Promise.all(hammering)
    const { health, decisions } = await told('hammered')
    expect(decisions).toEqual([])
    expect(health.upstreams[0]?.samples).toBeGreaterThan(100)
    expect(reached.get('hammered/slow')).toBeGreaterThan(50)
    await crowd.stop()
  }, 60_000)
})

describe('an upstream', () => {
  it('that is dead gets a fallback answer in under 50 ms, and the rest of the site keeps working', async () => {
    const crowd = new Crowd('payment', 25)
    const payers = Array.from({ length: 25 }, () => new Shopper(site.url, 'payment'))
    for (const payer of payers) await payer.ask()
    broken.add('payment')
    const [payer] = payers as [Shopper]
    const isOpen = async () => {
      await Promise.race([Promise.all(payers.map(one => one.ask('/cards/charge'))), pause(600)])
      const { health } = await told('payment')
      return health.upstreams.some(one => one.name === 'cards' && one.breaker === 'open')
    }
    await until(25, 'the breaker', isOpen)
    await pause(1_200)
    await payer.ask()
    const tookMs: number[] = []
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now()
      await payer.ask('/cards/charge')
      tookMs.push(performance.now() - startMs)
    }
    const answer = await payer.ask('/cards/charge')
    expect([answer.status, answer.headers['content-type']]).toEqual([503, 'application/problem+json'])
    expect(JSON.parse(answer.text)).toMatchObject({ upstream: 'cards', state: 'blocked' })
    // The fastest answer counts, because the machine may be busy for a moment.
    expect(Math.min(...tookMs)).toBeLessThan(50)
    expect((await payer.ask()).text).toBe('hello from /')
    expect((await new Shopper(site.url, 'payment').ask()).status).toBe(200)
    expect((await told('payment')).health.reason).toBeNull()
    await crowd.stop()
  }, 60_000)

  it('is blocked by the operator, and released again', async () => {
    await site.change('payment', { health_pins: { breakers: { search: 'open' } } })
    const visitor = new Shopper(site.url, 'payment')
    await visitor.ask()
    const everywhere = async (status: number) => {
      for (let i = 0; i < ISOLATES; i++) if ((await visitor.ask('/search')).status !== status) return false
      return true
    }
    await until(5, 'the redirect', () => everywhere(303))
    expect((await visitor.ask('/search')).headers.location).toBe('/')
    expect((await visitor.ask()).status).toBe(200)
    await site.change('payment', { health_pins: {} })
    await until(5, 'the search', () => everywhere(200))
  }, 30_000)
})
