/** Takes the pictures of the README: the waiting page and the dashboard, before a real crowd. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { runCrowd } from './crowd/crowd.ts'
import { startShop } from './demo/shop.ts'
import { run } from './support/cli.ts'
import { freePort } from './support/ports.ts'
import { newAdminToken, newRoomKeys } from './support/secrets.ts'
import { startServe } from './support/workerd.ts'
import { needProgram } from './testing/programs.ts'

const USAGE = `npm run screenshots

Starts the demo shop behind the room of wrangler.toml, sends it a crowd, and writes docs/figures/waiting-page.png and
docs/figures/dashboard.png. It needs Chromium, and takes a minute and a half.`

const FOLDER = new URL('../docs/figures/', import.meta.url).pathname
const PREFIX = '/.waiting-room'
const HOST = 'shop.example'
const ROOM = 'shop'
const MESSAGE = 'Sizes 40 to 44 are still there. We are open until midnight.'
const CROWD = { visitors: 300, arriveMs: 10_000 }
/** After this time the whole crowd has arrived. */
const JOINED_AFTER_MS = 12_000
/** A newcomer's place is shown after about 7 s. On a busy machine it takes longer. */
const PLACE_WITHIN_MS = 20_000
/** After this time the visitor has moved forward in line, and the charts of the dashboard show something. */
const TAKEN_AFTER_MS = 60_000
const SHOWN_WITHIN_MS = 5_000
const WAITING = { width: 640, height: 590 }
const DASHBOARD = { width: 1_280, height: 880 }
/** At this scale the pictures are sharp on most screens, and their files are small. */
const SCALE = 1.5

await run(USAGE, {}, main)

async function main(): Promise<number> {
  const executablePath = await needProgram('chromium')
  const shop = await startShop()
  const adminToken = newAdminToken()
  const port = await freePort()
  const roomKeys = await newRoomKeys()
  const site = await startServe({ port, origin: shop.url, storage: 'memory', roomKeys, adminToken })
  const crowdEnds = new AbortController()
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}`],
  })
  try {
    await write(`${site.url}${PREFIX}/api/v1/rooms/${ROOM}`, adminToken, { message: MESSAGE })
    const dashboard = await openDashboard(browser, adminToken)
    const crowd = runCrowd({ url: site.url, ...CROWD, signal: crowdEnds.signal })
    await pause(JOINED_AFTER_MS)
    const waiting = await joinLine(browser)
    await pause(TAKEN_AFTER_MS)
    // On a busy machine the shop may be overrun. The pictures would then differ, so the tool fails.
    await dashboard.getByText('A line', { exact: true }).waitFor({ timeout: SHOWN_WITHIN_MS })
    await waiting.screenshot({ path: `${FOLDER}waiting-page.png` })
    await dashboard.screenshot({ path: `${FOLDER}dashboard.png` })
    crowdEnds.abort()
    await crowd
  } finally {
    crowdEnds.abort()
    await browser.close()
    await site.stop()
    await shop.stop()
  }
  return 0
}

async function joinLine(browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: WAITING, deviceScaleFactor: SCALE })
  await page.goto(`http://${HOST}/`)
  await page.locator('#place', { hasText: /\d/ }).waitFor({ timeout: PLACE_WITHIN_MS })
  return page
}

async function openDashboard(browser: Browser, adminToken: string): Promise<Page> {
  const page = await browser.newPage({ viewport: DASHBOARD, deviceScaleFactor: SCALE })
  await page.goto(`http://${HOST}${PREFIX}/admin/`)
  await page.getByLabel('Admin token').fill(adminToken)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: ROOM }).waitFor()
  await page.getByRole('radio', { name: '15 min' }).check({ force: true })
  return page
}

async function write(url: string, adminToken: string, settings: object): Promise<void> {
  const headers = { Authorization: `Bearer ${adminToken}` }
  const response = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify(settings) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
}
