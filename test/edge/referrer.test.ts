/** The page from which a visitor came, over the wait. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const FROM = 'https://news.example/story'
const HEADER = 'waiting-room-referrer'
const room = () => roomStub(env, 'referred')
const newcomer = () => new Visitor('referred.test', newEdge())

async function comeFrom(referer: string, visitor = newcomer()): Promise<string | undefined> {
  await visitor.page('/sale?id=7', { headers: { Referer: referer } })
  return claimsOf(visitor.token).ref as string | undefined
}

afterEach(settled)
afterAll(async () => {
  await room().change({ reset: 'all' }, null, 'test')
})

describe('the ticket of a newcomer', () => {
  it.each<[string, string | undefined]>([
    [`${FROM}?utm_source=mail#top`, FROM],
    [`https://user:secret@news.example/story`, FROM],
    [`https://news.example/${'a'.repeat(300)}`, 'https://news.example/'],
    [`https://${`${'a'.repeat(60)}.`.repeat(4)}example/`, undefined],
    ['https://referred.test/other', undefined],
    ['android-app://com.example/', undefined],
    ['no address', undefined],
  ])('has origin and path of a page of another site (%#)', async (referer, kept) => {
    expect(await comeFrom(referer)).toBe(kept)
  })

  it('has no referrer for a request of a program', async () => {
    const visitor = newcomer()
    await visitor.data('/', { headers: { Referer: FROM } })
    expect(claimsOf(visitor.token).ref).toBeUndefined()
  })

  it('has no referrer in a room that drops it', async () => {
    await room().change({ set: { referrer: 'drop' } }, null, 'test')
    await expect.poll(() => comeFrom(FROM), { timeout: 10_000 }).toBeUndefined()
    await room().change({ reset: ['referrer'] }, null, 'test')
    await expect.poll(() => comeFrom(FROM), { timeout: 10_000 }).toBe(FROM)
  })
})

it('the origin gets the referrer on the first request of a session, and on no other', async () => {
  const [byPage, byPoll] = [newcomer(), newcomer()]
  await comeFrom(FROM, byPage)
  await comeFrom(FROM, byPoll)
  // A later page of the visitor changes nothing.
  await byPage.page('/sale', { headers: { Referer: 'https://referred.test/sale?id=7' } })
  await room().change({ set: { queue_all: false } }, null, 'test')
  await expect
    .poll(async () => (await byPoll.poll()).place.state, { timeout: 20_000, interval: 3_000 })
    .toBe('admitted')
  expect(claimsOf(byPoll.token).ref).toBe(FROM)
  for (const visitor of [byPage, byPoll]) {
    const first = await visitor.page('/sale?id=7')
    expect([first.status, first.atOrigin?.headers[HEADER]]).toEqual([200, FROM])
    expect(claimsOf(visitor.token).ref).toBeUndefined()
    const second = await visitor.page('/sale?id=8', { headers: { 'Waiting-Room-Referrer': 'https://forged.example/' } })
    expect([second.status, second.atOrigin?.headers[HEADER]]).toEqual([200, undefined])
  }
})
