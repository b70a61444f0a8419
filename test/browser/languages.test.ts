/**
 * The waiting page in real Chromium, in a language from right to left and in one with several plural forms.
 * @module-tag chromium
 */
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startSite } from './waiting-site.ts'

let site: Awaited<ReturnType<typeof startSite>>
let browser: Browser

beforeAll(async () => {
  site = await startSite({ shop: { message: { ar: 'نفتح الساعة العاشرة.', pl: 'Otwieramy o 10.' } } })
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

async function open(locale: string, javaScriptEnabled = true): Promise<Page> {
  const context = await browser.newContext({ locale, javaScriptEnabled, viewport: { width: 390, height: 844 } })
  const page = await context.newPage()
  await page.goto(`${site.url}/shop`)
  return page
}

const text = (page: Page, id: string) => page.locator(`#${id}`).textContent()

describe('the waiting page', () => {
  it.each([true, false])('reads from right to left in Arabic (with scripts: %s)', async withScripts => {
    const page = await open('ar-EG', withScripts)
    expect(await page.locator('html').getAttribute('dir')).toBe('rtl')
    expect(await text(page, 'headline')).toBe('أنت في قائمة الانتظار')
    expect(await page.locator('#message').getAttribute('lang')).toBe('ar')
    const headline = await page.locator('#headline').evaluate(element => getComputedStyle(element).direction)
    expect(headline).toBe('rtl')
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    expect(width).toBe(390)
    await page.context().close()
  })

  it('keeps its language when it polls', async () => {
    const page = await open('pl')
    await expect.poll(() => text(page, 'place'), { timeout: 20_000 }).toMatch(/^\d+$/)
    expect(await text(page, 'headline')).toBe('Czekasz w kolejce')
    expect(await text(page, 'status')).toMatch(/^Zaktualizowano o \d{2}:\d{2}/)
    expect(await text(page, 'message')).toBe('Otwieramy o 10.')
    expect(await page.title()).toMatch(/^\d+ w kolejce$/)
    await page.context().close()
  })

  it('counts in the plural forms of its language without scripts', async () => {
    const page = await open('pl', false)
    const { noscript, seconds } = await page.evaluate(() => ({
      noscript: document.querySelector('noscript p')?.textContent ?? '',
      seconds: Number(document.querySelector<HTMLMetaElement>('meta[http-equiv]')?.content.split(';')[0]),
    }))
    const form = new Intl.PluralRules('pl').select(seconds) === 'few' ? 'sekundy' : 'sekund'
    expect(noscript).toContain(`co ${seconds} ${form} i`)
    await page.context().close()
  })
})
