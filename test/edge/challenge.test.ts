import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Answer, claimsOf, newEdge, type Place, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

type Challenge = Parameters<typeof solveChallenge>[0]['challenge']
const edge = newEdge()

/** The challenge in the page of a visitor, null where it has none. */
function challengeIn({ text }: Answer): Challenge | null {
  const data = /<script id="challenge" type="application\/json">(.*?)<\/script>/.exec(text)?.[1]
  return data === undefined ? null : (JSON.parse(data) as { challenge: Challenge | null }).challenge
}

async function solve(challenge: Challenge | null): Promise<{ challenge: Challenge; solution: unknown }> {
  if (!challenge) throw new Error('there is no challenge')
  return { challenge, solution: await solveChallenge({ challenge, deriveKey }) }
}

async function post(visitor: Visitor, body: unknown, init: RequestInit = {}) {
  const room = visitor.host.split('.')[0]
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const path = `/.waiting-room/challenge?room=${room}&claim=1`
  const answer = await visitor.data(path, { method: 'POST', body: text, ...init })
  return { ...answer, place: (answer.status === 200 ? JSON.parse(answer.text) : {}) as Place & { challenge: unknown } }
}

describe('a line with a challenge', () => {
  beforeAll(async () => {
    // An edge without a snapshot does not know yet whether there is a line.
    const arrive = async () => solve(challengeIn(await new Visitor('challenged.test', edge).page()))
    await vi.waitFor(arrive, { timeout: 10_000, interval: 500 })
  })

  it('counts a visitor who solves it, with no call to an object', async () => {
    const visitor = new Visitor('challenged.test', edge)
    const page = await visitor.page()
    expect(page.text).toContain('<p id="lead">Your browser is doing a short calculation')
    expect(page.response.headers.get('Content-Security-Policy')).toContain("worker-src 'self'")
    const poll = await visitor.poll()
    expect(poll.place).toMatchObject({ state: 'waiting', position: null, challenge: expect.anything() })
    expect(claimsOf(visitor.token)).toMatchObject({ cnf: false })
    const { place, objectCalls, response } = await post(visitor, await solve(challengeIn(page)))
    expect(place).toMatchObject({ state: 'waiting', challenge: null })
    expect(objectCalls).toBe(0)
    expect(response.headers.get('Waiting-Room-State')).toBe('waiting')
    expect(claimsOf(visitor.token)).toMatchObject({ cnf: true })
    const again = await visitor.page()
    expect(again.text).not.toContain('<p id="lead">Your browser is doing a short calculation')
    expect(challengeIn(again)).toBeNull()
  })

  it('takes no solution for another ticket', async () => {
    const [one, two] = [new Visitor('challenged.test', edge), new Visitor('challenged.test', edge)]
    const given = await solve(challengeIn(await one.page()))
    await two.page()
    const { place } = await post(two, given)
    expect(place).toMatchObject({ state: 'waiting', challenge: expect.anything() })
    expect(claimsOf(two.token)).toMatchObject({ cnf: false })
    expect((await post(one, given)).place).toMatchObject({ challenge: null })
  })

  it('gives a visitor whose solution was wrong another challenge', async () => {
    const visitor = new Visitor('challenged.test', edge)
    await visitor.page()
    const { place } = await post(visitor, { challenge: {}, solution: {} })
    expect(place).toMatchObject({ cfWaitingRoom: { infiniteQueue: false } })
    expect((await post(visitor, await solve(place.challenge as Challenge))).place).toMatchObject({ challenge: null })
  })

  it('sets no challenge for a search engine that Cloudflare has verified', async () => {
    const cf = { verifiedBotCategory: 'Search Engine Crawler' } as unknown as IncomingRequestCfProperties
    const visitor = new Visitor('challenged.test', edge)
    expect(challengeIn(await visitor.page('/', { cf }))).toBeNull()
    await visitor.page('/', { cf })
    expect(claimsOf(visitor.token)).toMatchObject({ cnf: true })
  })

  it('explains the way without scripts', async () => {
    const { text } = await new Visitor('challenged.test', edge).page()
    expect(text).toMatch(/<p>Your browser runs no scripts, so your place counts after about a minute/)
  })

  it('refuses a body that is no solution, and any body from a page of another site', async () => {
    const visitor = new Visitor('challenged.test', edge)
    await visitor.page()
    for (const body of ['', '{', `"${'x'.repeat(9_000)}"`]) expect((await post(visitor, body)).status).toBe(400)
    const foreign = { headers: { Accept: 'application/json', 'Sec-Fetch-Site': 'cross-site' } }
    expect((await post(visitor, '{}', foreign)).status).toBe(403)
  })

  it('limits how often one visitor may try', async () => {
    const visitor = new Visitor('challenged.test', edge)
    await visitor.page()
    const statuses = []
    for (let n = 0; n < 8; n++) statuses.push((await post(visitor, '{}')).status)
    expect(statuses).toContain(429)
  })
})

describe('an open room that always sets a challenge', () => {
  it('lets a newcomer in who solves it', async () => {
    const visitor = new Visitor('challenging.test', edge)
    const page = await visitor.page('/sale')
    expect(page.atOrigin).toBeNull()
    const { place, objectCalls } = await post(visitor, await solve(challengeIn(page)))
    expect(place).toMatchObject({ state: 'admitted' })
    expect(objectCalls).toBe(1)
    expect((await visitor.page('/sale')).atOrigin).not.toBeNull()
  })

  it('lets a visitor with two tabs in, whose first solution is for the place of the other tab', async () => {
    const [visitor, otherTab] = [new Visitor('challenging.test', edge), new Visitor('challenging.test', edge)]
    const ofOther = await solve(challengeIn(await otherTab.page('/sale')))
    await visitor.page('/sale')
    const { place } = await post(visitor, ofOther)
    expect(place).toMatchObject({ state: 'waiting', cfWaitingRoom: { infiniteQueue: false } })
    expect((await post(visitor, await solve(place.challenge as Challenge))).place).toMatchObject({ state: 'admitted' })
  })

  it('never moves the place of a visitor whose solution was wrong', async () => {
    const visitor = new Visitor('challenging.test', edge)
    const page = await visitor.page('/sale')
    const { place } = await post(visitor, { challenge: {}, solution: {} })
    expect(place).toMatchObject({ state: 'waiting', cfWaitingRoom: { infiniteQueue: true }, challenge: null })
    expect((await post(visitor, await solve(challengeIn(page)))).place).toMatchObject({
      state: 'waiting',
      cfWaitingRoom: { infiniteQueue: true },
    })
    const again = await visitor.page('/sale')
    expect(again.atOrigin).toBeNull()
    expect(again.text).toContain('this place does not move forward')
  })
})
