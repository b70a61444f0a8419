import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { stateOf } from '../../../src/edge/answer/mark.ts'
import { STATES, type State } from '../../../src/edge/mark.ts'
import { roomStub } from '../../../src/settings/env.ts'
import { type Answer, env, newEdge, send, settled, Visitor } from '../../support/workerd/visitor.ts'

const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const CONTROL = '/.waiting-room'
/** A form of another site, as a browser sends it. */
const FORM = {
  method: 'POST',
  body: 'a=1',
  headers: {
    ...PAGE,
    'Sec-Fetch-Site': 'cross-site',
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': '3',
  },
}
const PREFLIGHT = { Origin: 'https://app.test', 'Access-Control-Request-Method': 'PUT' }

afterEach(settled)

const change = (room: string, set: object) => roomStub(env, room).change({ set }, null, 'test')
const ask = (url: string, init: RequestInit = {}, bindings = env) =>
  send(newEdge(), new Request(`https://${url}`, init), bindings)

/** The state and the room of a mark, as `state of room`. */
const markOf = ({ response }: Answer) =>
  `${response.headers.get('Waiting-Room-State')} of ${response.headers.get('Waiting-Room-Name')}`

/** Asks until the mark is the expected one: a live change is in force within two seconds. */
const eventually = (look: () => Promise<Answer>) =>
  expect.poll(async () => markOf(await look()), { timeout: 10_000, interval: 200 })

/** The first visitor of a room comes before the room knows that it is held. */
beforeAll(async () => {
  for (const room of ['held', 'embedded'])
    await vi.waitUntil(async () => markOf(await ask(`${room}.test/`, { headers: PAGE })).startsWith('waiting'), 10_000)
})

