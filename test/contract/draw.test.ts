/** A scheduled event from beginning to end in real time. The visitors' own tool verifies its draw. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChild } from '../../tools/support/children.ts'
import { pause, Visitor } from '../support/node/browser-like.ts'
import { type Origin, type Site, startOrigin, startSite } from '../support/node/served.ts'

const PEOPLE = 40
let origin: Origin
let site: Site
let isOver = false

beforeAll(async () => {
  origin = await startOrigin((_, response) => response.end('welcome'))
  const limits = { total_active_users: 1_000, new_users_per_minute: 3_000 }
  site = await startSite({ origin: origin.url, rooms: [{ name: 'shop', host: '*', ...limits }] })
})
afterAll(async () => {
  isOver = true
  await site?.stop()
  await origin?.stop()
})

async function verify(...args: string[]) {
  const line = ['tools/verify-draw.ts', '--url', site.url, '--event', 'sale', ...args]
  const { process: tool } = startChild(process.execPath, line, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [tool.stdout, tool.stderr]) stream?.on('data', data => (text += data))
  const code = await new Promise<number | null>(resolve => tool.on('close', resolve))
  return { code, text }
}

test('an event has a prequeue, a start, an order and a proof', async () => {
  const startMs = Date.now() + 15_000
  const times = {
    prequeue_start_time: new Date(startMs - 300_000).toISOString(),
    event_start_time: new Date(startMs).toISOString(),
    event_end_time: new Date(startMs + 600_000).toISOString(),
  }
  await site.change('shop', { events: [{ name: 'sale', shuffle_at_event_start: true, ...times }] })
  await pause(2_000)
  const admitted: { sid: string; key: number }[] = []
  const visit = async (visitor: Visitor) => {
    while (!isOver) {
      const { sub, key } = visitor.claims
      const place = await visitor.poll()
      if (place?.state === 'admitted') {
        expect(Date.now()).toBeGreaterThan(startMs)
        return admitted.push({ sid: String(sub), key: Number(key) })
      }
      await pause(1_000 * (place?.pollAfterSeconds ?? 1))
    }
  }
  const visitors = Array.from({ length: PEOPLE }, () => new Visitor(site.url, 'shop'))
  const pages = await Promise.all(visitors.map(visitor => visitor.get()))
  expect(pages.filter(({ text }) => !text.includes('Starts in'))).toEqual([])
  const all = Promise.all(visitors.map(visit))
  // A test that has failed does not wait for its crowd.
  all.catch(() => undefined)
  const [{ sub } = {}] = visitors.map(({ claims }) => claims)
  const early = await verify('--sid', String(sub))
  expect(early).toMatchObject({ code: 1, text: expect.stringContaining('the draw is committed') })
  const commitment = /sha256:\w{64}/.exec(early.text)?.[0] ?? ''
  await all

  expect(admitted).toHaveLength(PEOPLE)
  const inOrder = admitted.toSorted((a, b) => a.key - b.key)
  await pause(Math.max(0, startMs + 11_000 - Date.now()))
  for (const { sid, key } of [inOrder[0], inOrder.at(-1)] as typeof inOrder) {
    const proof = await verify('--sid', sid, '--commitment', commitment)
    expect(proof).toMatchObject({ code: 0, text: expect.stringContaining(`${sid} drew key ${key}:`) })
  }
  const forged = await verify('--sid', String(sub), '--commitment', `sha256:${'0'.repeat(64)}`)
  expect(forged).toMatchObject({ code: 1, text: expect.stringContaining('this is another draw') })
})
