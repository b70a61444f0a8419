import { afterAll, describe, expect, it } from 'vitest'
import { networkCheck } from '../../../src/edge/gate/network-policies.ts'
import { OneDoor } from '../../support/workerd/one-door.ts'
import { type Answer, type Edge, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterAll(settled)

const login = { match: { paths: ['/login'], methods: ['POST'] }, count: 3, period: 3_600 }
const ROOM = {
  name: 'networks',
  host: 'networks.test',
  total_active_users: 1_000,
  new_users_per_minute: 60_000,
  rate_limits: [
    { name: 'login', ...login },
    { name: 'login-network', ...login, count: 10, key: 'network' },
    { name: 'tried', match: { paths: ['/tried'] }, count: 1, period: 3_600, key: 'network', mode: 'shadow' },
  ],
}

function newRoom(more: object = {}) {
  const door = new OneDoor({ ...ROOM, ...more })
  door.permits = 1_000
  return { door, edge: newEdge() }
}

/** A visitor from an address, with a cookie jar of its own. */
function visitorAt({ door, edge }: { door: OneDoor; edge: Edge }, address: string) {
  const visitor = new Visitor(ROOM.host, edge)
  visitor.bindings = door.bindings
  const headers = { 'CF-Connecting-IP': address }
  return {
    visitor,
    post: (path = '/login'): Promise<Answer> => visitor.data(path, { method: 'POST', body: '{}', headers }),
    form: (): Promise<Answer> => visitor.page('/login', { method: 'POST', body: 'a=b', headers }),
    page: (): Promise<Answer> => visitor.page('/', { headers }),
  }
}

const wentOn = (answers: readonly Answer[]) => answers.filter(({ atOrigin }) => atOrigin !== null).length

async function times(count: number, send: (i: number) => Promise<Answer>): Promise<Answer[]> {
  const answers = []
  for (let i = 0; i < count; i++) answers.push(await send(i))
  return answers
}

describe('a policy that counts networks', () => {
  it('limits a visitor who throws cookies away, and creates no session for a refused request', async () => {
    const room = newRoom()
    const startMs = Date.now()
    const answers = await times(60, i => visitorAt(room, `81.2.69.${i}`).post())
    expect(wentOn(answers)).toBe(10)
    expect(answers.slice(10).every(({ status }) => status === 429)).toBe(true)
    expect(room.door.calls).toBe(10)
    const { response, text } = answers[10] as Answer
    expect(JSON.parse(text)).toMatchObject({
      'violated-policies': ['login-network'],
      detail: 'The policy login-network allows 10 in 3,600 s for one network.',
    })
    const [, seconds] = /^"login-network";r=0;t=(\d+)$/.exec(response.headers.get('RateLimit') ?? '') ?? []
    // Time passes on a busy machine while the requests are answered.
    const passed = Math.ceil((Date.now() - startMs) / 1_000)
    expect(Number(seconds)).toBeLessThanOrEqual(360)
    expect(Number(seconds)).toBeGreaterThanOrEqual(360 - passed)
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('limits each /24 and each /64 by itself, and a private address not at all', async () => {
    const room = newRoom()
    const from = async (address: (i: number) => string) =>
      wentOn(await times(15, i => visitorAt(room, address(i)).post()))
    expect(await from(i => `81.2.69.${i}`)).toBe(10)
    expect(await from(i => `81.2.70.${i}`)).toBe(10)
    expect(await from(i => `2a00:1450:4001:82b::${i}`)).toBe(10)
    expect(await from(i => `2a00:1450:4001:82c::${i}`)).toBe(10)
    expect(await from(() => '10.0.0.1')).toBe(15)
  })

  it('applies beside the limit of each session, to all visitors behind one address', async () => {
    const room = newRoom()
    const office = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const colleague = visitorAt(room, '81.2.69.7')
        await colleague.page()
        return colleague
      }),
    )
    const passed = []
    for (const { post } of office) passed.push(wentOn(await times(4, () => post())))
    // Each session may send three of its four requests, but all four are charged to the network.
    expect(passed).toEqual([3, 3, 2, 0, 0])
    expect((await office[4]?.page())?.status).toBe(200)
  })

  it('explains to a visitor inside that the network is limited', async () => {
    const room = newRoom()
    await times(10, i => visitorAt(room, `81.2.69.${i}`).post())
    const { visitor, page, form } = visitorAt(room, '81.2.69.9')
    await page()
    const { token } = visitor
    const { status, text } = await form()
    expect(status).toBe(429)
    expect(text).toContain('More came from your network than the site allows in so short a time.')
    expect(visitor.token).toBe(token)
  })

  it('neither charges nor refuses visitors who wait in line', async () => {
    const room = newRoom()
    Object.assign(room.door, { open: false, permits: 0 })
    const waiting = visitorAt(room, '81.2.69.7')
    const answers = await times(20, () => waiting.post())
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(503))
  })

  it('charges nothing for a claim that gets no permit', async () => {
    const room = newRoom()
    room.door.permits = 0
    for (let i = 0; i < 30; i++) {
      const { status } = await visitorAt(room, '81.2.69.7').post()
      expect([i, status]).toEqual([i, 503])
    }
    room.door.permits = 1_000
    const post = () => visitorAt(room, '81.2.69.7').post()
    // The isolate tries again once it has a new snapshot.
    await expect.poll(async () => wentOn([await post()]), { timeout: 10_000 }).toBe(1)
    expect(wentOn(await times(15, post))).toBe(9)
  })

  it('charges a request once that is decided again while it waits for its turn', () => {
    const spent: string[] = []
    const policy = { name: 'n', perNetwork: true, isShadow: false, cost: 1, quota: {}, matches: () => true }
    const room = {
      limits: { policies: [policy], stats: { add: () => undefined } },
      spendOrWaitMs: (key: string) => {
        spent.push(key)
        return 0
      },
      giveBack: (key: string) => spent.splice(spent.indexOf(key), 1),
      sync: { report: () => undefined },
    }
    const visit = { network: '81.2.69/24', request: { method: 'GET' }, readings: {} }
    const check = () => networkCheck(visit as never, room as never)
    for (let decisions = 0; decisions < 3; decisions++) {
      expect(check().ask()).toBe(null)
      check().settle(true)
    }
    expect(spent).toEqual(['policy n/81.2.69/24'])
  })

  it('in shadow mode only counts', async () => {
    const room = newRoom()
    expect(wentOn(await times(5, i => visitorAt(room, `81.2.69.${i}`).post('/tried')))).toBe(5)
  })
})
