/**
 * Every page in every state, from the preview, in real Chromium: read by axe, on a narrow screen and with large text.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../support/node/programs.ts'
import { type Local, serveLocally, startRooms } from './served-site.ts'

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const LOGO =
  'data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20width=%22200%22%20height=%2240%22/%3E'
const BRAND = {
  name: 'Tea & Biscuits',
  logo: LOGO,
  icon: LOGO,
  accent: '#ffb3b3',
  background: '#fff5f5',
  home_url: 'https://tea.example/',
  help_url: 'tel:+34900',
  privacy_url: 'https://tea.example/privacy',
  help_text: 'Questions? We are there until midnight.',
}
const NARROW = { width: 320, height: 640 }

let origin: Local
let site: Awaited<ReturnType<typeof startRooms>>
let browser: Browser
let names: readonly string[]

beforeAll(async () => {
  origin = await serveLocally((_request, _body, response) => response.end())
  const message = 'Two loaves a person: https://tea.example/a-long-address-that-has-no-space-in-it-at-all.'
  site = await startRooms({ tea: { brand: BRAND, message, turn: 'confirm', queue_all: true } }, origin.port)
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox'] })
  const list = await site.preview({ room: 'tea' })
  names = [...list.matchAll(/<iframe src="[^"]*" title="([\w-]+)"/g)].map(([, name]) => name ?? '')
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await origin?.stop()
})

/** Returns what axe finds wrong in these pages, and the pages that are wider than the screen. */
async function problemsOf(page: Page, query: Record<string, string>, pages: readonly string[]): Promise<string[]> {
  const problems: string[] = []
  await page.goto('about:blank')
  await page.evaluate(AXE)
  for (const name of pages) {
    await page.setContent(await site.preview({ room: 'tea', page: name, ...query }))
    const found = await page.evaluate(async () => {
      // @ts-expect-error axe is a global of the page
      const { violations } = await axe.run()
      const wide = document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []
      return [
        ...wide,
        ...violations.map((one: { id: string; nodes: { target: string[] }[] }) => `${one.id}: ${one.nodes[0]?.target}`),
      ]
    })
    problems.push(...found.map(one => `${name}: ${one}`))
  }
  return problems
}

describe('every page in every state', () => {
  it('has nothing that axe finds wrong, also on a narrow screen', async () => {
    const page = await browser.newPage({ viewport: NARROW, colorScheme: 'light' })
    expect(names.length).toBeGreaterThan(30)
    expect(await problemsOf(page, { lang: 'en', scheme: 'light' }, names)).toEqual([])
    await page.close()
  })

  it.each([
    ['dark, from right to left', { lang: 'ar', scheme: 'dark' }, {}],
    ['in forced colours', { lang: 'de', scheme: 'light' }, { forcedColors: 'active' }],
  ] as const)('has nothing that axe finds wrong %s', async (_, query, options) => {
    const page = await browser.newPage({ viewport: NARROW, ...options })
    const kinds = ['waiting', 'called', 'before-draw', 'form', 'no-line', 'limited', 'outage', 'resubmit']
    expect(await problemsOf(page, query, kinds)).toEqual([])
    await page.close()
  })

  it('fits a narrow screen with text of twice the size', async () => {
    const page = await browser.newPage({ viewport: { width: 640, height: 900 } })
    for (const name of ['waiting', 'called', 'before-start', 'limited', 'outage']) {
      await page.setContent(await site.preview({ room: 'tea', page: name, lang: 'de' }))
      await page.addStyleTag({ content: ':root { font-size: 200% }' })
      const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
      expect([name, isWide]).toEqual([name, false])
    }
    await page.close()
  })
})
