/**
 * A real WordPress behind a room, loaded by a real browser that caches nothing: whether the pages of its admin come
 * whole.
 *
 * Everything runs on loopback in a scratch directory, and is stopped and removed at the end.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Given, run, UsageError } from './support/cli.ts'
import { freePort } from './support/ports.ts'
import { newAdminToken, newRoomKeys } from './support/secrets.ts'
import { type Served, startServe } from './support/workerd.ts'
import { ended, install, login, NEEDED, startWordPress } from './wordpress/site.ts'
import { walk } from './wordpress/walk.ts'

const USAGE = `node tools/wordpress.ts [--walk] [--rounds N] [--count N --burst N]

Starts WordPress from Debian's packages (nginx, PHP, MariaDB) behind a room with default settings, and opens its login,
the editor and the media library in Chromium with the cache off, as fast as they load. Prints what each page took.
With --walk it writes a post and a comment instead, while the room is open, held and full, and when a session ends in
the middle. Prints what became of each text.

Needs root, and these packages: wordpress wordpress-theme-twentytwentythree php-fpm php-mysql mariadb-server nginx
chromium`

const FLAGS = {
  walk: { help: 'writes a post and a comment instead' },
  rounds: { value: 'N', help: 'how often the three pages are opened', default: '2' },
  burst: { value: 'N', help: 'the burst of the policy session, instead of the default' },
  count: { value: 'N', help: 'its requests in a minute, instead of the default' },
}

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const SHOWN_WITHIN_MS = 15_000
/** The editor shows this element once its scripts have loaded. */
const EDITOR = '.edit-post-visual-editor'

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const rounds = Number(given.rounds)
  if (!(rounds >= 1)) throw new UsageError(`--rounds must be a number from 1 up, got ${given.rounds}`)
  if ((given.count === undefined) !== (given.burst === undefined))
    throw new UsageError('--count and --burst go together')
  const missing = NEEDED.filter(path => !existsSync(path))
  if (missing.length > 0) throw new UsageError(`not installed: ${missing.join(', ')}`)
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-wordpress-'))
  const started: ChildProcess[] = []
  let served: Served | undefined
  let browser: Browser | undefined
  try {
    const [origin, room] = [await freePort(), await freePort()]
    await startWordPress(scratch, origin, room, started)
    const { count, burst } = given
    const policy = { name: 'session', count: Number(count), period: 60, burst: Number(burst) }
    const limits = count === undefined || burst === undefined ? {} : { rate_limits: [policy] }
    const adminToken = newAdminToken()
    served = await startServe({
      port: room,
      origin: `http://127.0.0.1:${origin}`,
      rooms: [
        {
          name: 'blog',
          host: '*',
          total_active_users: 100,
          new_users_per_minute: 600,
          bypass: [{ preset: 'wordpress' }],
          ...limits,
        },
      ],
      storage: 'memory',
      roomKeys: await newRoomKeys(),
      adminToken,
    })
    await install(served.url)
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-quic'] })
    if (given.walk !== undefined) return await walk(browser, served.url, adminToken)
    return await visit(await browser.newContext(), served.url, rounds)
  } finally {
    await browser?.close()
    await served?.stop()
    await Promise.all(started.reverse().map(ended))
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Opens the pages one after another. Returns 1 when a page was not complete or was rate limited, else 0. */
async function visit(context: BrowserContext, url: string, rounds: number): Promise<number> {
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
  const rows: Row[] = []
  for (let round = 0; round < rounds; round++) {
    rows.push(await look(page, 'login', () => login(page, url)))
    rows.push(await look(page, 'editor', () => page.goto(`${url}/wp-admin/post-new.php`), EDITOR))
    rows.push(
      await look(page, 'media library', () => page.goto(`${url}/wp-admin/upload.php?mode=grid`), '.media-frame'),
    )
    await context.clearCookies({ name: /^wordpress/ })
  }
  console.log('| page | requests | slowest | 429 | other failures | whole |\n|---|---|---|---|---|---|')
  for (const row of rows)
    console.log(
      `| ${[row.name, row.requests, seconds(row), row.limited, row.failed, row.whole ? 'yes' : 'NO'].join(' | ')} |`,
    )
  return rows.every(({ whole, limited }) => whole && limited === 0) ? 0 : 1
}

function seconds({ slowestMs }: Row): string {
  return `${(slowestMs / 1_000).toFixed(1)} s`
}

interface Row {
  readonly name: string
  requests: number
  slowestMs: number
  limited: number
  failed: number
  whole: boolean
}

/** Counts the requests of a page until it makes no more. Then checks whether the page contains `shows`. */
async function look(page: Page, name: string, open: () => Promise<unknown>, shows = '#wpadminbar'): Promise<Row> {
  const row: Row = { name, requests: 0, slowestMs: 0, limited: 0, failed: 0, whole: false }
  const begun = new Map<unknown, number>()
  const asks = (request: object) => {
    row.requests++
    begun.set(request, Date.now())
  }
  const answers = (response: import('playwright-core').Response) => {
    row.slowestMs = Math.max(row.slowestMs, Date.now() - (begun.get(response.request()) ?? Date.now()))
    if (response.status() === 429) row.limited++
    else if (response.status() >= 400) {
      row.failed++
      console.warn(`${response.status()} ${response.url()}`)
    }
  }
  page.on('request', asks)
  page.on('response', answers)
  await open()
  await page.waitForLoadState('networkidle', { timeout: 60_000 }).catch(() => undefined)
  row.whole = await page
    .locator(shows)
    .first()
    .waitFor({ state: 'visible', timeout: SHOWN_WITHIN_MS })
    .then(
      () => true,
      () => false,
    )
  page.off('request', asks)
  page.off('response', answers)
  return row
}
