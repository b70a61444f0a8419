import { afterEach, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { type Answer, claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const PATH = '/.waiting-room/transfer'
const FORM = {
  Accept: 'text/html',
  'Content-Type': 'application/x-www-form-urlencoded',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
}
const sidOf = (visitor: Visitor) => claimsOf(visitor.token).sub
const figures = async () => (await roomStub(env, 'held').describe()).figures
const newVisitor = (ip = '192.0.2.1') => Object.assign(new Visitor('held.test', newEdge()), { ip })

afterEach(settled)

/** A visitor with a counted place, at an isolate of its own. */
async function inLine(): Promise<Visitor> {
  const visitor = newVisitor()
  await visitor.page('/sale?a=1')
  expect((await visitor.poll(false)).place.state).toBe('waiting')
  return visitor
}

function offer(visitor: Visitor, headers: Record<string, string> = FORM, query = ''): Promise<Answer> {
  return visitor.send(`${PATH}?room=held&to=%2Fsale%3Fa%3D1${query}`, { method: 'POST', headers })
}

const codeIn = ({ text }: Answer) => /<strong dir="ltr">([^<]+)</.exec(text)?.[1] ?? ''

function take(visitor: Visitor, code: string, more: { by?: string; headers?: Record<string, string> } = {}) {
  const body = new URLSearchParams({ code, by: more.by ?? 'A'.repeat(22) }).toString()
  return visitor.send(`${PATH}/take?room=held`, { method: 'POST', headers: { ...FORM, ...more.headers }, body })
}

describe('a place that is taken to another browser', () => {
  it('keeps its sid and its key there, and is counted once', async () => {
    const before = (await figures()).waiting
    const [old, other] = [await inLine(), newVisitor()]
    await expect.poll(async () => (await figures()).waiting, { timeout: 10_000 }).toBe(before + 1)
    const shown = await offer(old)
    expect(shown.status).toBe(200)
    const taken = await take(other, codeIn(shown))
    expect([taken.status, taken.response.headers.get('Location')]).toEqual([303, '/sale?a=1'])
    const { sub, key, transfers } = claimsOf(other.token)
    expect([sub, key, transfers]).toEqual([sidOf(old), claimsOf(old.token).key, 1])
    expect((await other.poll(false)).place.state).toBe('waiting')
    await expect.poll(async () => (await figures()).totals.transferred, { timeout: 10_000 }).toBeGreaterThan(0)
    expect((await figures()).waiting).toBe(before + 1)
  }, 30_000)

  it('is gone from the first browser, which learns it from a poll without a call', async () => {
    const [old, other] = [await inLine(), newVisitor()]
    await take(other, codeIn(await offer(old)))
    const state = async () => {
      const { place, objectCalls } = await old.poll()
      expect(objectCalls || 0).toBe(0)
      return place.state
    }
    await expect.poll(state, { timeout: 10_000, interval: 600 }).toBe('rejected')
    const { text, status } = await old.page('/sale')
    expect(status).toBe(503)
    expect(text).toContain('<h1>Your place is on another device now</h1>')
    expect((await old.data('/sale')).text).toContain('"transferred":true')
    // The browser that has the place now is not concerned, at the same isolate.
    const { token } = old
    old.token = other.token
    expect((await old.poll(false)).place.state).toBe('waiting')
    old.token = token
    const [, action = ''] = /<form method="post" action="([^"]*)"/.exec(text) ?? []
    const anew = action.replaceAll('&#x2F;', '/').replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')
    const { response } = await old.send(anew, { method: 'POST', headers: FORM })
    expect([response.status, response.headers.get('Location'), old.jar.size]).toEqual([303, '/sale', 0])
    await old.page('/sale')
    expect(sidOf(old)).not.toBe(sidOf(other))
    expect((await other.poll(false)).place.state).toBe('waiting')
  }, 30_000)

  it('is refused by its door to a copy of the old ticket, and admitted in the new browser', async () => {
    const [old, other, copy] = [await inLine(), newVisitor(), newVisitor()]
    const { token } = old
    await take(other, codeIn(await offer(old)))
    await roomStub(env, 'held').change({ set: { queue_all: false } }, null, 'test')
    try {
      await expect.poll(async () => (await other.page()).status, { timeout: 20_000, interval: 1_000 }).toBe(200)
      copy.token = token
      const { text, atOrigin } = await copy.page()
      expect(atOrigin).toBeNull()
      expect(text).toContain('Your place is on another device now')
    } finally {
      await roomStub(env, 'held').change({ reset: 'all' }, null, 'test')
    }
  }, 40_000)

  it('replaces the place which that browser had, and that place is counted no more', async () => {
    const before = (await figures()).waiting
    const [old, other] = [await inLine(), await inLine()]
    await expect.poll(async () => (await figures()).waiting, { timeout: 10_000 }).toBe(before + 2)
    await take(other, codeIn(await offer(old)))
    expect(sidOf(other)).toBe(sidOf(old))
    await expect.poll(async () => (await figures()).waiting, { timeout: 10_000 }).toBe(before + 1)
  }, 30_000)
})

