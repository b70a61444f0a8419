import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../../tools/support/children.ts'
import { freePort } from '../../tools/support/ports.ts'
import { type Answer, pause, Visitor } from '../support/node/browser-like.ts'
import { type Site, startSite } from '../support/node/served.ts'

const ROOM = 'crash'
const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', Host: `${ROOM}.test` }
/** Sessions that are there when the origin dies, and those of them that stay. */
const INSIDE = 60
const STAYING = 15
const DOWN_MS = 14_000
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
    // The pause of 6 s ends when the origin is back. A slow machine is no slow origin.
    health: { target_ms: 5_000, open: 0.1 },
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

async function ask(visitor: Visitor): Promise<Answer> {
  return visitor.get('/', PAGE).catch(() => ({ status: 0, headers: {}, text: '' }))
}

async function isServed(visitor: Visitor): Promise<boolean> {
  return (await ask(visitor)).text === 'served'
}

/** Repeats the check each 500 ms until it holds, at most for `withinMs`. Returns whether it held. */
async function holds(withinMs: number, check: () => Promise<boolean>): Promise<boolean> {
  const untilMs = performance.now() + withinMs
  while (!(await check())) {
    if (performance.now() > untilMs) return false
    await pause(500)
  }
  return true
}

describe('a room whose origin is killed for 14 s, while most visitors leave', () => {
  it('stops its line, moves it again within 30 s, and keeps the sessions that stay', async () => {
    const visitors = Array.from({ length: INSIDE }, () => new Visitor(site.url, ROOM))
    expect(await holds(20_000, async () => (await Promise.all(visitors.map(isServed))).every(Boolean))).toBe(true)
    const staying = visitors.slice(0, STAYING)
    const sids = staying.map(({ claims }) => claims.sub)
    let goesOn = true
    const asking = staying.map(async visitor => {
      for (await pause(1_000); goesOn; await pause(500)) await ask(visitor)
    })
    await pause(6_000)

    origin.process.kill('SIGKILL')
    const killedMs = performance.now()
    let newcomer = new Visitor(site.url, ROOM)
    const isHeld = async () => {
      newcomer = new Visitor(site.url, ROOM)
      return (await ask(newcomer)).text.includes('nobody is being let in')
    }
    expect(await holds(DOWN_MS, isHeld), 'the line stands').toBe(true)
    await pause(DOWN_MS - (performance.now() - killedMs))
    origin = await startOrigin()

    expect(await holds(30_000, () => isServed(newcomer)), 'the line moves').toBe(true)
    const last = new Visitor(site.url, ROOM)
    expect(await holds(10_000, () => isServed(last)), 'it goes on moving').toBe(true)
    goesOn = false
    await Promise.all(asking)
    const areServed = async () => (await Promise.all(staying.map(isServed))).every(Boolean)
    expect(await holds(75_000, areServed), 'all who stayed go on').toBe(true)
    expect(staying.map(({ claims }) => claims.sub)).toEqual(sids)
  }, 180_000)
})
