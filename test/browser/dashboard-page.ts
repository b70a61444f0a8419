/** A dashboard for tests: real Chromium, and an admin API that refuses the way the Worker's does. */
import { readFileSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startFakeAdmin, TOKEN } from './fake-admin-api.ts'

const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic']
const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
export const SHOP = { name: 'shop', host: 'shop.example', total_active_users: 1_000, new_users_per_minute: 120 }
export const TICKETS = {
  name: 'tickets',
  host: 'shop.example',
  path: '/tickets',
  total_active_users: 200,
  new_users_per_minute: 60,
}
export const ORIGIN = {
  name: 'origin',
  critical: true,
  back: null,
  sinceMs: null,
  untilMs: null,
  samples: 40,
  p50Ms: 76,
  p95Ms: 304,
  apdex: 1,
  failures: 0,
}
export const DONE = 'Done. In force everywhere within two seconds.'

let browser: Browser
export let fake: Awaited<ReturnType<typeof startFakeAdmin>>
export let page: Page

/** Gives every test of the file a new browser context, and an admin API of its own with two rooms. */
export function useDashboard(): void {
  vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox', ...QUIET] })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    fake = await startFakeAdmin([
      { settings: SHOP, inside: 612, waiting: 1_204, arrivalsPerMinute: 600, cameLastMinute: 60 },
      { settings: { ...TICKETS, queue_all: true }, inside: 80, waiting: 340 },
    ])
  })
  afterEach(async () => {
    await page.context().close()
    await fake.stop()
  })
}

/** Replaces the admin API that a test begins with. */
export async function replaceRooms(rooms: Parameters<typeof startFakeAdmin>[0]): Promise<void> {
  await fake.stop()
  fake = await startFakeAdmin(rooms)
}

export async function visit(options: BrowserContextOptions = {}): Promise<void> {
  page = await (await browser.newContext(options)).newPage()
  page.setDefaultTimeout(5_000)
  // The page has many files. On a busy machine they take their time.
  await page.goto(fake.url, { timeout: 20_000 })
}

export async function logIn(options: BrowserContextOptions = {}, room = 'shop'): Promise<void> {
  await visit(options)
  await page.getByLabel('Admin token').fill(TOKEN)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: room }).waitFor()
}

/** Opens a part of the room, and waits until it takes the place of the part before. */
export async function openPart(name: string): Promise<void> {
  await page.getByRole('link', { name, exact: true }).click()
  await page.locator(`#part-${name.toLowerCase()}`).waitFor()
}

export const text = (id: string) => page.locator(`#${id}`).innerText()
export const rate = () => page.getByLabel('New visitors a minute')
export const hold = () => page.getByRole('switch', { name: 'Hold the line' })
export const undo = (name: string) => page.getByRole('button', { name: `Back to the file ${name}` })
/** For values that come with the next read: within a second, or later on a slow machine. */
export const READ = { timeout: 5_000 }
export const changes = () => fake.asked.filter(({ method }) => method !== 'GET')

export async function violations(): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    // @ts-expect-error axe is a global of the page
    const { violations } = await axe.run()
    return violations.map(
      (one: { id: string; nodes: { target: string[] }[] }) => `${one.id}: ${one.nodes.map(node => node.target)}`,
    )
  })
}
