/**
 * Live updates of the dashboard: two operators in real Chromium, before rooms in plain workerd.
 * @module-tag chromium
 */
import { type Browser, chromium, type Page, type WebSocket } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../support/node/programs.ts'
import { type Local, serveLocally, startRooms } from './served-site.ts'

/** The timeout for updates that come by themselves. A busy machine is slow. */
const SOON = { timeout: 10_000 }

let origin: Local
let site: Awaited<ReturnType<typeof startRooms>>
let browser: Browser
const pages: Page[] = []

beforeAll(async () => {
  origin = await serveLocally((_request, _body, response) => response.end())
  site = await startRooms({ tea: {}, cake: {} }, origin.port)
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close()
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await origin?.stop()
})

/** Logs in, and returns what the page asks for and what its sockets receive. */
async function watch(prepare: (page: Page) => Promise<void> = async () => {}) {
  const page = await (await browser.newContext()).newPage()
  pages.push(page)
  await prepare(page)
  const seen = { reads: 0, hints: 0, sockets: [] as WebSocket[] }
  page.on('request', request => {
    if (request.method() === 'GET' && request.url().includes('/api/v1/rooms')) seen.reads++
  })
  page.on('websocket', socket => {
    seen.sockets.push(socket)
    socket.on('framereceived', ({ payload }) => void (payload === 'news' && seen.hints++))
  })
  await page.goto(`${site.url}/.waiting-room/admin/#room/tea`)
  await page.getByLabel('Admin token').fill(site.adminToken)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'tea' }).waitFor()
  return { page, seen }
}

const message = (page: Page) => page.getByLabel('Message to everyone in line')

async function setMessage(page: Page, text: string): Promise<void> {
  await message(page).fill(text)
  await page.getByRole('button', { name: 'Apply the message' }).click()
}

function show(page: Page, isShown: boolean): Promise<void> {
  return page.evaluate(isHidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden })
    document.dispatchEvent(new Event('visibilitychange'))
  }, !isShown)
}

const openSockets = ({ sockets }: { sockets: WebSocket[] }) => sockets.filter(socket => !socket.isClosed()).length

describe('the dashboard with a WebSocket', () => {
  it("shows another operator's change at a hint, in both directions", async () => {
    const [ana, bo] = [await watch(), await watch()]
    await expect.poll(() => openSockets(ana.seen) + openSockets(bo.seen), SOON).toBe(2)
    await setMessage(ana.page, 'Two loaves a person.')
    await expect.poll(() => message(bo.page).inputValue(), SOON).toBe('Two loaves a person.')
    expect(bo.seen.hints).toBeGreaterThan(0)
    await setMessage(bo.page, 'One loaf a person.')
    await expect.poll(() => message(ana.page).inputValue(), SOON).toBe('One loaf a person.')
    expect(ana.seen.hints).toBeGreaterThan(0)
  })

  it('reads a quiet room a few times in a minute, and still counts as live', async () => {
    const { page, seen } = await watch(page => page.clock.install())
    await expect.poll(() => openSockets(seen), SOON).toBe(1)
    await page.clock.runFor(1_000)
    const before = seen.reads
    for (let second = 0; second < 60; second++) {
      await page.clock.runFor(1_000)
      await page.waitForTimeout(20)
    }
    expect(seen.reads - before).toBeLessThanOrEqual(10)
    expect(await page.locator('#updated').innerText()).toBe('Live')
  })

  it('has none in a hidden tab, and a new one when the tab is shown', async () => {
    const { page, seen } = await watch()
    await expect.poll(() => openSockets(seen), SOON).toBe(1)
    await show(page, false)
    await expect.poll(() => openSockets(seen), SOON).toBe(0)
    await show(page, true)
    await expect.poll(() => openSockets(seen), SOON).toBe(1)
  })

  it('moves to the room that is shown', async () => {
    const { page, seen } = await watch()
    await expect.poll(() => openSockets(seen), SOON).toBe(1)
    await page.goto(`${site.url}/.waiting-room/admin/#room/cake`)
    await page.getByRole('heading', { name: 'cake' }).waitFor()
    const urls = () => seen.sockets.filter(socket => !socket.isClosed()).map(socket => new URL(socket.url()).pathname)
    await expect.poll(urls, SOON).toEqual(['/.waiting-room/api/v1/rooms/cake/live'])
  })

  it('polls where no WebSocket can be opened', async () => {
    const ana = await watch()
    const bo = await watch(page => page.routeWebSocket(/live$/, socket => socket.close()))
    await expect.poll(() => bo.seen.reads, SOON).toBeGreaterThan(2)
    await setMessage(ana.page, 'No loaves today.')
    await expect.poll(() => message(bo.page).inputValue(), SOON).toBe('No loaves today.')
    expect(bo.seen.hints).toBe(0)
  })
})
