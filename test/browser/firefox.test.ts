/**
 * A form of another site, and the page that a service worker loads, in a real Firefox. Browsers differ in these two.
 * @module-tag firefox
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { type Firefox, startFirefox } from './firefox.ts'
import { type Local, serveLocally, startRooms } from './served-site.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const WORKER = `
  self.addEventListener('install', () => self.skipWaiting())
  self.addEventListener('activate', event => event.waitUntil(self.clients.claim()))
  self.addEventListener('fetch', event => event.respondWith(fetch(event.request)))`

let firefox: Firefox
let origin: Local
let bank: Local
let site: Awaited<ReturnType<typeof startRooms>>
/** The sessions of the requests that reached the origin, by method and path. */
const sessions: [line: string, session: unknown][] = []

beforeAll(async () => {
  origin = await serveLocally((request, body, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://site')
    sessions.push([`${request.method} ${pathname} ${body}`.trim(), request.headers['waiting-room-session']])
    if (pathname === '/worker.js') response.setHeader('Content-Type', 'text/javascript')
    const register = '<script>navigator.serviceWorker.register("/worker.js")</script>'
    const page = `<!doctype html><title>Site</title><h1>${request.method === 'POST' ? 'Thank you' : 'Welcome'}</h1>`
    response.end(pathname === '/worker.js' ? WORKER : pathname === '/worker' ? page + register : page)
  })
  site = await startRooms({ shop: {}, held: { queue_all: true } }, origin.port)
  bank = await serveLocally((_request, _body, response) => {
    const form = `<form method="post" action="${site.url}/shop/payment"><input type="hidden" name="PaRes" value="a b"></form>`
    response.end(`<!doctype html><title>Bank</title>${form}<script>document.forms[0].submit()</script>`)
  })
  firefox = await startFirefox(command('firefox'))
})
afterAll(async () => {
  await firefox?.stop()
  await Promise.all([site?.stop(), bank?.stop(), origin?.stop()])
})

const heading = () => firefox.evaluate('document.querySelector("h1")?.textContent')

it('a payment that returns by a form of another site goes on in its session, while the room is held', async () => {
  await firefox.goto(`${site.url}/shop/cart`)
  expect(await heading()).toBe('Welcome')
  await site.change('shop', { queue_all: true })
  await new Promise(resolve => setTimeout(resolve, 2_100))
  await firefox.goto(`http://127.0.0.1:${bank.port}/`)
  await expect.poll(heading, { timeout: 60_000 }).toBe('Thank you')
  const [[, first] = [], ...others] = sessions.filter(([line]) => line.includes('/shop/') && !line.includes('icon'))
  expect(first).toBeDefined()
  expect(others).toEqual([['POST /shop/payment PaRes=a+b', first]])
})

/** Whether the page comes from the service worker. */
const isControlled = () => firefox.evaluate('navigator.serviceWorker.controller !== null')

it('a service worker shows the waiting page, which keeps its place', async () => {
  await firefox.goto(`${site.url}/worker`)
  await expect.poll(isControlled, { timeout: 60_000 }).toBe(true)
  await firefox.evaluate("location.assign('/held/a?b=1')")
  await expect.poll(heading, { timeout: 60_000 }).toBe('You are in line')
  expect(await isControlled()).toBe(true)
  const placed = () => firefox.evaluate('document.querySelector("#place").className !== "pending"')
  await expect.poll(placed, { timeout: 60_000 }).toBe(true)
})
