import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Env, roomStub } from '../../../src/settings/env.ts'
import { claimsOf, type Edge, env, newEdge, type Place, settled, Visitor } from '../../support/workerd/visitor.ts'

afterEach(settled)

type Work = Parameters<typeof solveChallenge>[0]['challenge']
type Challenged = Place & { challenge: { turnstile?: { sitekey: string; cData: string } } | Work | null }

/** Opens the page of a visitor, and returns the text that ties a token to the place. */
async function arrive(edge: Edge, bindings: Env = env) {
  const visitor = new Visitor('widget.test', edge)
  visitor.bindings = bindings
  await visitor.page()
  const asks = async () => {
    const { challenge } = (await visitor.poll()).place as Challenged
    if (!challenge) throw new Error('there is no challenge yet')
    return challenge
  }
  const challenge = await vi.waitFor(asks, { timeout: 15_000, interval: 2_500 })
  return { visitor, challenge, mark: 'turnstile' in challenge ? (challenge.turnstile?.cData ?? '') : '' }
}

async function post(visitor: Visitor, body: unknown) {
  const init = { method: 'POST', body: JSON.stringify(body) }
  const answer = await visitor.data('/.waiting-room/challenge?room=widget&claim=1', init)
  const place = (answer.status === 200 ? JSON.parse(answer.text) : {}) as Challenged
  return { ...answer, place, counts: claimsOf(visitor.token).cnf }
}

describe('a challenge of Turnstile', () => {
  it('is solved by a genuine token, once and for one place', async () => {
    const edge = newEdge()
    const [one, two] = [await arrive(edge), await arrive(edge)]
    expect(one.challenge).toEqual({ turnstile: { sitekey: '1x00000000000000000000AA', cData: one.mark } })
    const foreign = await post(two.visitor, { turnstile: `good:${one.mark}:1` })
    expect(foreign).toMatchObject({ counts: false, place: { cfWaitingRoom: { infiniteQueue: false } } })
    const { counts, objectCalls } = await post(one.visitor, { turnstile: `good:${one.mark}:2` })
    expect([counts, objectCalls]).toEqual([true, 0])
    const three = await arrive(edge)
    const replayed = await post(three.visitor, { turnstile: `good:${one.mark}:2` })
    expect(replayed).toMatchObject({ counts: false, place: { cfWaitingRoom: { infiniteQueue: false } } })
  })

  it('is set again after a token that is too old', async () => {
    const { visitor, mark } = await arrive(newEdge())
    const { place, counts } = await post(visitor, { turnstile: `old:${mark}` })
    expect(counts).toBe(false)
    expect(place).toMatchObject({ challenge: { turnstile: { cData: mark } }, cfWaitingRoom: { infiniteQueue: false } })
    expect((await post(visitor, { turnstile: `good:${mark}` })).counts).toBe(true)
  })

  it('is failed by a token that is not genuine', async () => {
    const { visitor } = await arrive(newEdge())
    const { place } = await post(visitor, { turnstile: 'forged' })
    expect(place).toMatchObject({ challenge: null, cfWaitingRoom: { infiniteQueue: true } })
  })

  it.each(['dead', 'slow', 'internal'])('becomes a calculation while Cloudflare is %s', async kind => {
    const { visitor } = await arrive(newEdge())
    const { place } = await post(visitor, { turnstile: `${kind}:${Math.random()}` })
    expect(place).toMatchObject({ challenge: { signature: expect.any(String) } })
    const challenge = place.challenge as Work
    const solution = await solveChallenge({ challenge, deriveKey })
    expect((await post(visitor, { challenge, solution })).counts).toBe(true)
  })

  it('stays a widget for all visitors after a token that Cloudflare refuses with an unknown code', async () => {
    const edge = newEdge()
    const one = await arrive(edge)
    const { place, counts } = await post(one.visitor, { turnstile: `odd:${one.mark}` })
    expect(counts).toBe(false)
    const widget = { turnstile: { cData: one.mark } }
    expect(place).toMatchObject({ challenge: widget, cfWaitingRoom: { infiniteQueue: false } })
    const two = await arrive(edge)
    expect(two.challenge).toMatchObject({ turnstile: { cData: two.mark } })
  })

  it('is counted once for each ticket, among all challenges and by itself', async () => {
    const edge = newEdge()
    const before = await roomStub(env, 'widget').describe()
    const [one, two] = [await arrive(edge), await arrive(edge)]
    await post(one.visitor, { turnstile: `good:${one.mark}` })
    await post(two.visitor, { turnstile: 'forged' })
    const kinds = ['minted', 'challenge_asked', 'turnstile_asked', 'turnstile_solved', 'turnstile_wrong']
    const counted = async () => {
      await arrive(edge)
      const { figures } = await roomStub(env, 'widget').describe()
      return kinds.map(kind => (figures.totals[kind] ?? 0) - (before.figures.totals[kind] ?? 0))
    }
    const enough = async () => expect((await counted()).every(count => count > 0)).toBe(true)
    await vi.waitFor(enough, { timeout: 15_000, interval: 1_500 })
    const [tickets, all, widgets, right, wrong] = await counted()
    expect([all, widgets, right, wrong]).toEqual([tickets, tickets, 1, 1])
  })

  it('takes no calculation while Cloudflare answers', async () => {
    const edge = newEdge()
    const { visitor } = await arrive(edge, { ...env, TURNSTILE_SECRET: '' })
    const { challenge } = (await visitor.poll()).place as Challenged
    visitor.bindings = env
    const work = (challenge ?? {}) as Work
    const solution = work.signature === undefined ? null : await solveChallenge({ challenge: work, deriveKey })
    expect((await post(visitor, { challenge: work, solution })).counts).toBe(false)
  })

  it.each(['', 'another-secret'])('becomes a calculation with the secret "%s"', async TURNSTILE_SECRET => {
    const { visitor, challenge } = await arrive(newEdge(), { ...env, TURNSTILE_SECRET })
    if (TURNSTILE_SECRET === '') return expect(challenge).toMatchObject({ signature: expect.any(String) })
    const { place } = await post(visitor, { turnstile: 'good:x' })
    expect(place).toMatchObject({ challenge: { signature: expect.any(String) } })
  })

  it('loads the widget by the policy of the page, and only in such a room', async () => {
    const page = await new Visitor('widget.test', newEdge()).page()
    const policy = page.response.headers.get('Content-Security-Policy')
    expect(policy).toMatch(/script-src [^;]*https:\/\/challenges\.cloudflare\.com;/)
    expect(policy).toContain('frame-src https://challenges.cloudflare.com')
    expect(page.text).toContain('<div id="widget"></div>')
    const other = await new Visitor('challenged.test', newEdge()).page()
    expect(other.response.headers.get('Content-Security-Policy')).not.toContain('cloudflare')
  })
})
