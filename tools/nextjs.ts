/**
 * A real app of Next.js behind a room, in Chromium: its soft navigations, its data and its form, while the room is open,
 * held and full, and when the session ends in the middle.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { appFiles } from './nextjs/app.ts'
import { type Child, startChild } from './support/children.ts'
import { type Given, run } from './support/cli.ts'
import { freePort } from './support/ports.ts'
import { newAdminToken, newRoomKeys } from './support/secrets.ts'
import { type Served, startServe } from './support/workerd.ts'
import { needProgram } from './testing/programs.ts'

const USAGE = `node tools/nextjs.ts [--next VERSION]

Installs Next.js into a scratch folder, builds a small app with the script for sites and without it, and walks through it
behind a room. Prints what happened at each step. Takes about four minutes, and needs the registry of npm.`

const FLAGS = { next: { value: 'VERSION', help: 'the version of Next.js', default: '16.4.6' } }

const READY_WITHIN_MS = 60_000
/** A change is in force at every edge within two seconds. */
const IN_FORCE_MS = 2_500
const ROOM = 'app'

await run(USAGE, FLAGS, main)

interface Step {
  readonly app: string
  readonly what: string
  readonly isRight: boolean
}

async function main(given: Given): Promise<number> {
  const command = await needProgram('chromium')
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-nextjs-'))
  const steps: Step[] = []
  let browser: Browser | undefined
  try {
    writeFiles(scratch, appFiles(ROOM))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `next@${given.next}`, 'react', 'react-dom'], {
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    browser = await chromium.launch({ executablePath: command, args: ['--no-sandbox', '--disable-quic'] })
    for (const room of [ROOM, null]) {
      writeFiles(scratch, appFiles(room))
      await behindRoom(scratch, (url, set) => walk(browser as Browser, { url, hasScript: room !== null, set, steps }))
    }
  } finally {
    await browser?.close()
    rmSync(scratch, { recursive: true, force: true })
  }
  console.log('| app | step | |\n|---|---|---|')
  for (const { app, what, isRight } of steps) console.log(`| ${app} | ${what} | ${isRight ? 'yes' : 'NO'} |`)
  return steps.every(({ isRight }) => isRight) ? 0 : 1
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

type Set = (settings: object) => Promise<void>

/** Builds and starts the app, and a room in front of it. */
async function behindRoom(folder: string, visit: (url: string, set: Set) => Promise<void>): Promise<void> {
  const next = join(folder, 'node_modules/next/dist/bin/next')
  const options = { cwd: folder, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } }
  execFileSync(process.execPath, [next, 'build'], { ...options, stdio: 'ignore' })
  const [origin, port, adminToken] = [await freePort(), await freePort(), newAdminToken()]
  let app: Child | undefined
  let served: Served | undefined
  try {
    const args = [next, 'start', '-p', String(origin), '-H', '127.0.0.1']
    app = startChild(process.execPath, args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
    await untilAnswering(`http://127.0.0.1:${origin}/`)
    served = await startServe({
      port,
      origin: `http://127.0.0.1:${origin}`,
      rooms: [{ name: ROOM, host: '*', total_active_users: 1_000, new_users_per_minute: 600 }],
      storage: 'memory',
      roomKeys: await newRoomKeys(),
      adminToken,
    })
    const { url } = served
    await visit(url, async settings => {
      const answer = await fetch(`${url}/.waiting-room/api/v1/rooms/${ROOM}`, {
        method: 'PATCH',
        headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(settings),
      })
      if (!answer.ok) throw new Error(await answer.text())
      await new Promise(resolve => setTimeout(resolve, IN_FORCE_MS))
    })
  } finally {
    await Promise.all([served?.stop(), app?.stop()])
  }
}

async function untilAnswering(url: string): Promise<void> {
  const endMs = Date.now() + READY_WITHIN_MS
  while (
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > endMs) throw new Error(`nothing answers on ${url}`)
    await new Promise(resolve => setTimeout(resolve, 250))
  }
}

interface Walk {
  readonly url: string
  readonly hasScript: boolean
  readonly set: Set
  readonly steps: Step[]
}

async function walk(browser: Browser, { url, hasScript, set, steps }: Walk): Promise<void> {
  const page = await browser.newPage()
  page.setDefaultTimeout(40_000)
  const note = (what: string, isRight: boolean) =>
    steps.push({ app: hasScript ? 'with the script' : 'without the script', what, isRight })
  const shows = (name: string) => page.getByRole('heading', { name }).waitFor()
  const link = () => page.getByRole('link', { name: 'Cart' }).click()
  await page.goto(url, { waitUntil: 'networkidle' })
  await page.evaluate(() => Object.assign(globalThis, { isFirst: true }))
  const isFirst = () => page.evaluate(() => Reflect.get(globalThis, 'isFirst') === true)

  await link()
  await shows('Cart')
  note('open: a link changes the page without a load', await isFirst())
  await set({ queue_all: true })
  await page.getByRole('button', { name: 'Load' }).click()
  await page.getByText('{"items":7}').waitFor()
  await page.goBack()
  await shows('Home')
  await set({ total_active_users: 1 })
  await link()
  await shows('Cart')
  note('held and full: data and links of a visitor inside work', await isFirst())
  await set({ total_active_users: 1_000 })
  await page.getByLabel('Note').fill('typed')
  await leave(page)
  await page.getByRole('button', { name: 'Send' }).click()
  await page.locator('#sent').getByText('503').waitFor()
  note(
    'held, session over: what was typed stays after a POST',
    (await page.getByLabel('Note').inputValue()) === 'typed',
  )
  if (hasScript) {
    await page.frameLocator('iframe').getByRole('heading', { name: 'You are in line' }).waitFor()
    await set({ queue_all: false })
    await page.locator('iframe').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('#sent').getByText('200').waitFor()
    note('open again: the dialog goes away, and the POST is sent', await isFirst())
  } else await set({ queue_all: false })

  await page.goto(url, { waitUntil: 'networkidle' })
  await shows('Home')
  await set({ queue_all: true })
  await leave(page)
  await link()
  const line = hasScript ? page.frameLocator('iframe') : page
  await line.getByRole('heading', { name: 'You are in line' }).waitFor()
  note(`held, session over: a link shows the line ${hasScript ? 'in a dialog' : 'as a page'}`, true)
  await set({ queue_all: false })
  await shows('Cart')
  note('open again: the page of the link opens by itself', page.url() === `${url}/cart`)
  if (!hasScript) await waitByRecipe(page, { url, set, note })
  await page.close()
}

interface Noted extends Pick<Walk, 'url' | 'set'> {
  note(what: string, isRight: boolean): void
}

/** Waits on the page that has the recipe for React, and a design of its own. */
async function waitByRecipe(page: Page, { url, set, note }: Noted): Promise<void> {
  await page.goto(`${url}/own`, { waitUntil: 'networkidle' })
  await page.evaluate(() => Object.assign(globalThis, { isFirst: true }))
  await set({ queue_all: true })
  await leave(page)
  await page.getByRole('button', { name: 'Load' }).click()
  await page.getByRole('status').getByText('You are in line').waitFor()
  await set({ queue_all: false })
  await page.getByText('{"items":7}').waitFor()
  const isSame = await page.evaluate(() => Reflect.get(globalThis, 'isFirst') === true)
  note('held, then open: the recipe for React waits, and loads the data', isSame)
}

/** Ends the session, as its end by time would. */
function leave(page: Page): Promise<unknown> {
  return page.evaluate(() => fetch('/.waiting-room/leave', { method: 'POST' }))
}
