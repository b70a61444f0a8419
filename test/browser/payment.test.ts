/**
 * A payment that returns to the shop by a form of the bank, in real Chromium. The bank is another site, so the browser
 * leaves the shop's Lax cookies out of the form.
 * @module-tag chromium
 */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startPaymentSite } from './payment-site.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let browser: Browser
let site: Awaited<ReturnType<typeof startPaymentSite>>

beforeAll(async () => {
  site = await startPaymentSite()
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

async function visitor(options: { javaScriptEnabled?: boolean } = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(20_000)
  onTestFinished(() => context.close())
  return context
}

/** A form of the bank, sent at once or by its button. */
const form = (to: string, fields: string, { attributes = '', isSent = true } = {}) =>
  `<form method="post" action="${to}" ${attributes}>${fields}<button>Back to the shop</button></form>` +
  (isSent ? '<script>onload = () => setTimeout(() => document.forms[0].submit(), 50)</script>' : '')

const FIELDS =
  '<input type="hidden" name="PaRes" value="a b+c&amp;d=%\u00e9">' +
  '<textarea hidden name="text">one\ntwo</textarea><input type="hidden" name="_charset_">'

const thanked = (page: Page) => page.getByRole('heading', { name: 'Thank you' }).waitFor()
const arrived = (path: string) => site.paid.filter(form => form.path.startsWith(path))
const ROOM = 'antesala-open'

async function passOf(context: BrowserContext): Promise<string> {
  const cookies = await context.cookies(site.url)
  return cookies.find(({ name }) => name === ROOM)?.value ?? ''
}

const sidOf = (token: string) =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))).sub

describe('a form of the bank', () => {
  it.each([
    ['urlencoded', '', 'utf-8'],
    ['in another charset', '', 'iso-8859-1'],
    ['in several parts', 'enctype="multipart/form-data"', 'utf-8'],
    ['as text', 'enctype="text/plain"', 'utf-8'],
  ])('reaches the shop byte for byte, in the session of its visitor: %s', async (kind, attributes, charset) => {
    const context = await visitor()
    const page = await context.newPage()
    await page.goto(`${site.url}/open/cart`)
    const session = sidOf(await passOf(context))
    const path = `/open/${charset}/${attributes.length}?order=7&a=%2f`
    await page.goto(site.bankPage(form(`${site.bankUrl}${path}`, FIELDS, { attributes }), { charset }))
    await page.getByRole('heading', { name: 'Noted' }).waitFor()
    await page.goto(site.bankPage(form(site.url + path, FIELDS, { attributes }), { charset }))
    await thanked(page)
    const [sent] = site.own.filter(one => one.path === path)
    const [received, ...more] = site.paid.filter(one => one.path === path)
    expect([kind, more]).toEqual([kind, []])
    expect(received?.session).toBe(session)
    const boundary = /boundary=(\S+)/
    const [, from = ''] = boundary.exec(sent?.type ?? '') ?? []
    const [, to = ''] = boundary.exec(received?.type ?? '') ?? []
    const hex = (text: string) => Buffer.from(text).toString('hex')
    // The browser makes a new boundary for each request, so the first one is known only to the first request.
    expect(received?.body).toBe(from === '' ? sent?.body : sent?.body.replaceAll(hex(from), hex(to)))
    expect(received?.type.replace(to, from)).toBe(sent?.type)
    expect([received?.origin, received?.cookie]).toEqual([site.bankUrl, null])
    expect(page.url()).toBe(site.url + path)
    await page.goBack()
    expect(page.url()).toContain(site.bankUrl)
  })

  it('goes on where the shop then leads, also to another site', async () => {
    const page = await (await visitor()).newPage()
    await page.goto(`${site.url}/open`)
    const then = encodeURIComponent(`${site.bankUrl}/receipt`)
    await page.goto(site.bankPage(form(`${site.url}/open/paid?then=${then}`, FIELDS)))
    await page.waitForURL(`${site.bankUrl}/receipt`)
    expect(arrived('/open/paid')).toHaveLength(1)
  })

  it('continues by a button when scripts are off', async () => {
    const context = await visitor({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(`${site.url}/open`)
    const session = sidOf(await passOf(context))
    await page.goto(site.bankPage(form(`${site.url}/open/button`, FIELDS)))
    await page.getByRole('button', { name: 'Back to the shop' }).click()
    await page.getByRole('heading', { name: 'One moment, please' }).waitFor()
    expect(arrived('/open/button')).toEqual([])
    await page.getByRole('button', { name: 'Continue' }).click()
    await thanked(page)
    expect(arrived('/open/button').map(one => one.session)).toEqual([session])
  })

  it('goes on in a 3-D Secure frame of the shop, whose own policy allows the bank', async () => {
    const context = await visitor()
    const page = await context.newPage()
    const back = site.bankPage(form(`${site.url}/open/framed`, FIELDS))
    await page.goto(`${site.url}/open/checkout?frame=${encodeURIComponent(back)}`)
    const session = sidOf(await passOf(context))
    await page.frameLocator('iframe').getByRole('heading', { name: 'Thank you' }).waitFor()
    expect(arrived('/open/framed').map(one => one.session)).toEqual([session])
  })

  it('is sent once more only once in a sandboxed frame, which has no cookies', async () => {
    const context = await visitor()
    const page = await context.newPage()
    await page.goto(`${site.url}/open`)
    const requests: string[] = []
    page.on('request', request => request.url().endsWith('/open/sandboxed') && requests.push(request.method()))
    await page.goto(site.bankPage(form(`${site.url}/open/sandboxed`, FIELDS), { path: '/sandbox' }))
    await page.frameLocator('iframe').getByRole('heading', { name: 'Thank you' }).waitFor()
    // The browser reports no request of a frame that it has just moved to another process. A loop would send many more.
    expect(requests.filter(method => method !== 'POST')).toEqual([])
    expect(requests.length).toBeLessThanOrEqual(2)
    expect(arrived('/open/sandboxed').map(one => one.origin)).toEqual(['null'])
  })

  it('that meets the line finds the place of its visitor', async () => {
    const context = await visitor()
    const page = await context.newPage()
    await page.goto(`${site.url}/held`)
    const placeOf = async () =>
      (await context.cookies(site.url)).find(({ name }) => name === 'antesala-held')?.value ?? ''
    const place = sidOf(await placeOf())
    await page.goto(site.bankPage(form(`${site.url}/held/return`, FIELDS)))
    await page.getByText('What you sent has not been delivered').waitFor()
    expect(sidOf(await placeOf())).toBe(place)
    expect(arrived('/held/return')).toEqual([])
  })

  it('with markup in it executes nothing', async () => {
    const page = await (await visitor()).newPage()
    await page.goto(`${site.url}/open`)
    const ran: string[] = []
    await page.exposeFunction('ran', (what: string) => ran.push(what))
    page.on('dialog', dialog => ran.push(dialog.message()))
    const hostile = [
      '"><script>ran("a")</script>',
      '\u0027 onfocus=ran("b") autofocus',
      '</main><img src=x onerror=ran("c")>',
      'javascript:ran("d")',
      '{{{script}}}',
    ]
    const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
    for (const [i, text] of hostile.entries()) {
      const field = `<input type="hidden" name="${escaped(text)}" value="${escaped(text)}">`
      await page.goto(site.bankPage(form(`${site.url}/open/hostile${i}?${encodeURIComponent(text)}`, field)))
      await thanked(page)
    }
    expect(ran).toEqual([])
    expect(arrived('/open/hostile')).toHaveLength(hostile.length)
  })
})
