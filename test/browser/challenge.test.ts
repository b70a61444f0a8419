/**
 * The challenge on the waiting page, solved by real Chromium, and the way without scripts.
 * @module-tag chromium
 */
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startSite } from './waiting-site.ts'

let site: Awaited<ReturnType<typeof startSite>>
let browser: Browser

beforeAll(async () => {
  const block = '<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>{{{antesala}}}</html>'
  site = await startSite({
    line: { challenge: { when: 'crowded' } },
    custom: { challenge: { when: 'crowded' }, custom_page_html: block },
    widget: { challenge: { when: 'crowded', provider: 'turnstile', site_key: '1x0' } },
    open: { challenge: { when: 'always' }, queue_all: false, new_users_per_minute: 600 },
  })
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

/** Opens a page, and collects what the browser refuses or fails to run. */
async function open(path: string, javaScriptEnabled = true): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({ javaScriptEnabled, locale: 'en' })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('console', message => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(`${site.url}${path}`)
  return { page, errors }
}

const text = (page: Page, id: string) => page.locator(`#${id}`).textContent()
/** Leaves out the errors that the console reports for the status 503 of a page in line. */
const ownErrors = (errors: readonly string[]) => errors.filter(one => !one.includes('503'))

describe('the challenge on the waiting page', () => {
  it.each(['line', 'custom'])('is solved by the browser, which then has a place (%s)', async room => {
    const { page, errors } = await open(`/${room}`)
    await expect.poll(() => text(page, 'place'), { timeout: 40_000 }).toMatch(/^\d+$/)
    expect(await text(page, 'lead')).not.toContain('short calculation')
    expect(await page.locator('#slow').isHidden()).toBe(true)
    expect(ownErrors(errors)).toEqual([])
    await page.context().close()
  })

  it('lets a newcomer of an open room in by itself', async () => {
    const { page } = await open('/open?size=4')
    await expect.poll(() => page.title(), { timeout: 40_000 }).toBe('Shop')
    expect(site.reached).toContain('GET /open?size=4')
    await page.context().close()
  })

  it('shows a widget, and calculates where Cloudflare does not accept its token', async () => {
    const { page } = await open('/about')
    const rendered: string[] = []
    await page.exposeFunction('rendered', (cData: string) => rendered.push(cData))
    const script = `window.turnstile = {
      render(box, { cData, callback }) { box.textContent = 'widget'; rendered(cData).then(() => callback('token')); return 'w1' },
      remove() { document.getElementById('widget').textContent = '' },
    }`
    const answer = { contentType: 'text/javascript', body: script }
    await page.context().route('https://challenges.cloudflare.com/**', route => route.fulfill(answer))
    await page.goto(`${site.url}/widget`)
    await expect.poll(() => rendered.length, { timeout: 20_000 }).toBe(1)
    await expect.poll(() => text(page, 'place'), { timeout: 40_000 }).toMatch(/^\d+$/)
    expect(rendered[0]).toMatch(/^[\w-]{43}$/)
    expect(await text(page, 'widget')).toBe('')
    await page.context().close()
  })

  it('explains the slow way where no worker can run', async () => {
    const { page } = await open('/about')
    await page.addInitScript(() => {
      // @ts-expect-error the page must find no worker
      delete window.Worker
    })
    await page.goto(`${site.url}/line`)
    await expect.poll(() => page.locator('#slow').isVisible(), { timeout: 20_000 }).toBe(true)
    expect(await text(page, 'lead')).toContain('short calculation')
    await page.context().close()
  })

  it('counts a place without scripts after about a minute', async () => {
    const { page } = await open('/line', false)
    // Playwright finds no text inside of a noscript element.
    expect(await page.locator('noscript p').first().innerText()).toContain('counts after about a minute')
    expect(await page.locator('#lead').isVisible()).toBe(false)
    await expect.poll(() => text(page, 'place'), { timeout: 150_000, interval: 2_000 }).toMatch(/^\d+$/)
    await page.context().close()
  }, 180_000)
})