describe('the mark', () => {
  const seen = new Set<string>()

  it.each<[State, string | null, string, RequestInit?]>([
    ['waiting', 'held', 'held.test/', { headers: PAGE }],
    ['waiting', 'held', 'held.test/', { method: 'HEAD', headers: PAGE }],
    ['waiting', 'held', 'held.test/', { method: 'POST', headers: PAGE, body: 'a=1' }],
    ['waiting', 'held', 'held.test/api', { method: 'DELETE', headers: { Accept: '*/*' } }],
    ['waiting', 'held', 'held.test/a.js', { headers: { Accept: '*/*', 'Sec-Fetch-Dest': 'script' } }],
    ['waiting', 'embedded', 'embedded.test/', { headers: PAGE }],
    ['uninvited', 'guests', 'guests.test/', { headers: PAGE }],
    ['uninvited', 'guests', 'guests.test/a.png', { headers: { Accept: 'image/png', 'Sec-Fetch-Dest': 'image' } }],
    ['blocked', 'shouting', 'shouting.test/search/1', { headers: PAGE }],
    ['prefetch', 'wide', 'wide.test/', { headers: { ...PAGE, 'Sec-Purpose': 'prefetch' } }],
    ['redirect', 'guests', 'guests.test/?invite=x.y.z', { headers: PAGE }],
    ['redirect', 'wide', `wide.test${CONTROL}/wait?room=wide&to=/cart`],
    ['resubmit', 'wide', 'wide.test/', FORM],
    ['none', 'wide', `wide.test${CONTROL}/status?room=wide`],
    ['none', 'wide', `wide.test${CONTROL}/leave?room=wide`, { method: 'POST' }],
    ['control', 'wide', `wide.test${CONTROL}/draws/none?room=wide`],
    ['control', 'wide', `wide.test${CONTROL}/status?room=wide`, { method: 'OPTIONS', headers: PREFLIGHT }],
    ['control', null, `wide.test${CONTROL}/status?room=nothing`],
    ['control', null, `wide.test${CONTROL}/jwks.json`],
    ['control', null, `wide.test${CONTROL}/healthz`],
    ['control', null, `wide.test${CONTROL}/nothing`],
    ['control', null, `admin.test${CONTROL}/admin/`],
    ['control', null, `admin.test${CONTROL}/api/v1/rooms`],
    ['control', null, 'admin.test/'],
  ])('is %s of %s on an answer to %s', async (state, room, url, init) => {
    seen.add(state)
    const answer = await ask(url, init)
    expect(answer.atOrigin).toBeNull()
    expect(markOf(answer)).toBe(`${state} of ${room}`)
  })

  it('is admitted on the poll of a visitor inside', async () => {
    seen.add('admitted')
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    expect(markOf(await visitor.poll())).toBe('admitted of wide')
  })

  it('is limited on a refusal by a rate limit, and on a poll that comes too early', async () => {
    seen.add('limited')
    const visitor = new Visitor('limited.test', newEdge())
    for (let i = 0; i < 4; i++) await visitor.page('/login', { method: 'POST', body: 'a' })
    const login = { method: 'POST', body: 'a' }
    expect(markOf(await visitor.page('/login', login))).toBe('limited of limited')
    expect(markOf(await visitor.data('/login', login))).toBe('limited of limited')
    const early = new Visitor('held.test', newEdge())
    await early.page()
    await early.poll()
    expect(markOf(await early.poll())).toBe('limited of held')
  })

  it('is rejected, or sold-out, where a room keeps no line', async () => {
    seen.add('rejected').add('sold-out')
    const edge = newEdge()
    await change('rejecting', { queueing_method: 'reject', total_active_users: 1, new_users_per_minute: 0 })
    await eventually(() => new Visitor('rejecting.test', edge).page()).toBe('rejected of rejecting')
    await change('stocked', { remaining: 0, when_sold_out: 'reject' })
    await eventually(() => new Visitor('stocked.test', edge).page()).toBe('sold-out of stocked')
    const part = { headers: { Accept: 'image/png', 'Sec-Fetch-Dest': 'image' } }
    expect(markOf(await new Visitor('stocked.test', edge).send('/a.png', part))).toBe('sold-out of stocked')
  })

  it('is outage on each answer that the operator has blocked', async () => {
    seen.add('outage')
    const visitor = new Visitor('undone.test', newEdge())
    await visitor.page()
    await change('undone', { health_pins: { breakers: { origin: 'open' } } })
    await eventually(() => visitor.page()).toBe('outage of undone')
    const { response, text } = await visitor.data()
    expect(response.headers.get('Waiting-Room-State')).toBe('outage')
    expect(JSON.parse(text)).toMatchObject({ room: 'undone', state: 'outage', cfWaitingRoom: { inWaitingRoom: false } })
  })

  it('is origin-failed when the origin has not answered in time', async () => {
    seen.add('origin-failed')
    await change('linked', { origin_timeout: 0.1 })
    const visitor = new Visitor('linked.test', newEdge())
    const slow = { headers: { 'X-Answer-After-Ms': '1500' } }
    await eventually(() => visitor.page('/', slow)).toBe('origin-failed of linked')
    expect((await visitor.page('/', slow)).status).toBe(504)
  })

  it('is preflight on a preflight that the room answers', async () => {
    seen.add('preflight')
    await change('moving', { preflights: 'answer' })
    const preflight = { method: 'OPTIONS', headers: PREFLIGHT }
    await eventually(() => ask('moving.test/api', preflight)).toBe('preflight of moving')
  })

  it('is there when nothing can be decided', async () => {
    for (const state of ['malformed', 'misdirected', 'not-configured', 'unavailable']) seen.add(state)
    const malformed = new Request('https://wide.test/', { headers: { Host: 'a b' } })
    expect(markOf(await send(newEdge(), malformed))).toBe('malformed of null')
    expect(markOf(await ask('elsewhere.test/', { headers: PAGE }))).toBe('misdirected of null')
    expect(markOf(await ask('wide.test/', {}, { ...env, ROOMS: [{}] } as never))).toBe('not-configured of null')
    const bug = () => {
      throw new Error('a bug')
    }
    const failing = Object.create(env, { ROOM_KEYS: { get: bug } })
    expect(markOf(await ask('wide.test/', {}, failing))).toBe('unavailable of null')
  })

  it('has the state of a place, as the JSON has it', () => {
    for (const state of ['called', 'missed', 'shed']) seen.add(state)
    const waiting = (place: object, missed: boolean) => stateOf({ kind: 'waiting', place, missed } as never)
    expect(waiting({ state: 'waiting' }, false)).toBe('waiting')
    expect(waiting({ state: 'waiting' }, true)).toBe('missed')
    expect(waiting({ state: 'called' }, true)).toBe('called')
  })

  it('has no state that these tests do not know', () => {
    expect([...seen].sort()).toEqual([...STATES].sort())
  })
})

