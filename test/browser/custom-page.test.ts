/**
 * A page of the operator's own in real Chromium: it has no script of ours, reloads by itself, and lets its visitor in.
 * @module-tag chromium
 */
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startSite } from './waiting-site.ts'

const LAUNCH = { executablePath: command('chromium'), args: ['--no-sandbox', '--disable-quic'] }
/** A page as it may be written for Cloudflare, with a style, a script, and a reload tag of its own. */
const OWN = `<!doctype html>
<html lang="en"><head><title>Waiting Room</title><meta http-equiv="refresh" content="1">
<style>h1 { color: rgb(160, 51, 34) }</style></head>
<body><h1>In line</h1><p id="left"><noscript>{{^waitTimeKnown}}The wait is not known.{{/waitTimeKnown}}</noscript></p>
{{#turnstile}}<p>Please complete the challenge.</p>{{{turnstile}}}{{/turnstile}}
<script>
  var waitTimeKnown = {{waitTimeKnown}};
  document.getElementById('left').innerText = waitTimeKnown ? '{{waitTimeFormatted}}' : 'unavailable';
</script></body></html>`

let browser: Browser
let site: Awaited<ReturnType<typeof startSite>>

beforeAll(async () => {
  // The page reloads twice in a claim window.
  const settings = { custom_page_html: OWN, claim_window: 0.2 }
  site = await startSite({ own: settings, plainown: settings })
  browser = await chromium.launch(LAUNCH)
})
afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

describe.concurrent.each([
  ['with scripts', 'own', true, 'unavailable'],
  ['without scripts', 'plainown', false, 'The wait is not known.'],
])('a page of the operator %s', (_, room, javaScriptEnabled, words) => {
  it('looks as written, reloads at the pace of the room even with a fragment, and goes on to the site', async () => {
    const context = await browser.newContext({ javaScriptEnabled })
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', error => errors.push(String(error)))
    let loads = 0
    page.on('request', request => {
      if (request.isNavigationRequest()) loads++
    })
    const startMs = Date.now()
    const response = await page.goto(`${site.url}/${room}/sale?a=1#below`)
    const seconds = Number(/^\d+/.exec(response?.headers().refresh ?? '')?.[0])
    expect(seconds).toBeGreaterThanOrEqual(5)
    expect(await page.locator('#left').innerText()).toBe(words)
    expect(await page.locator('h1').evaluate(element => getComputedStyle(element).color)).toBe('rgb(160, 51, 34)')
    expect(await page.content()).not.toContain('challenge')
    // The page's own tag would have reloaded it more than once by now.
    await page.waitForTimeout(3_000)
    // On a busy machine, the page may have reloaded at the pace of the room by then.
    const reloads = Math.floor((Date.now() - startMs) / 1_000 / seconds)
    expect(loads).toBeLessThanOrEqual(1 + reloads)
    await site.change(room, { queue_all: false })
    await page.waitForSelector('text=Welcome', { timeout: 40_000 })
    expect(loads).toBeGreaterThan(1)
    expect(site.reached).toContain(`GET /${room}/sale?a=1`)
    expect(errors).toEqual([])
    await context.close()
  })
})
