/**
 * A place that goes from one browser to another, in a real Chromium, with and without scripts.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startSite } from './waiting-site.ts'

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const CODE = /^[A-Z]{2}\d-[0-9A-Z]{5}-[0-9A-Z]{5}$/
const INSTAGRAM = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Instagram 334.0.4.32.98'
const WITHOUT_SCRIPTS = { javaScriptEnabled: false }

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let browser: Browser
let site: Awaited<ReturnType<typeof startSite>>
const contexts: { close(): Promise<void> }[] = []

beforeAll(async () => {
  site = await startSite({ held: {}, opens: {} })
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map(context => context.close()))
})
afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

/** Opens an address in a browser of its own. */
async function visit(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(20_000)
  contexts.push(context)
  const page = await context.newPage()
  await page.goto(new URL(url, site.url).href)
  return page
}

const heading = (page: Page) => page.locator('h1').innerText()
const placeId = (page: Page) => page.locator('details p', { hasText: 'Place ID' }).textContent()
const offer = (page: Page) => page.getByRole('button', { name: 'Move to another device' }).click()
const takeHere = (page: Page) => page.getByRole('button', { name: 'Continue' }).click()
const codeOn = (page: Page) => page.locator('strong').innerText()
const linkOn = async (page: Page) => (await page.locator('a[href*="code="]').getAttribute('href')) ?? ''

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    // @ts-expect-error axe is a global of the page
    const { violations } = await axe.run()
    return violations.map((one: { id: string }) => one.id)
  })
}

describe('a place that is taken along', () => {
  it('is in the other browser once its link was opened and the button pressed, and the first one says so', async () => {
    const old = await visit('/held/shoes?size=43')
    await old.evaluate(() => Object.assign(globalThis, { loaded: 'once' }))
    await offer(old)
    expect(await codeOn(old)).toMatch(CODE)
    expect(await old.locator('svg').boundingBox()).toMatchObject({ width: expect.any(Number) })
    expect(await old.evaluate(() => document.activeElement?.id)).toBe('along')
    expect(await old.evaluate(() => Reflect.get(globalThis, 'loaded'))).toBe('once')
    expect(await violations(old)).toEqual([])
    const other = await visit(await linkOn(old))
    expect(await heading(other)).toBe('Move your place here')
    expect(await violations(other)).toEqual([])
    await takeHere(other)
    await other.locator('#place').waitFor()
    expect(new URL(other.url()).pathname).toBe('/held/shoes')
    expect(await placeId(other)).toBe(await placeId(old))
    await expect.poll(() => heading(old), { timeout: 30_000 }).toBe('Your place is on another device now')
    expect(await violations(old)).toEqual([])
    await old.getByRole('button', { name: 'Stand in line again' }).click()
    await old.locator('#place').waitFor()
    expect(new URL(old.url()).pathname).toBe('/held/shoes')
    expect(await placeId(old)).not.toBe(await placeId(other))
  })

  it('is let in at the other browser only', async () => {
    const old = await visit('/opens/a')
    await offer(old)
    const other = await visit(await linkOn(old))
    await takeHere(other)
    await other.locator('#place').waitFor()
    await expect.poll(() => heading(old), { timeout: 30_000 }).toBe('Your place is on another device now')
    await site.change('opens', { queue_all: false })
    await expect.poll(() => heading(other), { timeout: 30_000 }).toBe('Welcome')
    await old.reload()
    expect(await heading(old)).toBe('Your place is on another device now')
  })

  it('is moved by a typed code, without any script', async () => {
    const old = await visit('/held/shoes', WITHOUT_SCRIPTS)
    await offer(old)
    expect(await heading(old)).toBe('Take your place along')
    const code = await codeOn(old)
    const other = await visit('/held', WITHOUT_SCRIPTS)
    await offer(other)
    await other.getByRole('link', { name: 'Code from another device' }).click()
    await other.getByLabel('Code from another device').fill('EU0-00000-00000')
    await takeHere(other)
    expect(await other.locator('.note').innerText()).toContain('This code is not valid.')
    await other.getByLabel('Code from another device').fill(` ${code.toLowerCase().replaceAll('-', ' ')}`)
    await takeHere(other)
    expect(await heading(other)).toBe('You are in line')
    await old.getByRole('link', { name: 'Check now' }).click()
    await expect
      .poll(async () => (await old.reload()) && heading(old), { timeout: 30_000, interval: 1_000 })
      .toBe('Your place is on another device now')
    await old.getByRole('button', { name: 'Stand in line again' }).click()
    expect(await heading(old)).toBe('You are in line')
  })
})

describe('the page in the browser of an app', () => {
  it('advises to take the place along, and no other page does', async () => {
    const hint = (page: Page) => page.getByText('You are inside an app', { exact: false }).count()
    expect(await hint(await visit('/held', { userAgent: INSTAGRAM }))).toBe(1)
    expect(await hint(await visit('/held'))).toBe(0)
  })
})
