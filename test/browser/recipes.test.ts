/**
 * The recipes of docs/single-page-apps.md in real Chromium, with the real libraries: the code blocks of the page and
 * the files that they import, in front of a room that is full and then has a place.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { type Local, serveLocally, startRooms } from './served-site.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const PAGE = readFileSync(new URL('../../docs/single-page-apps.md', import.meta.url), 'utf8')
const RECIPES = fileURLToPath(new URL('../../docs/snippets/single-page-app', import.meta.url))

/** Returns the code block of the page that contains a text. */
function blockWith(text: string): string {
  const blocks = [...PAGE.matchAll(/^```jsx?\n(.*?)^```$/gms)].map(([, code = '']) => code)
  const [block, ...others] = blocks.filter(code => code.includes(text))
  if (block === undefined || others.length > 0) throw new Error(`not one code block with ${text}`)
  return block
}

const IN_REACT = `
  import { StrictMode } from 'react'
  import { createRoot } from 'react-dom/client'
  const render = element => createRoot(document.querySelector('#app')).render(<StrictMode>{element}</StrictMode>)`

/** Each app is a code block of the page with some lines that start it. */
const APPS: Readonly<Record<string, string>> = {
  fetch: `${blockWith('roomFetch(')}
    Object.assign(globalThis, { load: async () => (await loadCart()).json() })`,
  axios: `${blockWith('waitInLine(axios')}
    const load = async responseType => (await axios.get('/api/cart', { responseType })).data
    Object.assign(globalThis, { load, sendOrder })`,
  react: `${blockWith('usePlace()')}${IN_REACT}
    render(<><Line /><Cart /><Cart /></>)`,
  // The API is on another site.
  elsewhere: `import axios from 'axios'
    import { waitInLine } from './axios.js'
    import { roomFetch } from './room.js'
    const api = location.origin.replace('127.0.0.1', 'localhost') + '/api'
    const show = place => { document.querySelector('#line').hidden = place === null }
    document.querySelector('#line').textContent = 'You are in line'
    waitInLine(axios, show)
    const load = async () => (await roomFetch(api + '/cart', { credentials: 'include' }, show)).json()
    const loadByAxios = async () => (await axios.get(api + '/cart', { withCredentials: true })).data
    Object.assign(globalThis, { load, loadByAxios })`,
  // With the script for sites no library needs a recipe.
  'axios-with-script': `import axios from 'axios'
    const load = async adapter => (await axios.get('/api/cart', { adapter })).data
    Object.assign(globalThis, { load })`,
  'react-with-script': `import { useEffect, useState } from 'react'${IN_REACT}
    function Cart() {
      const [cart, setCart] = useState(null)
      useEffect(() => { void fetch('/api/cart').then(answer => answer.json()).then(setCart) }, [])
      return <p>{cart && cart.items + ' things in the cart'}</p>
    }
    render(<Cart />)`,
}

async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: RECIPES, loader: 'jsx' },
    jsx: 'automatic',
    bundle: true,
    write: false,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"development"' },
  })
  return outputFiles[0]?.text ?? ''
}

/** The function that each page calls. Apps in React start by themselves. */
const CALLS: Readonly<Record<string, readonly [app: string, name: string, argument?: string]>> = {
  fetch: ['fetch', 'load'],
  axios: ['axios', 'load'],
  'axios, for text': ['axios', 'load', 'text'],
  'axios, with an order': ['axios', 'sendOrder', 'first'],
  'fetch, of another site': ['elsewhere', 'load'],
  'axios, of another site': ['elsewhere', 'loadByAxios'],
  'axios with the script, by XMLHttpRequest': ['axios-with-script', 'load', 'xhr'],
  'axios with the script, by fetch': ['axios-with-script', 'load', 'fetch'],
}

let browser: Browser
let origin: Local
let site: Awaited<ReturnType<typeof startRooms>>
/** The page of each visitor. All of them wait at once. */
const pages = new Map<string, Page>()
/** Requests for the API that reached the origin. */
const reached: string[] = []

beforeAll(async () => {
  const scripts = Object.fromEntries(
    await Promise.all(Object.entries(APPS).map(async ([name, app]) => [`/${name}.js`, await bundled(app)] as const)),
  )
  origin = await serveLocally((request, body, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://site')
    const script = scripts[pathname]
    if (script !== undefined) response.setHeader('Content-Type', 'text/javascript')
    if (pathname.startsWith('/api/')) reached.push(`${request.method} ${pathname} ${body}`.trim())
    if (pathname.startsWith('/api')) response.setHeader('Content-Type', 'application/json')
    if (request.headers.origin !== undefined) {
      response.setHeader('Access-Control-Allow-Origin', request.headers.origin)
      response.setHeader('Access-Control-Allow-Credentials', 'true')
    }
    response.end(script ?? (pathname.startsWith('/api') ? '{"items":7}' : shell(pathname)))
  })
  site = await startRooms({ api: { preflights: 'answer' } }, origin.port)
  await site.change('api', { cors_origins: [pageUrl()] })
  await fill()
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
  const byThemselves = IN_REACT_ALONE.map(app => [app, [app]] as const)
  for (const [visitor, [app, name, argument]] of [...Object.entries(CALLS), ...byThemselves]) {
    const page = await open(app)
    pages.set(visitor, page)
    if (name !== undefined) await start(page, name, argument)
  }
})
afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await origin?.stop()
})