describe('a code', () => {
  it('is used up by taking the place, and not by opening its link, as a preview does', async () => {
    const [old, other, third] = [await inLine(), newVisitor(), newVisitor()]
    const code = codeIn(await offer(old))
    for (let times = 0; times < 3; times++) {
      const { text, status, objectCalls } = await third.page(`${PATH}?room=held&code=${code}`)
      expect([status, objectCalls || 0]).toEqual([200, 0])
      expect(text).toContain(`value="${code}"`)
      expect(third.jar.size).toBe(0)
    }
    expect((await take(other, code.toLowerCase().replaceAll('-', ' '))).status).toBe(303)
    const again = await take(third, code, { by: 'B'.repeat(22) })
    expect([again.status, third.jar.size]).toEqual([404, 0])
    expect(again.text).toContain('This code is not valid.')
  }, 30_000)

  it('gives the place once more to the same page, whose answer was lost', async () => {
    const [old, other, same] = [await inLine(), newVisitor(), newVisitor()]
    const code = codeIn(await offer(old))
    await take(other, code)
    expect((await take(same, code)).status).toBe(303)
    expect(sidOf(same)).toBe(sidOf(other))
  }, 30_000)

  it('is refused beyond ten wrong ones of a network, and a right one costs nothing', async () => {
    const edge = newEdge()
    const from = (address: string) => ({ headers: { 'CF-Connecting-IP': address } })
    const guesser = new Visitor('held.test', edge)
    const statuses: number[] = []
    for (let guess = 0; guess < 12; guess++)
      statuses.push((await take(guesser, `XX0-00000-000${10 + guess}`, from('8.8.4.4'))).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 404), 429, 429])
    const old = await inLine()
    const code = codeIn(await offer(old))
    expect((await take(new Visitor('held.test', edge), code, from('8.8.4.8'))).status).toBe(429)
    expect((await take(new Visitor('held.test', edge), code, from('9.9.9.9'))).status).toBe(303)
  }, 30_000)

  it.each(['', 'nonsense', 'ZZ0-01234-VWXYZ', 'EU9999-01234-VWXYZ'])(
    'that names no door, %j, calls none',
    async code => {
      const { status, objectCalls } = await take(newVisitor(), code, { headers: { 'CF-Connecting-IP': '203.0.113.5' } })
      expect([status, objectCalls || 0]).toEqual([404, 0])
    },
  )

  it('is given to no page of another site, and taken by none', async () => {
    const old = await inLine()
    const foreign = { ...FORM, 'Sec-Fetch-Site': 'cross-site' }
    expect((await offer(old, foreign)).status).toBe(403)
    const code = codeIn(await offer(old))
    expect((await take(newVisitor(), code, { headers: foreign })).status).toBe(403)
  }, 30_000)
})

describe('a visitor who asks for a code', () => {
  it('gets it as a part of the page, as a page, or as JSON', async () => {
    const old = await inLine()
    const part = await offer(old, { Accept: '*/*', 'Sec-Fetch-Site': 'same-origin' }, '&part=1')
    expect(part.text).toMatch(/^<h2>Take your place along<\/h2>/)
    expect(part.text).toContain('<svg')
    expect(part.text).not.toContain('<html')
    const page = await offer(old)
    expect(page.text).toMatch(/<meta http-equiv="refresh" content="150; url=&#x2F;sale\?a(=|&#x3D;)1">/)
    const { text } = await offer(old, { Accept: 'application/json' })
    expect(JSON.parse(text)).toEqual({
      room: 'held',
      code: expect.stringMatching(/^XX0-[0-9A-Z]{5}-[0-9A-Z]{5}$/),
      url: expect.stringMatching(/^https:\/\/held\.test\/\.waiting-room\/transfer\?room=held&code=XX0-/),
      expiresInSeconds: 600,
    })
  }, 30_000)

  it('without a place goes back to the page', async () => {
    const { status, response } = await offer(newVisitor())
    expect([status, response.headers.get('Location')]).toEqual([303, '/sale?a=1'])
    expect((await offer(newVisitor(), { Accept: 'application/json' })).status).toBe(409)
  })

  it('gets a few of them at once, and not more', async () => {
    const old = await inLine()
    const statuses: number[] = []
    for (let times = 0; times < 6; times++) statuses.push((await offer(old)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
  }, 30_000)
})
