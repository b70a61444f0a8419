import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { OneDoor } from '../support/workerd/one-door.ts'
import { type Answer, claimsOf, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'
import '../support/properties.ts'

afterEach(() => {
  vi.useRealTimers()
})
afterAll(settled)

const ROOM = {
  name: 'budget',
  host: 'budget.test',
  total_active_users: 1_000,
  new_users_per_minute: 6_000,
  protected_paths: ['/pay/*'],
  rate_limits: [
    { name: 'login', match: { paths: ['/login'] }, count: 3, period: 3_600, burst: 3 },
    { name: 'fast', match: { paths: ['/fast'] }, count: 1_200, period: 60, burst: 40 },
    { name: 'grab', match: { paths: ['/grab'] }, count: 2, period: 600, action: 'requeue' },
  ],
}

/**
 * Bounds for one token at one isolate: calls at once, more calls a second,
 * and how many forwarded requests allow one more call.
 */
const CALLS_AT_ONCE = 20
const CALLS_PER_SECOND = 4
const REQUESTS_PER_CALL = 2

const later = (ms: number) => vi.setSystemTime(Date.now() + ms)

/** Brings a visitor into one of the states that a token can be in. */
const STATES = {
  'a pass': async (visitor: Visitor) => {
    await visitor.page('/')
  },
  'a pass that has expired while its session goes on': async (visitor: Visitor) => {
    await visitor.page('/')
    const { token } = visitor
    later(40_000)
    await visitor.page('/')
    later(20_000)
    visitor.token = token
  },
  'a pass that has expired with its session': async (visitor: Visitor) => {
    await visitor.page('/')
    later(3_600_000)
  },
  'a pass that was given up': async (visitor: Visitor) => {
    await visitor.page('/')
    const { token } = visitor
    await visitor.send('/.waiting-room/leave?room=budget', { method: 'POST' })
    visitor.token = token
  },
  'a pass that is limited': async (visitor: Visitor) => {
    await visitor.page('/')
    for (let i = 0; i < 4; i++) await visitor.data('/login')
  },
  'a called ticket': async (visitor: Visitor, door: OneDoor) => {
    await ticketFor(visitor, door)
  },
  'a ticket whose session has begun': async (visitor: Visitor, door: OneDoor) => {
    await ticketFor(visitor, door)
    const { token } = visitor
    door.permits = 1_000
    await visitor.page('/')
    visitor.token = token
  },
  'a ticket whose session is over': async (visitor: Visitor, door: OneDoor) => {
    await ticketFor(visitor, door)
    const { token } = visitor
    door.permits = 1_000
    await visitor.page('/')
    later(200_000)
    visitor.token = token
  },
} satisfies Record<string, (visitor: Visitor, door: OneDoor) => Promise<void>>

async function ticketFor(visitor: Visitor, door: OneDoor): Promise<void> {
  door.open = false
  door.permits = 0
  await visitor.page('/')
  later(5_000)
}

const REQUESTS = {
  page: visitor => visitor.page('/'),
  'another page': visitor => visitor.page('/shop/item'),
  data: visitor => visitor.data('/api'),
  'part of a page': visitor =>
    visitor.send('/logo.png', {
      headers: { Accept: 'image/*', 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Mode': 'no-cors' },
    }),
  form: visitor => visitor.page('/order', { method: 'POST', body: 'a=b' }),
  prefetch: visitor => visitor.page('/next', { headers: { 'Sec-Purpose': 'prefetch' } }),
  poll: visitor => visitor.poll(true),
  'poll without a claim': visitor => visitor.poll(false),
  payment: visitor => visitor.data('/pay/now', { method: 'POST', body: '{}' }),
  login: visitor => visitor.data('/login'),
  fast: visitor => visitor.data('/fast'),
  grab: visitor => visitor.data('/grab'),
} satisfies Record<string, (visitor: Visitor) => Promise<Answer>>

type Kind = keyof typeof REQUESTS

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      sends: fc.constantFrom(...(Object.keys(REQUESTS) as Kind[])),
      times: fc.integer({ min: 1, max: 40 }),
      gapMs: fc.constantFrom(0, 0, 1, 25, 60),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      pauseMs: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(1_000, 2_500, 11_000, 58_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ opens: fc.boolean(), permits: fc.constantFrom(0, 1, 1_000) }) },
)

/** The calls over the allowance, as a bucket that drains at the allowed rate. */
class Over {
  most = 0
  #level = 0
  #atMs = 0

