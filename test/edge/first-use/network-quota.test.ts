import { afterAll, describe, expect, it, vi } from 'vitest'
import { claimsOf, newEdge, send, settled, Visitor } from '../../support/workerd/visitor.ts'

afterAll(settled)

/** Visitors of one network at one isolate, in a room that queues everyone. */
function crowd(people: number, address: (i: number) => string, edge = newEdge(), host = 'office.test') {
  return Array.from({ length: people }, (_, i) => {
    const visitor = new Visitor(host, edge)
    return {
      visitor,
      page: () => visitor.page('/', { headers: { 'CF-Connecting-IP': address(i) } }),
    }
  })
}

async function confirmed(people: ReturnType<typeof crowd>): Promise<number> {
  for (const { page } of people) await page()
  let count = 0
  for (const { visitor, page } of people) {
    await page()
    if (claimsOf(visitor.token).cnf === true) count++
  }
  return count
}

describe('the anonymous policy', () => {
  it('lets an office of five hundred behind one address get in line', async () => {
    expect(await confirmed(crowd(500, () => '81.2.69.7'))).toBe(500)
  }, 60_000)

  it('slows a script with thousands of tickets, and refuses no visitor', async () => {
    const edge = newEdge()
    const people = crowd(1_500, i => `81.2.70.${i % 250}`, edge)
    expect(await confirmed(people)).toBeLessThan(1_100)
    const last = await people.at(-1)?.page()
    expect(last?.status).toBe(503)
    expect(Number(last?.response.headers.get('Retry-After'))).toBeGreaterThan(1)
    // The script does not delay a visitor of another network.
    expect(await confirmed(crowd(3, () => '92.40.1.1', edge))).toBe(3)
  }, 60_000)

  it('counts the networks of one /48 together, with four times the quota of one', async () => {
    // The first visitor comes before the room knows that it is held.
    await vi.waitFor(async () => {
      const [first] = crowd(1, () => '92.40.2.1', newEdge(), 'sites.test')
      expect((await first?.page())?.status).toBe(503)
    }, 10_000)
    const edge = newEdge()
    const of48 = (people: number, site: string, at: typeof edge) =>
      crowd(people, i => `2a01:4f8:${site}:${i.toString(16)}::1`, at, 'sites.test')
    expect(await confirmed(crowd(5, () => '2a01:4f8:1:1::1', newEdge(), 'sites.test'))).toBe(2)
    expect(await confirmed(of48(20, '1', edge))).toBe(8)
    expect(await confirmed(of48(3, '2', edge))).toBe(3)
  }, 60_000)

  it('costs no object call', async () => {
    const edge = newEdge()
    const headers = { Accept: 'text/html', 'CF-Connecting-IP': '81.2.71.1' }
    const answers = [await send(edge, new Request('https://office.test/', { headers }))]
    for (let i = 0; i < 5; i++) answers.push(await send(edge, new Request('https://office.test/', { headers })))
    expect(answers.reduce((sum, { objectCalls }) => sum + objectCalls, 0)).toBe(0)
  })
})
