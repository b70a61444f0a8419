/**
 * Pages that a library or a service worker loads in the browser's place, and requests ahead of a visitor, in real
 * Chromium with the real libraries.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { type Local, serveLocally, startRooms } from './served-site.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const require = createRequire(import.meta.url)
const script = (path: string) => readFileSync(require.resolve(path), 'utf8')

/** Inertia has no file for browsers. It shows a page by the callbacks of its author. */
async function inertia(): Promise<string> {
  const contents = `
    import { router } from '@inertiajs/core'
    const page = JSON.parse(document.getElementById('app').dataset.page)
    router.init({ initialPage: page, resolveComponent: name => name, swapComponent: async () => {} })
    document.querySelector('a').onclick = event => { event.preventDefault(); router.visit(event.target.href) }`
  const stdin = { contents, resolveDir: import.meta.dirname }
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'iife' })
  return outputFiles[0]?.text ?? ''
}

/** Returns the worker of the documentation that uses Workbox, as a bundler makes it. */
async function workbox(): Promise<string> {
  const entryPoints = [fileURLToPath(new URL('../../docs/snippets/pwa/workbox.js', import.meta.url))]
  const define = { 'process.env.NODE_ENV': '"production"' }
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: 'iife', define })
  return outputFiles[0]?.text ?? ''
}

/** The worker of an app that answers every request itself, as workers for offline use do. */
const WORKER = `
  self.addEventListener('install', () => self.skipWaiting())
  self.addEventListener('activate', event => event.waitUntil(self.clients.claim()))
  self.addEventListener('fetch', event => event.respondWith(fetch(event.request)))`

/** A page with one link into a room, for each library. */
const PAGES: Readonly<Record<string, string>> = {
  turbo: '<script src="/lib/turbo.js"></script><a href="/held/a?b=1">Go</a>',
  'turbo-frame':
    '<script src="/lib/turbo.js"></script><turbo-frame id="part"><a href="/held/a?b=1">Go</a></turbo-frame>',
  htmx2: '<script src="/lib/htmx2.js"></script><div hx-boost="true"><a href="/held/a?b=1">Go</a></div>',
  htmx4: '<script src="/lib/htmx4.js"></script><div hx-boost:inherited="true"><a href="/held/a?b=1">Go</a></div>',
  'htmx2-part': '<script src="/lib/htmx2.js"></script><a hx-get="/held/part" href="#">Go</a>',
  'htmx4-part': '<script src="/lib/htmx4.js"></script><a hx-get="/held/part" href="#">Go</a>',
  unpoly: '<script src="/lib/unpoly.js"></script><main><a href="/held/a?b=1" up-follow>Go</a></main>',
  inertia:
    '<div id="app" data-page=\'{"component":"A","props":{},"url":"/inertia","version":null}\'></div><a href="/held/a?b=1">Go</a><script src="/lib/inertia.js"></script>',
  worker: '<script>navigator.serviceWorker.register("/worker.js")</script><a href="/held/a?b=1">Go</a>',
  snippet: '<script>navigator.serviceWorker.register("/snippet.js")</script><a href="/held/a?b=1">Go</a>',
  workbox: '<script>navigator.serviceWorker.register("/workbox.js")</script><a href="/stored/a">Go</a>',
  'offline.html': '<h1>You are offline</h1>',
  prerender:
    '<script type="speculationrules">{"prerender":[{"urls":["/open/ahead"],"eagerness":"immediate"}]}</script><a href="/open/ahead">Go</a>',
}

let browser: Browser
let origin: Local
let site: Awaited<ReturnType<typeof startRooms>>
/** Requests that reached the origin. */
const reached: string[] = []

beforeAll(async () => {
  const scripts: Readonly<Record<string, string>> = {
    '/lib/turbo.js': script('@hotwired/turbo/dist/turbo.es2017-umd.js'),
    '/lib/htmx2.js': script('htmx2/dist/htmx.min.js'),
    '/lib/htmx4.js': script('htmx.org/dist/htmx.min.js'),
    '/lib/unpoly.js': script('unpoly/unpoly.min.js'),
    '/lib/inertia.js': await inertia(),
    '/worker.js': WORKER,
    '/workbox.js': await workbox(),
    '/snippet.js': readFileSync(new URL('../../docs/snippets/pwa/worker.js', import.meta.url), 'utf8'),
  }
  origin = await serveLocally((request, _body, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://site')
    reached.push(`${request.method} ${pathname}`)
    if (pathname === '/stream/events') {
      response.setHeader('Content-Type', 'text/event-stream')
      response.write('data: of the site\n\n')
      return
    }
    const code = scripts[pathname]
    if (code !== undefined) response.setHeader('Content-Type', 'text/javascript')
    const page = PAGES[pathname.slice(1)] ?? '<h1>Welcome</h1>'
    response.end(code ?? `<!doctype html><title>Site</title><body>${page}</body>`)
  })
  // A status of 200 is the one that workers store.
  const stored = { queue_all: true, queueing_status_code: 200 }
  site = await startRooms({ held: { queue_all: true }, stream: { queue_all: true }, stored, open: {} }, origin.port)
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await origin?.stop()
})

async function visitor(): Promise<BrowserContext> {
  const context = await browser.newContext()
  context.setDefaultTimeout(20_000)
  onTestFinished(() => context.close())
  return context
}