const IN_REACT_ALONE = ['react', 'react-with-script']

/** The address of the pages. The host is not localhost, so the pages and localhost are two sites. */
const pageUrl = () => site.url.replace('localhost', '127.0.0.1')

/** Lets one visitor in for some minutes, and lowers the capacity to this visitor. */
async function fill(): Promise<void> {
  const ask = (headers: Record<string, string> = {}) => fetch(`${site.url}/api`, { headers })
  const cookie = (await ask()).headers.getSetCookie()[0]?.split(';')[0] ?? ''
  // A session is short until its visitor has come twice.
  await ask({ Cookie: cookie })
  await site.change('api', { total_active_users: 1 })
  await vi.waitUntil(async () => (await ask()).headers.get('Waiting-Room-State') === 'waiting', { timeout: 20_000 })
}

function shell(pathname: string): string {
  const client = pathname.endsWith('-with-script') ? '<script src="/.waiting-room/client.js?room=api"></script>' : ''
  const body = `${client}<p id="line" hidden></p><div id="app"></div><script type="module" src="${pathname}.js"></script>`
  return `<!doctype html><title>App</title><body>${body}`
}

async function open(app: string): Promise<Page> {
  const context = await browser.newContext()
  context.setDefaultTimeout(40_000)
  const page = await context.newPage()
  await page.goto(`${pageUrl()}/${app}`)
  return page
}

/** Calls a function of the app. The global variable `outcome` has its result later. */
const start = (page: Page, name: string, argument?: string) =>
  page.evaluate(
    ([name = '', argument]) => {
      const called = (Reflect.get(globalThis, name) as (argument?: string) => Promise<unknown>)(argument)
      void called.then(outcome => Object.assign(globalThis, { outcome }))
    },
    [name, argument],
  )
const outcome = (page: Page) => page.evaluate(() => Reflect.get(globalThis, 'outcome'))

function pageOf(visitor: string): Page {
  const page = pages.get(visitor)
  if (page === undefined) throw new Error(`no page of ${visitor}`)
  return page
}

describe('an app in front of a full room', () => {
  it.each(Object.keys(CALLS).filter(name => !name.includes('script')))('shows the place by its recipe: %s', visitor =>
    pageOf(visitor)
      .locator('#line:not([hidden])')
      .getByText(/^You are/)
      .waitFor(),
  )

  it('shows one place for all components of React', async () => {
    const place = pageOf('react')
      .getByRole('status')
      .getByText(/^You are/)
    await place.waitFor()
    expect(await place.count()).toBe(1)
  })

  it.each(
    Object.keys(CALLS)
      .filter(name => name.includes('script'))
      .concat('react-with-script'),
  )('shows the waiting page by the script for sites: %s', visitor =>
    pageOf(visitor).frameLocator('iframe').getByRole('heading', { name: 'You are in line' }).waitFor(),
  )

  it('has sent nothing that reached the origin', () => {
    expect(reached).toEqual([])
  })
})

describe('an app whose visitor is let in', () => {
  beforeAll(() => site.change('api', { total_active_users: 1_000 }))

  it.each([...Object.keys(CALLS)].filter(name => !/text|order/.test(name)))('gets its data: %s', async visitor => {
    const page = pageOf(visitor)
    await expect.poll(() => outcome(page), { timeout: 30_000 }).toEqual({ items: 7 })
    expect([await page.locator('#line').isVisible(), await page.getByRole('dialog').count()]).toEqual([false, 0])
  })

  it('gets its data from axios in the form that it asks for', async () => {
    await expect.poll(() => outcome(pageOf('axios, for text')), { timeout: 30_000 }).toBe('{"items":7}')
  })

  it('gets its data in each component of React', async () => {
    const carts = pageOf('react').getByText('7 things in the cart')
    await expect.poll(() => carts.count(), { timeout: 30_000 }).toBe(2)
    expect(await pageOf('react').getByRole('status').count()).toBe(0)
    await pageOf('react-with-script').getByText('7 things in the cart').waitFor()
  })

  it('gets an order back that was not carried out, and the next one arrives', async () => {
    const page = pageOf('axios, with an order')
    await expect.poll(() => outcome(page), { timeout: 30_000 }).toMatch(/has not been sent/)
    expect(reached.filter(line => line.startsWith('POST'))).toEqual([])
    await start(page, 'sendOrder', 'second')
    await expect.poll(() => outcome(page)).toBe('Thank you')
    expect(reached.filter(line => line.startsWith('POST'))).toEqual(['POST /api/orders second'])
  })
})