describe('an answer of the origin', () => {
  it('never has a mark, whatever the origin sends', async () => {
    const forged = { 'X-Answer-With': 'Waiting-Room-State=waiting&Waiting-Room-Name=other' }
    for (const path of ['/', '/webhooks/a']) {
      const answer = await new Visitor('wide.test', newEdge()).page(path, { headers: forged })
      expect(answer.atOrigin).not.toBeNull()
      expect(markOf(answer)).toBe('null of null')
    }
  })
})

describe('a page of an allowed origin', () => {
  const from = { Origin: 'https://app.test', Accept: '*/*', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors' }
  const corsOf = ({ response }: Answer) => [
    response.headers.get('Access-Control-Allow-Origin'),
    response.headers.get('Access-Control-Allow-Credentials'),
    response.headers.get('Vary')?.split(', ').includes('Origin'),
  ]

  it('may read the mark of every answer of the room', async () => {
    await change('wide', { queue_all: true })
    const edge = newEdge()
    const visitor = () => new Visitor('wide.test', edge)
    await eventually(() => visitor().send('/api', { headers: from })).toBe('waiting of wide')
    for (const answer of [
      await visitor().send('/api', { headers: from }),
      await visitor().send('/api', { method: 'POST', headers: from, body: '{}' }),
      await visitor().send('/api', { headers: { ...from, 'Sec-Purpose': 'prefetch' } }),
      await visitor().send(`${CONTROL}/status?room=wide`, { headers: from }),
    ]) {
      expect(corsOf(answer)).toEqual(['https://app.test', 'true', true])
      expect(answer.response.headers.get('Access-Control-Expose-Headers')).toContain(
        'Waiting-Room-State, Waiting-Room-Name, Waiting-Room-Token, Retry-After',
      )
    }
    const foreign = await visitor().send('/api', { headers: { ...from, Origin: 'https://evil.test' } })
    expect(corsOf(foreign)).toEqual([null, null, true])
    await roomStub(env, 'wide').change({ reset: 'all' }, null, 'test')
  })
})

describe('the JSON of a place', () => {
  it('names the room, where to poll, and where a person waits', async () => {
    const { text, response } = await new Visitor('held.test', newEdge()).data()
    expect(response.headers.get('Content-Type')).toBe('application/json')
    expect(JSON.parse(text)).toMatchObject({
      room: 'held',
      statusUrl: `${CONTROL}/status?room=held&claim=1`,
      pageUrl: `${CONTROL}/wait?room=held`,
      waitSeconds: null,
      state: 'waiting',
      cfWaitingRoom: { inWaitingRoom: true },
    })
  })

  it('shows that a visitor inside, or without a place, is not in the waiting room', async () => {
    const visitor = new Visitor('moving.test', newEdge())
    const before = await visitor.poll()
    expect(before.place).toMatchObject({ state: 'none', cfWaitingRoom: { inWaitingRoom: false } })
    await visitor.page()
    expect((await visitor.poll()).place).toMatchObject({ state: 'admitted', cfWaitingRoom: { inWaitingRoom: false } })
  })
})

describe('the page for waiting', () => {
  const wait = (query: string, host = 'held.test') => `${host}${CONTROL}/wait?room=${host.split('.')[0]}${query}`

  it('shows the line, and polls it', async () => {
    const { response, text } = await ask(wait('&to=/cart'), { headers: PAGE })
    expect([response.status, response.headers.getSetCookie().length]).toEqual([503, 1])
    expect(text).toContain('You are in line')
    expect(text.replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '=')).toContain(
      `url=${CONTROL}/wait?room=held&amp;to=/cart`,
    )
  })

  it.each([
    ['/cart?size=4#reviews', '/cart?size=4#reviews'],
    ['cart', '/cart'],
    ['', '/'],
    ['//evil.test/', '/'],
    ['/\\evil.test/', '/'],
    ['\\\\evil.test/', '/'],
    ['https://evil.test/', '/'],
    ['https://robots.test@evil.test/', '/'],
    ['javascript:alert(1)', '/'],
    ['data:text/html,a', '/'],
    ['/.//evil.test/', '/.//evil.test/'],
    ['/\t/evil.test/', '/'],
    ['https://robots.test:444/', '/'],
    [`${CONTROL}/wait?room=robots`, '/'],
  ])('answers to=%s with a redirect to %s for a visitor who is inside', async (to, target) => {
    const { response } = await ask(wait(`&to=${encodeURIComponent(to)}`, 'robots.test'), { headers: PAGE })
    expect([response.status, response.headers.get('Location')]).toEqual([303, target])
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })
})
