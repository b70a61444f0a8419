/** Takes pictures of every page in every state, so that a change of the pages can be looked at. */
import { mkdirSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { type Flags, type Given, run } from './support/cli.ts'
import { freePort } from './support/ports.ts'
import { newAdminToken, newRoomKeys } from './support/secrets.ts'
import { startServe } from './support/workerd.ts'
import { needProgram } from './testing/programs.ts'

const USAGE = `npm run pages -- [FLAGS]

Takes a picture of each page of the preview in both colour schemes, on a phone and on a desktop, and writes them into
.antesala/pages, which Git ignores. It needs Chromium.`

const FOLDER = new URL('../.antesala/pages/', import.meta.url).pathname
const SIZES = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
]
const SCHEMES = ['light', 'dark'] as const
const ROOM = {
  name: 'shop',
  host: '*',
  total_active_users: 100,
  new_users_per_minute: 60,
  message: 'Sizes 40 to 44 are still there: https://shop.example/sizes',
  brand: {
    name: 'The shop',
    home_url: 'https://shop.example/',
    help_url: 'tel:+34900',
    help_text: 'Questions? Call us.',
  },
}
/** The pages need no origin, so no server has to listen at this address. */
const NO_ORIGIN = 'http://127.0.0.1:9'

const FLAGS: Flags = { lang: { value: 'TAG', help: 'the language of the pages', default: 'en' } }

await run(USAGE, FLAGS, main)

async function main({ lang = 'en' }: Given): Promise<number> {
  const executablePath = await needProgram('chromium')
  const adminToken = newAdminToken()
  const served = await startServe({
    port: await freePort(),
    origin: NO_ORIGIN,
    rooms: [ROOM],
    storage: 'memory',
    roomKeys: await newRoomKeys(),
    adminToken,
  })
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const preview = async (query: Record<string, string>) => {
    const url = `${served.url}/.waiting-room/preview?${new URLSearchParams(query)}`
    const response = await fetch(url, { headers: { Authorization: `Bearer ${adminToken}` } })
    const text = await response.text()
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`)
    return text
  }
  try {
    mkdirSync(FOLDER, { recursive: true })
    const names = [...(await preview({})).matchAll(/<iframe [^>]*title="([\w-]+)"/g)].map(([, name]) => name ?? '')
    for (const scheme of SCHEMES) {
      const pages = await Promise.all(names.map(page => preview({ page, lang, scheme })))
      await takePictures(browser, scheme, new Map(names.map((name, i) => [name, pages[i] ?? ''])))
    }
    console.log(`${names.length * SCHEMES.length * SIZES.length} pictures in ${FOLDER}`)
  } finally {
    await browser.close()
    await served.stop()
  }
  return 0
}

async function takePictures(browser: Browser, scheme: string, pages: ReadonlyMap<string, string>): Promise<void> {
  for (const viewport of SIZES) {
    const page = await browser.newPage({ viewport })
    for (const [name, html] of pages) {
      await page.setContent(html)
      await page.screenshot({ path: `${FOLDER}${name}-${scheme}-${viewport.width}.png`, fullPage: true })
    }
    await page.close()
  }
}
