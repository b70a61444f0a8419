/**
 * The script for sites, in real Chromium: `/.waiting-room/client.js` and `client.mjs`.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { type Local, serveLocally, startRooms } from './served-site.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** The app has a strict policy of its own, and a style that would spoil any element of ours. */
const POLICY = "default-src 'self'; style-src 'none'"
const MODULE = "import { guard } from '/.waiting-room/client.mjs?room=app'; globalThis.room = guard({ wait: 'page' })"

const require = createRequire(import.meta.url)
const LIBRARIES: Readonly<Record<string, string>> = {
  '/lib/turbo.js': '@hotwired/turbo/dist/turbo.es2017-umd.js',
  '/lib/htmx2.js': 'htmx2/dist/htmx.min.js',
  '/lib/htmx4.js': 'htmx.org/dist/htmx.min.js',
}
const LINK = '<a href="/app/a">Go</a>'
const CLIENT = '<script src="/.waiting-room/client.js?room=app"></script>'

const PAGES: Readonly<Record<string, string>> = {
  '/app-shell': CLIENT,
  '/twice': CLIENT + CLIENT,
  '/unframed': CLIENT,
  '/app/landing': CLIENT,
  '/by-module': '<script type="module" src="/module.js"></script>',
  '/short/page': '<script src="/.waiting-room/client.js?room=short"></script>',
  '/turbo': `${CLIENT}<script src="/lib/turbo.js"></script>${LINK}`,
  '/htmx2': `${CLIENT}<script src="/lib/htmx2.js"></script><div hx-boost="true">${LINK}</div>`,
  '/htmx4': `${CLIENT}<script src="/lib/htmx4.js"></script><div hx-boost:inherited="true">${LINK}</div>`,
}

let browser: Browser
let origin: Local
let site: Awaited<ReturnType<typeof startRooms>>
/** Requests that reached the origin. */
const reached: string[] = []

beforeAll(async () => {
  origin = await serveLocally((request, _body, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://site')
    reached.push(`${request.method} ${pathname}`)
    const page = PAGES[pathname]
    const library = LIBRARIES[pathname]
    const script = pathname === '/module.js' ? MODULE : library && readFileSync(require.resolve(library), 'utf8')
    if (page !== undefined) {
      const policy = pathname === '/unframed' ? `${POLICY}; frame-src 'none'` : POLICY
      response.setHeader('Content-Security-Policy', policy)
      response.end(`<!doctype html><html lang="en"><title>App</title><body><h1>App</h1>${page}`)
    } else if (script !== undefined) {
      response.setHeader('Content-Type', 'text/javascript')
      response.end(script)
    } else response.end(`site: ${request.method} ${request.headers['x-own'] ?? ''}`)
  })
  site = await startRooms({ app: { queue_all: true }, short: { session_duration: 0.1 } }, origin.port)
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await origin?.stop()
})
beforeEach(() => site.change('app', { queue_all: true }))

async function open(path: string): Promise<Page> {
  const context = await browser.newContext()
  context.setDefaultTimeout(20_000)
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.goto(site.url + path)
  await page.evaluate(() => Object.assign(globalThis, { isFirst: true }))
  return page
}

const isFirst = (page: Page) => page.evaluate(() => Reflect.get(globalThis, 'isFirst') === true)
const dialog = (page: Page) => page.getByRole('dialog', { name: 'You are in line' })
const inLine = (page: Page) => page.frameLocator('iframe').getByRole('heading', { name: 'You are in line' }).waitFor()

/** Sends requests from the page, whose outcomes `outcomes` has later. */
function request(page: Page): Promise<void> {
  return page.evaluate(() => {
    const outcomes: string[] = []
    const fetched = fetch('/app/fetched', { headers: { 'X-Own': 'fetch' } }).then(response => response.text())
    void fetched.then(text => outcomes.push(text))
    const request = new XMLHttpRequest()
    request.onreadystatechange = () => {
      if (request.readyState === 4) outcomes.push(`${request.status} ${request.responseText}`)
    }
    request.open('GET', '/app/asked')
    request.setRequestHeader('X-Own', 'request')
    request.send()
    Object.assign(globalThis, { outcomes })
  })
}

const outcomes = (page: Page) => page.evaluate(() => (Reflect.get(globalThis, 'outcomes') as string[]).toSorted())