  note(calls: number, wentOn: boolean, nowMs: number): void {
    const allowed = ((nowMs - this.#atMs) / 1_000) * CALLS_PER_SECOND + (wentOn ? 1 / REQUESTS_PER_CALL : 0)
    this.#level = Math.max(0, this.#level - allowed) + calls
    this.#atMs = nowMs
    this.most = Math.max(this.most, this.#level)
  }
}

/** A token in a state, and a fresh isolate that has not seen it. */
async function begin(state: keyof typeof STATES) {
  later(0)
  const door = new OneDoor(ROOM)
  door.permits = 1_000
  const before = new Visitor(ROOM.host, newEdge())
  before.bindings = door.bindings
  await STATES[state](before, door)
  const { token } = before
  const visitor = new Visitor(ROOM.host, newEdge())
  visitor.bindings = door.bindings
  visitor.token = token
  door.calls = 0
  return { door, visitor, token }
}

describe('one token', () => {
  it('makes an isolate call doors a few times a second at most, whatever requests carry it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(STATES) as (keyof typeof STATES)[])),
        fc.boolean(),
        fc.array(step, { minLength: 3, maxLength: 12 }),
        async (state, keepsCookies, steps) => {
          const { door, visitor, token } = await begin(state)
          const over = new Over()
          let noted = 0
          for (const one of steps) {
            if ('pauseMs' in one) later(one.pauseMs)
            else if ('opens' in one) Object.assign(door, { open: one.opens, permits: one.permits })
            else {
              for (let i = 0; i < one.times; i++) {
                later(one.gapMs)
                if (!keepsCookies) visitor.token = token
                const { atOrigin } = await REQUESTS[one.sends](visitor)
                over.note(door.calls - noted, atOrigin !== null, Date.now())
                noted = door.calls
              }
            }
          }
          expect(over.most, state).toBeLessThanOrEqual(CALLS_AT_ONCE)
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  it.each([
    ['a pass that has expired while its session goes on', 'login', 4],
    ['a pass that has expired with its session', 'page', 12],
    ['a pass that was given up', 'page', 12],
    ['a pass that is limited', 'login', 4],
    ['a called ticket', 'page', 11],
    ['a called ticket', 'poll', 20],
    ['a ticket whose session has begun', 'page', 12],
    ['a ticket whose session has begun', 'poll', 11],
    ['a ticket whose session is over', 'page', 12],
    ['a pass', 'payment', 12],
    ['a pass', 'fast', 110],
    ['a pass', 'grab', 5],
  ] as const)('that is %s, with four hundred times "%s" in ten seconds, makes %i calls at most', async (...one) => {
    const [state, kind, most] = one
    const { door, visitor, token } = await begin(state)
    for (let i = 0; i < 400; i++) {
      later(25)
      visitor.token = token
      await REQUESTS[kind](visitor)
    }
    expect(door.calls).toBeLessThanOrEqual(most)
  })

  it('that is called and refused may claim again after a second by a page, and at once by a poll', async () => {
    const { door, visitor, token } = await begin('a called ticket')
    const again = async (send: () => Promise<Answer>) => {
      visitor.token = token
      return (await send()).status
    }
    expect(await again(() => visitor.page('/'))).toBe(503)
    door.permits = 1
    later(999)
    expect(await again(() => visitor.page('/'))).toBe(503)
    expect(door.calls).toBe(1)
    later(1)
    expect(await again(() => visitor.page('/'))).toBe(200)

    const other = await begin('a called ticket')
    expect((await other.visitor.page('/')).status).toBe(503)
    other.door.permits = 1
    expect((await other.visitor.poll()).place.state).toBe('admitted')
  })

  it('whose session is over leads to one new session, however often it is shown', async () => {
    for (const state of ['a pass that was given up', 'a pass that has expired with its session'] as const) {
      const { visitor, token } = await begin(state)
      const sids = new Set<unknown>()
      for (let i = 0; i < 20; i++) {
        visitor.token = token
        const { status } = await visitor.page('/')
        expect(status).toBe(200)
        sids.add(claimsOf(visitor.token).sub)
      }
      expect(sids.size).toBe(1)
    }
  })

  it('gets no new session before its time when a policy has ended the old one', async () => {
    const { door, visitor, token: ticket } = await begin('a called ticket')
    Object.assign(door, { open: true, permits: 1_000 })
    await visitor.page('/')
    const { token: pass } = visitor
    for (let i = 0; i < 3; i++) await visitor.data('/grab')
    const wentOn = []
    for (let i = 0; i < 20; i++) {
      later(1_500)
      visitor.token = i % 2 === 0 ? pass : ticket
      const kind = i % 4 < 2 ? 'part of a page' : 'page'
      wentOn.push((await REQUESTS[kind](visitor)).atOrigin)
    }
    expect(wentOn).toEqual(Array(20).fill(null))
  })
})
