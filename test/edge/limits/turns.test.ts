import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { Turns } from '../../../src/edge/limits/turns.ts'
import { OneDoor } from '../../support/workerd/one-door.ts'
import { type Answer, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterEach(() => {
  vi.useRealTimers()
})
afterAll(settled)

const ROOM = {
  name: 'turns',
  host: 'turns.test',
  total_active_users: 1_000,
  new_users_per_minute: 60_000,
  rate_limits: [
    { name: 'quick', match: { paths: ['/quick/*'] }, count: 1_200, period: 60, burst: 6 },
    { name: 'slow', match: { paths: ['/slow/*'] }, count: 1, period: 60, burst: 6 },
  ],
}

const SCRIPT = { Accept: '*/*', 'Sec-Fetch-Dest': 'script', 'Sec-Fetch-Mode': 'no-cors' }

/** A visitor inside who has used up both policies. */
async function limited(more: object = {}) {
  const door = new OneDoor({ ...ROOM, ...more })
  door.permits = 1
  const visitor = new Visitor(ROOM.host, newEdge())
  visitor.bindings = door.bindings
  await visitor.page('/')
  for (const path of ['/quick/1', '/slow/1']) await Promise.all(Array.from({ length: 8 }, () => visitor.data(path)))
  return { door, visitor }
}

const all = (count: number, send: (i: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: count }, (_, i) => send(i)))
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)

describe('a part of a page over the limit', () => {
  it('waits for its turn, and all parts of the page arrive', async () => {
    const { visitor, door } = await limited()
    door.calls = 0
    const answers = await all(30, i => visitor.send(`/quick/${i}.js`, { headers: SCRIPT }))
    expect(statuses(answers)).toEqual(Array(30).fill(200))
    // The waiting parts ask the door together.
    expect(door.calls).toBeLessThan(30)
  })

  it.each(['style', 'image', 'font', 'script', 'track', 'manifest'])('may be a %s', async destination => {
    const { visitor } = await limited()
    const headers = { Accept: '*/*', 'Sec-Fetch-Dest': destination }
    expect((await visitor.send('/quick/1', { headers })).status).toBe(200)
  })

  it('does not wait when its turn is far away', async () => {
    const { visitor } = await limited()
    const { status, response } = await visitor.send('/slow/app.js', { headers: SCRIPT })
    expect(status).toBe(429)
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(10)
  })

  it('waits for a free place among the concurrent requests', async () => {
    const { visitor } = await limited({ max_concurrent: 2, rate_limits: [] })
    const answers = await all(6, i => visitor.send(`/${i}.css`, { headers: { ...SCRIPT, 'X-Answer-After-Ms': '100' } }))
    expect(statuses(answers)).toEqual(Array(6).fill(200))
  })
})

describe('over the limit', () => {
  it.each([
    ['a page', (visitor: Visitor) => visitor.page('/quick/1')],
    ['a program', (visitor: Visitor) => visitor.data('/quick/1')],
    [
      'what a script asks for',
      (visitor: Visitor) => visitor.send('/quick/1', { headers: { Accept: '*/*', 'Sec-Fetch-Dest': 'empty' } }),
    ],
    ['a form', (visitor: Visitor) => visitor.page('/quick/1', { method: 'POST', body: 'a=b' })],
    [
      'a prefetch',
      (visitor: Visitor) => visitor.send('/quick/1', { headers: { ...SCRIPT, 'Sec-Purpose': 'prefetch' } }),
    ],
    ['a program that says nothing of itself', (visitor: Visitor) => visitor.send('/quick/1')],
  ])('%s is refused at once', async (_what, send) => {
    // The clock stands still, so no debt drains meanwhile.
    vi.setSystemTime(Date.now())
    const { visitor } = await limited()
    expect((await send(visitor)).status).toBe(429)
  })
})

describe('turns', () => {
  it('are at most a hundred for a session and a thousand for an isolate, and are dropped after a while', () => {
    const turns = new Turns()
    const begun = (sid: string, count: number, nowMs = 0) =>
      Array.from({ length: count }, () => turns.begin(sid, nowMs)).filter(turn => turn !== null)
    const own = begun('own', 120)
    expect(own).toHaveLength(100)
    for (let i = 0; i < 9; i++) expect(begun(`other${i}`, 100)).toHaveLength(100)
    expect(begun('late', 1)).toHaveLength(0)
    if (own[0]) turns.end(own[0])
    expect(begun('late', 2)).toHaveLength(1)
    expect(begun('later', 100, 20_000)).toHaveLength(100)
  })
})