describe('a page with the script for sites', () => {
  it('shows the line over itself, and sends its safe requests again once its visitor is inside', async () => {
    const page = await open('/app-shell')
    await request(page)
    await inLine(page)
    expect(await dialog(page).count()).toBe(1)
    const landing = await page.context().newPage()
    await landing.goto(`${site.url}/app/landing?utm_source=mail`, { referer: 'https://news.example/story' })
    expect(await outcomes(page)).toEqual([])
    await site.change('app', { queue_all: false })
    await expect.poll(() => outcomes(page), { timeout: 30_000 }).toEqual(['200 site: GET request', 'site: GET fetch'])
    expect([await dialog(page).count(), await isFirst(page), page.url()]).toEqual([0, true, `${site.url}/app-shell`])
    // The frame with the line has loaded nothing of the site.
    const below = reached.filter(line => line.startsWith('GET /app/') && !line.endsWith('landing'))
    expect(below.sort()).toEqual(['GET /app/asked', 'GET /app/fetched'])
    // The page in the other tab has the referrer of its visitor.
    await landing.waitForFunction(() => 'waitingRoom' in globalThis)
    const referrers = () => [document.referrer, Reflect.get(Reflect.get(globalThis, 'waitingRoom'), 'referrer')]
    expect(await landing.evaluate(referrers)).toEqual([`${site.url}/`, 'https://news.example/story'])
  })

  it('gets an unsafe request back at once, and its visitor can close the dialog', async () => {
    const page = await open('/app-shell')
    const answer = await page.evaluate(async () => {
      const response = await fetch('/app/order', { method: 'POST', body: 'a=1' })
      const request = new XMLHttpRequest()
      request.open('POST', '/app/order')
      const over = new Promise(resolve => request.addEventListener('loadend', resolve))
      request.send('a=1')
      await over
      return [response.status, response.headers.get('Waiting-Room-State'), request.status]
    })
    expect(answer).toEqual([503, 'waiting', 503])
    await inLine(page)
    await page.getByRole('button', { name: 'Close' }).click()
    await dialog(page).waitFor({ state: 'detached' })
    // For a while after the dialog is closed, a safe request is handed back, too.
    expect(await page.evaluate(async () => (await fetch('/app/again')).status)).toBe(503)
    expect([await dialog(page).count(), reached.filter(line => line.startsWith('POST'))]).toEqual([0, []])
  })

  it('shows one dialog, however often the page includes the script', async () => {
    const page = await open('/twice')
    await request(page)
    await inLine(page)
    await page.getByRole('button', { name: 'Close' }).click()
    await expect.poll(() => outcomes(page)).toHaveLength(2)
    expect(await dialog(page).count()).toBe(0)
  })

  it('goes to the page for waiting where it may show no frame', async () => {
    const page = await open('/unframed')
    await request(page)
    await page.getByRole('heading', { name: 'You are in line' }).waitFor()
    expect(page.url()).toBe(`${site.url}/.waiting-room/wait?room=app&to=%2Funframed`)
  })

  it.each(['turbo', 'htmx2', 'htmx4'])(
    'shows the line when a link that a library follows meets it: %s',
    async library => {
      const page = await open(`/${library}`)
      await page.getByText('Go', { exact: true }).click()
      await inLine(page)
      expect([await dialog(page).count(), await isFirst(page), page.url()]).toEqual([1, true, `${site.url}/${library}`])
    },
  )

  it('asks before the session ends, and keeps it on a press', async () => {
    const page = await open('/short/page')
    const warning = page.getByRole('alert')
    await warning.waitFor()
    expect(await warning.textContent()).toBe('Your visit ends soon. Stay')
    await page.getByRole('button', { name: 'Stay' }).click()
    await warning.waitFor({ state: 'detached' })
    const left = await page.evaluate(
      async () => (await (await fetch('/.waiting-room/status?room=short')).json()).session,
    )
    expect(left.endsInSeconds).toBeGreaterThan(3)
  })
})

describe('a page with the module for sites', () => {
  it('goes to the page for waiting where its author wishes that, but not for an unsafe request', async () => {
    const page = await open('/by-module?a=1')
    await page.waitForFunction(() => Reflect.has(globalThis, 'room'))
    expect(await page.evaluate(async () => (await fetch('/app/order', { method: 'PUT' })).status)).toBe(503)
    expect(await isFirst(page)).toBe(true)
    await request(page)
    await page.getByRole('heading', { name: 'You are in line' }).waitFor()
    expect(page.url()).toBe(`${site.url}/.waiting-room/wait?room=app&to=%2Fby-module%3Fa%3D1`)
  })
})