/** Opens the page of a library, marks the document, and follows the link. */
async function follow(page: Page, kind: string): Promise<void> {
  await page.goto(`${site.url}/${kind}`)
  await page.evaluate(() => Object.assign(globalThis, { isFirst: true }))
  await page.getByText('Go', { exact: true }).click()
}

const isFirst = (page: Page) => page.evaluate(() => Reflect.get(globalThis, 'isFirst') === true)
const inLine = (page: Page) => page.getByRole('heading', { name: 'You are in line' }).waitFor()

describe('a library that loads pages by script', () => {
  it.each(['turbo', 'htmx2', 'htmx4', 'inertia'])('loads the waiting page for real: %s', async kind => {
    const page = await (await visitor()).newPage()
    const polls = page.waitForResponse(/\/\.waiting-room\/status/)
    await follow(page, kind)
    await inLine(page)
    expect([page.url(), await isFirst(page)]).toEqual([`${site.url}/held/a?b=1`, false])
    expect((await polls).status()).toBe(200)
  })

  it.each(['htmx2-part', 'htmx4-part'])('lets its visitor wait, and come back to the same page: %s', async kind => {
    const page = await (await visitor()).newPage()
    await follow(page, kind)
    await inLine(page)
    const { pathname, searchParams } = new URL(page.url())
    expect([pathname, searchParams.get('to'), await isFirst(page)]).toEqual(['/.waiting-room/wait', `/${kind}`, false])
  })

  it.each(['turbo-frame', 'unpoly'])('shows the waiting page in the present one: %s', async kind => {
    const page = await (await visitor()).newPage()
    await follow(page, kind)
    await inLine(page)
  })

  it('takes one place, however often it asks', async () => {
    const context = await visitor()
    const page = await context.newPage()
    await follow(page, 'turbo')
    await inLine(page)
    const [cookie] = await context.cookies(site.url)
    expect(cookie?.name).toBe('antesala-held')
    expect(reached.filter(line => line.includes('/held/a'))).toEqual([])
  })
})

describe('a service worker that answers every request', () => {
  it('shows the waiting page, which keeps its place and lets in', async () => {
    const context = await visitor()
    const page = await context.newPage()
    await page.goto(`${site.url}/worker`)
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    const navigation = page.waitForResponse(response => response.url().endsWith('/held/a?b=1'))
    await page.getByText('Go').click()
    await inLine(page)
    expect((await navigation).fromServiceWorker()).toBe(true)
    const placeOf = async () => (await context.cookies(site.url)).find(({ name }) => name === 'antesala-held')?.value
    expect(await placeOf()).toBeDefined()
    await page.locator('#place:not(.pending)').waitFor()
  })
})

describe('an event stream that meets the line', () => {
  it('gets its place as an event, and the stream of the site once its visitor is in', async () => {
    const page = await (await visitor()).newPage()
    await page.goto(`${site.url}/outside`)
    await page.evaluate(() => {
      const seen: string[] = []
      const source = new EventSource('/stream/events')
      source.addEventListener('waiting-room', ({ data }) => seen.push(JSON.parse(data).state))
      source.onmessage = ({ data }) => seen.push(data)
      Object.assign(globalThis, { seen })
    })
    const seen = () => page.evaluate(() => Reflect.get(globalThis, 'seen') as string[])
    await expect.poll(seen, { timeout: 15_000 }).toContain('waiting')
    await site.change('stream', { queue_all: false })
    await expect.poll(seen, { timeout: 30_000 }).toContain('of the site')
  })
})

describe('the service worker of the documentation', () => {
  it('shows the line, and its offline page only without a connection', async () => {
    const context = await visitor()
    const page = await context.newPage()
    await page.goto(`${site.url}/snippet`)
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await page.getByText('Go').click()
    await inLine(page)
    await context.setOffline(true)
    await page.goto(`${site.url}/held/b`)
    await page.getByRole('heading', { name: 'You are offline' }).waitFor()
  })
})

describe('the service worker of the documentation that uses Workbox', () => {
  it('shows the line, and stores pages of the site but none of the line', async () => {
    const context = await visitor()
    const page = await context.newPage()
    await page.goto(`${site.url}/workbox`)
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await page.getByText('Go').click()
    await inLine(page)
    await page.goto(`${site.url}/welcome`)
    await context.setOffline(true)
    await page.goto(`${site.url}/stored/a`)
    await page.getByRole('heading', { name: 'You are offline' }).waitFor()
    await page.goto(`${site.url}/welcome`)
    await page.getByRole('heading', { name: 'Welcome' }).waitFor()
  })
})

describe('a page that is prerendered', () => {
  it('takes no permit before it is shown, and opens when it is', async () => {
    const context = await visitor()
    const page = await context.newPage()
    const ahead = page.waitForRequest(
      request => request.url().endsWith('/open/ahead') && /prerender/.test(request.headers()['sec-purpose'] ?? ''),
    )
    await page.goto(`${site.url}/prerender`)
    await ahead
    await page.waitForTimeout(500)
    expect([await context.cookies(site.url), reached.filter(line => line.includes('/open/ahead'))]).toEqual([[], []])
    await page.getByText('Go').click()
    await page.getByRole('heading', { name: 'Welcome' }).waitFor()
    expect(reached.filter(line => line.includes('/open/ahead'))).toEqual(['GET /open/ahead'])
    expect((await context.cookies(site.url)).map(({ name }) => name)).toEqual(['antesala-open'])
  })
})
