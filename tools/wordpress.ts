/**
 * A real WordPress behind a room, loaded by a real browser that caches nothing: whether the pages of its admin come
 * whole.
 *
 * Everything runs on loopback in a scratch directory, and is stopped and removed at the end.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Given, run, UsageError } from './support/cli.ts'
import { freePort } from './support/ports.ts'
import { newAdminToken, newRoomKeys } from './support/secrets.ts'
import { type Served, startServe } from './support/workerd.ts'

const USAGE = `node tools/wordpress.ts [--rounds N] [--count N --burst N]

Starts WordPress from Debian's packages (nginx, PHP, MariaDB) behind a room with default settings, and opens its login,
the editor and the media library in Chromium with the cache off, as fast as they load. Prints what each page took.

Needs root, and these packages: wordpress wordpress-theme-twentytwentythree php-fpm php-mysql mariadb-server nginx
chromium`

const FLAGS = {
  rounds: { value: 'N', help: 'how often the three pages are opened', default: '2' },
  burst: { value: 'N', help: 'the burst of the policy session, instead of the default' },
  count: { value: 'N', help: 'its requests in a minute, instead of the default' },
}

const NEEDED = ['/usr/share/wordpress', '/usr/sbin/mariadbd', '/usr/sbin/php-fpm8.2', '/usr/sbin/nginx']
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ADMIN = { user: 'admin', password: 'a-password-for-one-run-only' }
const READY_WITHIN_MS = 30_000
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
    served = await startServe({
      port: room,
      origin: `http://127.0.0.1:${origin}`,
      rooms: [{ name: 'blog', host: '*', total_active_users: 100, new_users_per_minute: 600, ...limits }],
      storage: 'memory',
      roomKeys: await newRoomKeys(),
      adminToken: newAdminToken(),
    })
    await install(served.url)
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-quic'] })
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

/** Counts what a page asks for until it asks for nothing more, and looks whether `shows` is there then. */
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

async function login(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/wp-login.php`)
  await page.fill('#user_login', ADMIN.user)
  await page.fill('#user_pass', ADMIN.password)
  await page.click('#wp-submit')
}

async function install(url: string): Promise<void> {
  const form = new URLSearchParams({
    weblog_title: 'A blog',
    user_name: ADMIN.user,
    admin_password: ADMIN.password,
    admin_password2: ADMIN.password,
    pw_weak: 'on',
    admin_email: 'admin@example.com',
    blog_public: '0',
  })
  const answer = await fetch(`${url}/wp-admin/install.php?step=2`, { method: 'POST', body: form })
  if (!(await answer.text()).includes('Success!')) throw new Error(`WordPress could not be installed: ${answer.status}`)
}

/** MariaDB, PHP and nginx, each with its own files in the scratch directory. */
async function startWordPress(
  scratch: string,
  port: number,
  frontPort: number,
  started: ChildProcess[],
): Promise<void> {
  const [site, data] = [join(scratch, 'site'), join(scratch, 'data')]
  const [database, php] = [join(scratch, 'mariadb.sock'), join(scratch, 'php.sock')]
  // Debian's tree consists of links into the system. The copy contains the files themselves.
  execFileSync('cp', ['-rL', '/usr/share/wordpress', site])
  mkdirSync(join(site, 'wp-content/uploads'), { recursive: true })
  writeFileSync(join(site, 'wp-config.php'), wpConfig(database, frontPort))

  execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--user=root'], { stdio: 'ignore' })
  const start = (command: string, ...args: string[]) =>
    started.push(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
  const files = [`--datadir=${data}`, `--socket=${database}`, `--pid-file=${join(scratch, 'mariadb.pid')}`]
  const quiet = ['--skip-networking', '--user=root', `--log-error=${join(scratch, 'mariadb.log')}`]
  start('/usr/sbin/mariadbd', '--no-defaults', ...files, ...quiet)
  await until('MariaDB', () => {
    const sql = 'CREATE DATABASE IF NOT EXISTS wordpress'
    execFileSync('mariadb', ['--no-defaults', `--socket=${database}`, '-e', sql], { stdio: 'ignore' })
  })

  writeFileSync(join(scratch, 'php.conf'), phpConfig(php, scratch))
  start('/usr/sbin/php-fpm8.2', '-R', '-F', '-y', join(scratch, 'php.conf'))
  writeFileSync(join(scratch, 'nginx.conf'), nginxConfig(site, port, php, scratch))
  start('/usr/sbin/nginx', '-c', join(scratch, 'nginx.conf'), '-e', join(scratch, 'nginx-error.log'))
  await until('WordPress', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/wp-admin/install.php`, { signal: AbortSignal.timeout(5_000) })
    if (!answer.ok) throw new Error(`it answers ${answer.status}`)
  })
}

function wpConfig(socket: string, port: number): string {
  return `<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:${socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', 'http://localhost:${port}'); define('WP_SITEURL', 'http://localhost:${port}');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('DISABLE_WP_CRON', true);
if (isset($_SERVER['HTTP_X_FORWARDED_HOST'])) $_SERVER['HTTP_HOST'] = $_SERVER['HTTP_X_FORWARDED_HOST'];
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`
}

function phpConfig(socket: string, scratch: string): string {
  return `[global]
error_log = ${join(scratch, 'php.log')}
[www]
user = root
group = root
listen = ${socket}
pm = static
pm.max_children = 4
`
}

function nginxConfig(site: string, port: number, php: string, scratch: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${join(scratch, `nginx-${name}`)};`)
    .join(' ')
  return `daemon off; user root; pid ${join(scratch, 'nginx.pid')}; error_log ${join(scratch, 'nginx-error.log')};
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types; access_log off; ${temporary}
  server {
    listen 127.0.0.1:${port}; root ${site}; index index.php; client_max_body_size 64m;
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_pass unix:${php};
    }
  }
}
`
}

async function until(what: string, attempt: () => unknown): Promise<void> {
  const endMs = Date.now() + READY_WITHIN_MS
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (Date.now() > endMs) throw new Error(`${what} did not start: ${(error as Error).message}`)
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const hard = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(hard)
}
