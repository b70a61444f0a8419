/** Plays a scenario once against real processes: a shop that collapses, the built Worker in workerd, and a crowd. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { recordCrowd } from '../crowd/crowd.ts'
import { Film } from '../crowd/film.ts'
import type { ShopStats } from '../demo/shop.ts'
import { startChild } from '../support/children.ts'
import { freePort } from '../support/ports.ts'
import { newAdminToken, newRoomKeys } from '../support/secrets.ts'
import { startServe } from '../support/workerd.ts'
import { type Column, columnOf, type Sample } from './column.ts'
import type { Act, Scenario } from './scenario.ts'

const SHOP = fileURLToPath(new URL('../demo/shop.ts', import.meta.url))
const STARTS_WITHIN_MS = 10_000
const ISOLATES = 2
/** After this time an operator's change is in force everywhere. */
const IN_FORCE_MS = 2_000
const PAGE_BYTES = 4_096

interface Performance {
  readonly column: Column
  /** A chart of the run, as SVG. */
  readonly svg: string
}

export async function play(scenario: Scenario, hasRoom: boolean, tell: (words: string) => void): Promise<Performance> {
  const shop = await startShopProcess(scenario.capacity)
  const adminToken = newAdminToken()
  const site = await startServe({
    port: await freePort(),
    origin: shop.url,
    rooms: scenario.rooms.map(room => inForce(room, hasRoom)),
    storage: 'memory',
    isolates: ISOLATES,
    roomKeys: await newRoomKeys(),
    adminToken,
    variables: { TRUSTED_IP_HEADER: 'X-Crowd-Address', DEBUG: hasRoom ? 'header' : '' },
  })
  const film = new Film()
  let spoiledAtClosing: number | null = null
  const closes = scenario.acts.find(act => act.turns)
  const noting =
    closes &&
    setTimeout(
      () => {
        statsOf(shop.url).then(({ spoiled }) => {
          spoiledAtClosing = spoiled
        }, tell)
      },
      closes.atSeconds * 1_000 + IN_FORCE_MS,
    )
  const timers = scenario.acts.map(act =>
    setTimeout(() => {
      if (act.turns && !hasRoom) return
      tell(`${act.atSeconds} s: ${act.words}`)
      perform(act, shop.url, site.url, adminToken).catch(error => tell(`${act.words}: ${String(error)}`))
    }, act.atSeconds * 1_000),
  )
  const memory: Sample[] = []
  try {
    const { record, leaked, endedMs } = await recordCrowd({
      ...scenario.crowd,
      url: site.url,
      durationMs: scenario.seconds * 1_000,
      watch: (tally, nowMs) => {
        film.watch(tally, nowMs)
        const bytes = memoryOf(site.process)
        if (bytes !== null) memory.push({ atMs: nowMs, value: bytes })
      },
    })
    const origin = await statsOf(shop.url)
    const objects = scenario.rooms.reduce((sum, room) => sum + 1 + Number(room.doors ?? 1), 0)
    const column = columnOf({ record, origin, leaked, endedMs, hasRoom, objects, memory, spoiledAtClosing }, scenario)
    return { column, svg: film.draw() }
  } finally {
    for (const timer of [noting, ...timers]) clearTimeout(timer)
    await site.stop()
    await shop.stop()
  }
}

async function statsOf(shopUrl: string): Promise<ShopStats> {
  return (await (await fetch(`${shopUrl}/stats`)).json()) as ShopStats
}

/** Returns the resident memory of a process in bytes on Linux, and null on other systems. */
function memoryOf({ pid }: ChildProcess): number | null {
  const file = `/proc/${pid}/statm`
  if (!existsSync(file)) return null
  return Number(readFileSync(file, 'utf8').split(' ')[1]) * PAGE_BYTES
}

/** In the run without a room each room is suspended. It is then only a proxy, and its settings have no effect. */
function inForce(room: Scenario['rooms'][number], hasRoom: boolean): object {
  if (hasRoom) return room
  const { name, host, path, total_active_users, new_users_per_minute } = room
  const route = path === undefined ? { host } : { host, path }
  return { name, ...route, total_active_users, new_users_per_minute, suspended: true }
}

async function perform(act: Act, shopUrl: string, siteUrl: string, adminToken: string): Promise<void> {
  if (act.breaks) await send(`${shopUrl}/stats/faults`, { method: 'POST', body: JSON.stringify(act.breaks) })
  if (act.turns) {
    const { room, settings } = act.turns
    await send(`${siteUrl}/.waiting-room/api/v1/rooms/${room}`, {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify(settings),
    })
  }
}

async function send(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
}

/** The shop runs in its own process, so that neither the crowd nor the Worker takes time from it. */
async function startShopProcess(capacity: number): Promise<{ url: string; stop(): Promise<void> }> {
  const args = [SHOP, '--port', '0', '--capacity', `${capacity}`]
  const { process: child, stop } = startChild(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    return { url: await addressOf(child), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the shop did not start')), STARTS_WITHIN_MS)
    let words = ''
    child.stdout?.on('data', chunk => {
      words = `${words}${chunk}`.slice(0, 4_000)
      const url = /shop at (\S+),/.exec(words)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
    child.once('exit', code => reject(new Error(`the shop ended with code ${code}`)))
  })
}
