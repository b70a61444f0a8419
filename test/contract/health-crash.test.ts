import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../../tools/support/children.ts'
import { freePort } from '../../tools/support/ports.ts'
import { pause, Visitor } from '../support/node/browser-like.ts'
import { type Site, startSite } from '../support/node/served.ts'

const ROOM = 'crash'
const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', Host: `${ROOM}.test` }
/** How many sessions are there when the origin dies, and how many of them stay. */
const INSIDE = 60
const STAYING = 15
/** A server that answers every path, and prints a line when it is ready. */
const ORIGIN = `require('node:http').createServer((_, answer) => answer.end('served'))
  .listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'))`

let port: number
let origin: Child
let site: Site

beforeAll(async () => {
  port = await freePort()
  origin = await startOrigin()
  const room = {
    name: ROOM,
    host: `${ROOM}.test`,
    total_active_users: 1_000,
    new_users_per_minute: 60_000,
    session_duration: 2,
    // The shortest way through an outage. A slow machine is no slow origin.
    health: { target_ms: 5_000, open: 0.05, bad_windows: 1, good_windows: 1 },
  }
  site = await startSite({ origin: `http://127.0.0.1:${port}`, rooms: [room], isolates: 2 })
})

afterAll(async () => {
  await site.stop()
  await origin.stop()
})

async function startOrigin(): Promise<Child> {
  const child = startChild(process.execPath, ['-e', ORIGIN, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise(resolve => child.process.stdout?.once('data', resolve))
  return child
}

async function ask(visitor: Visitor): Promise<string> {
  const answer = await visitor.get('/', PAGE).catch(() => null)
  return answer?.text ?? ''
}

async function areServed(visitors: readonly Visitor[]): Promise<boolean> {
  return (await Promise.all(visitors.map(ask))).every(text => text === 'served')
}

/** Repeats the check each 500 ms until it holds. */
async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await pause(500)
}

describe('a room whose origin is killed and started again, while most visitors leave', () => {
  it('stops its line, moves it again, and keeps the sessions that stay and the limits', async () => {
    const visitors = Array.from({ length: INSIDE }, () => new Visitor(site.url, ROOM))
    await until(() => areServed(visitors))
    const staying = visitors.slice(0, STAYING)
    const sids = staying.map(({ claims }) => claims.sub)
    const health = async () => (await site.describe(ROOM)).figures.health as unknown as Record<string, unknown>
    // One window passes in which the origin is well.
    for (let half = 0; half < 12; half++) {
      await areServed(staying)
      await pause(500)
    }
    origin.process.kill('SIGKILL')
    await until(async () => {
      await areServed(staying)
      return (await health()).state === 'down'
    })
    const newcomer = new Visitor(site.url, ROOM)
    await until(async () => (await ask(newcomer)).includes('nobody is being let in'))

    origin = await startOrigin()
    await until(() => areServed([newcomer, ...staying]))
    await until(() => areServed([new Visitor(site.url, ROOM)]))
    expect(staying.map(({ claims }) => claims.sub)).toEqual(sids)
    // Its answers were quick until it died, so visitors have not overrun it.
    expect(await health()).toMatchObject({ ceiling: null, totalActiveUsers: 1_000 })
  })
})
