import { afterEach, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const sidOf = (visitor: Visitor) => claimsOf(visitor.token).sub
const waiting = async () => (await roomStub(env, 'held').describe()).figures.waiting
const leave = (visitor: Visitor) => visitor.send('/.waiting-room/leave?room=held', { method: 'POST' })

afterEach(settled)

/** A visitor with a counted place, at an isolate of its own. */
async function inLine(): Promise<Visitor> {
  const visitor = new Visitor('held.test', newEdge())
  await visitor.page()
  expect((await visitor.poll(false)).place.state).toBe('waiting')
  return visitor
}

describe('a visitor who leaves the line', () => {
  it('has no more place at that isolate, and is no longer counted', async () => {
    const before = await waiting()
    const [visitor, other] = [await inLine(), await inLine()]
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 2)
    const { token } = visitor
    expect((await leave(visitor)).status).toBe(204)
    expect(visitor.jar.size).toBe(0)
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 1)
    visitor.token = token
    expect((await visitor.poll()).place.state).toBe('none')
    await visitor.page()
    expect(claimsOf(visitor.token).sub).not.toBe(claimsOf(token).sub)
    expect((await other.poll()).place.state).toBe('waiting')
  }, 30_000)

  it('by the form of the page gets a page that leads back, and no place until the visitor follows it', async () => {
    const before = await waiting()
    const visitor = await inLine()
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 1)
    const { text: inLinePage, response: shown } = await visitor.page('/sale?a=1')
    const [, action = ''] = /<form method="post" action="([^"]*)"/.exec(inLinePage) ?? []
    expect(action.replaceAll('&#x2F;', '/').replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')).toBe(
      '/.waiting-room/leave?room=held&to=%2Fsale%3Fa%3D1',
    )
    expect(shown.headers.get('Content-Security-Policy')).toContain("form-action 'self'")
    const { sub: sid } = claimsOf(visitor.token)
    expect(inLinePage).toContain(`Place ID: ${sid}`)
    const headers = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin' }
    const path = '/.waiting-room/leave?room=held&to=%2Fsale%3Fa%3D1'
    const { text, response, status } = await visitor.send(path, { method: 'POST', headers })
    expect([status, response.headers.get('Cache-Control'), visitor.jar.size]).toEqual([200, 'no-store', 0])
    expect(text).toMatch(/<h1>You have left the line<\/h1>.*href="&#x2F;sale\?a(=|&#x3D;)1"/s)
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before)
  }, 30_000)

  it('is no longer counted, even when the ticket is older than the count', async () => {
    const before = await waiting()
    const visitor = new Visitor('held.test', newEdge())
    await visitor.page()
    const { token } = visitor
    await visitor.poll(false)
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 1)
    visitor.token = token
    await leave(visitor)
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before)
  }, 30_000)

  it('shortens the line once, however often and at however many isolates the request arrives', async () => {
    const before = await waiting()
    const visitor = await inLine()
    await inLine()
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 2)
    const { token } = visitor
    for (const at of [visitor, visitor, new Visitor('held.test', newEdge())]) {
      at.token = token
      expect((await leave(at)).status).toBe(204)
      await settled()
    }
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 1)
    // A newcomer's count arrives after everything that was reported before.
    await inLine()
    await expect.poll(waiting, { timeout: 10_000 }).toBe(before + 2)
  }, 30_000)

  it('is a newcomer at every other isolate, once the ticket is called', async () => {
    const [visitor, stays] = [await inLine(), await inLine()]
    const { token } = visitor
    const sid = sidOf(visitor)
    await leave(visitor)
    const elsewhere = new Visitor('held.test', newEdge())
    elsewhere.token = token
    await roomStub(env, 'held').change({ set: { queue_all: false } }, null, 'test')
    await expect.poll(async () => (await stays.page()).status, { timeout: 20_000, interval: 1_000 }).toBe(200)
    await elsewhere.page()
    expect(sidOf(elsewhere)).not.toBe(sid)
    await roomStub(env, 'held').change({ reset: 'all' }, null, 'test')
  }, 60_000)
})
