/**
 * The waiting page in real Chromium, served by the built Worker, while the room is steered through the admin API.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Route,
} from 'playwright-core'
import { afterAll, test as base, beforeAll, describe, expect, vi } from 'vitest'
import { send } from '../support/node/browser-like.ts'
import { command } from '../support/node/programs.ts'
import { startSite } from './waiting-site.ts'

const LAUNCH = {
  executablePath: command('chromium'),
  args: [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
  ],
}
const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
/** The page in one language as it is sent, compressed with brotli. */
const PAGE_BYTES_MAX = 6_144
const TEXTS = JSON.parse(readFileSync(new URL('../../static/texts/en.json', import.meta.url), 'utf8'))
const STATUS = /\/\.waiting-room\/status\?/

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** A context that takes longer to close, in milliseconds, means a stuck browser. The next test gets a new browser. */
const CLOSES_WITHIN_MS = 5_000

let browser: Promise<Browser> | null = null
let site: Awaited<ReturnType<typeof startSite>>

/** An event whose prequeue began an hour ago, and whose start is an hour away. */
function anHourAway(name: string, shuffle_at_event_start: boolean) {
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
  const times = { prequeue_start_time: at(-1), event_start_time: at(1), event_end_time: at(2) }
  return { name, shuffle_at_event_start, message: 'Two loaves a person.', ...times }
}

beforeAll(async () => {
  site = await startSite({
    held: { message: 'Soon.' },
    line: { new_users_per_minute: 100 },
    plain: { message: 'We open at nine.' },
    lost: {},
    cookies: {},
    form: {},
    backform: {},
    largeform: {},
    plainform: {},
    full: { queue_all: false, total_active_users: 1, claim_window: 0.1, missed_grace: 0 },
    tabs: {},
    given: {},
    still: {},
    lots: { queueing_method: 'random', shuffle_window: 0.1 },
    lanes: { lanes: [{ name: 'vip', share: 0.3 }] },
    guests: { invite_only: true, queue_all: false },
    raffle: { events: [anHourAway('raffle', true)] },
    opening: { events: [anHourAway('opening', false)] },
    noline: { queueing_method: 'reject', queue_all: false, new_users_per_minute: 0, message: 'Until noon.' },
  })
})
afterAll(async () => {
  await inTime(browser?.then(one => one.close()))
  await site?.stop()
})

/** Resolves to false when the promise takes too long. The promise is then abandoned. */
function inTime(done: Promise<unknown> | undefined): Promise<boolean> {
  const late = new Promise<boolean>(resolve => setTimeout(() => resolve(false), CLOSES_WITHIN_MS))
  return Promise.race([late, Promise.resolve(done).then(() => true)])
}

interface Fixtures {
  /** A browser context of its own for each visitor, closed at the end of the test. */
  visitor(options?: BrowserContextOptions): Promise<BrowserContext>
  visit(path: string, options?: BrowserContextOptions): Promise<Page>
}

const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs
  visitor: async ({}, use) => {
    const contexts: BrowserContext[] = []
    await use(async options => {
      browser ??= chromium.launch(LAUNCH)
      const context = await (await browser).newContext(options)
      contexts.push(context)
      context.setDefaultTimeout(15_000)
      return context
    })
    if (!(await inTime(Promise.all(contexts.map(context => context.close()))))) browser = null
  },
  visit: ({ visitor }, use) =>
    use(async (path, options) => {
      const page = await (await visitor(options)).newPage()
      await page.goto(site.url + path)
      return page
    }),
})

const text = (page: Page, id: string) => page.locator(`#${id}`).innerText()
const number = async (page: Page) => Number((await text(page, 'place')).replaceAll(',', ''))
const progress = (page: Page) => page.locator('#way').evaluate(bar => (bar as HTMLProgressElement).value)
/** Returns the parts of the page that do not fit into 320 pixels. */
const OUTSIDE_320 = () =>
  [...document.querySelectorAll('main > :not(.said), dd, dt')]
    .filter(node => node.scrollWidth > node.clientWidth + 1 || node.getBoundingClientRect().right > 320)
    .map(node => node.outerHTML)
const FIGURES = () => ({
  place: document.getElementById('place')?.textContent ?? '',
  bar: (document.getElementById('way') as HTMLProgressElement).value,
})
const entered = (page: Page) => page.getByRole('heading', { name: 'Welcome' }).waitFor({ timeout: 30_000 })
const reached = (path: string) => site.reached.filter(line => line.split(' ')[1]?.startsWith(path))
/** Polls now, like a page that the browser's Back button has restored. */
const pollNow = (page: Page) =>
  page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))

/** The answer to a poll, with figures that would take too long to reach in a test. */
function place(more: Record<string, unknown>) {
  const known = { waitTimeKnown: more.wait !== undefined, waitTimeFormatted: more.wait }
  return {
    state: 'waiting',
    position: null,
    held: false,
    message: '',
    pollAfterSeconds: 0.2,
    cfWaitingRoom: known,
    ...more,
  }
}

/** Answers polls with these places in turn, and repeats the last one. */
async function answer(page: Page, ...places: readonly object[]): Promise<void> {
  let next = 0
  await page.unroute(STATUS)
  await page.route(STATUS, route => route.fulfill({ json: places[Math.min(next++, places.length - 1)] }))
  await pollNow(page)
}

/** Removes cookies from an answer. The browser then behaves as if cookies were switched off. */
async function answerWithoutCookies(route: Route): Promise<void> {
  const request = route.request()
  const answer = await send(request.url(), { method: request.method(), headers: await request.allHeaders() })
  const kept = Object.entries(answer.headers).filter(([name]) => name !== 'set-cookie')
  const headers = Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
  await route.fulfill({ status: answer.status, headers, body: answer.text })
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    // @ts-expect-error axe is a global of the page
    const { violations } = await axe.run()
    return violations.map(
      (one: { id: string; nodes: { target: string[] }[] }) => `${one.id}: ${one.nodes.map(node => node.target)}`,
    )
  })
}

describe.concurrent('in line', () => {
  test("the operator's message is shown as written, and changes without a reload", async ({ visit, expect }) => {
    const page = await visit('/held')
    await page.evaluate(() => Object.assign(globalThis, { loaded: 'once' }))
    expect(await text(page, 'message')).toBe('Soon.')
    expect(await page.locator('main').innerText()).toContain(
      'Nobody is being let in at the moment. Your place is kept.',
    )
    await site.change('held', { message: 'First line\n<b>second</b> & "third"' })
    await expect.poll(() => text(page, 'message'), { timeout: 10_000 }).toBe('First line\n<b>second</b> & "third"')
    expect(await text(page, 'said')).toContain('First line')
    await page.reload()
    expect(await text(page, 'message')).toBe('First line\n<b>second</b> & "third"')
    await page.evaluate(() => Object.assign(globalThis, { loaded: 'twice' }))
    await site.change('held', { message: 'Questions? https://shop.example/help, or tel:+34900.' })
    const links = page.locator('#message a')
    await expect.poll(() => links.count(), { timeout: 10_000 }).toBe(2)
    expect(await links.first().getAttribute('href')).toBe('https://shop.example/help')
    expect(await text(page, 'message')).toBe('Questions? https://shop.example/help, or +34900.')
    await site.change('held', { message: '' })
    await page.locator('#message').waitFor({ state: 'hidden' })
    expect(await page.evaluate(() => Reflect.get(globalThis, 'loaded'))).toBe('twice')
  })

  test('a number appears within seconds and falls, and the browser then opens the address it asked for', async ({
    visit,
    expect,
  }) => {
    await site.crowd('line', 30)
    const page = await visit('/line/shoes?size=43&q=a%20b#reviews')
    expect(await text(page, 'place')).toBe('Finding your number')
    await expect.poll(() => number(page), { timeout: 30_000 }).toBeGreaterThan(0)
    const first = await number(page)
    expect(Math.abs(first - 31)).toBeLessThanOrEqual(2)
    expect(await page.title()).toBe(`${first} in line`)
    expect(await text(page, 'said')).toBe(`Place ${first} in line. Estimated wait: Not known yet.`)
    await site.change('line', { queue_all: false })
    const seen: { place: string; bar: number }[] = []
    while ((await page.title()).endsWith('in line')) {
      // At the moment in which the visitor enters, the page has no figures.
      const figures = await page.evaluate(FIGURES).catch(() => null)
      if (figures) seen.push(figures)
      await page.waitForTimeout(200)
    }
    await entered(page)
    const numbers = seen.map(({ place }) => Number(place)).filter(place => place > 0)
    expect(new Set(numbers).size).toBeGreaterThan(3)
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a))
    const bars = seen.map(({ bar }) => bar)
    expect(bars).toEqual(bars.toSorted((a, b) => a - b))
    expect(page.url()).toBe(`${site.url}/line/shoes?size=43&q=a%20b#reviews`)
    expect(reached('/line/shoes')).toEqual(['GET /line/shoes?size=43&q=a%20b'])
    await page.goBack()
    expect(page.url()).toBe('about:blank')
  })

  test('a draw is explained on the page, and the number is shown after the draw', async ({ visit, expect }) => {
    const page = await visit('/lots')
    expect(await text(page, 'place')).toBe('Not drawn yet')
    expect(await text(page, 'lead')).toContain('Places are drawn by lot')
    await expect.poll(() => number(page), { timeout: 30_000 }).toBe(1)
    expect(await text(page, 'lead')).not.toContain('Places are drawn by lot')
  })

  test('a room without a line shows a page that explains it, and that does nothing by itself', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/noline', { javaScriptEnabled: false })
    const words = await page.locator('main').innerText()
    for (const part of ['There is no room at the moment', 'Until noon.', 'does not update itself']) {
      expect(words).toContain(part)
    }
    expect(await page.locator('script, meta[http-equiv], form, button').count()).toBe(0)
    const scheme = await visit('/noline', { colorScheme: 'dark' })
    expect(await violations(scheme)).toEqual([])
  })

  test('an invitation in a link is removed from the address, and its visitor waits in the priority line', async ({
    visit,
    expect,
  }) => {
    const page = await visit(await site.invited('lanes', 'vip'))
    expect(page.url()).toBe(`${site.url}/lanes/sale?size=4`)
    expect(await page.locator('main').innerText()).toContain('You are in the priority line.')
    expect(await violations(page)).toEqual([])
    await site.change('lanes', { queue_all: false })
    await entered(page)
    expect(page.url()).toBe(`${site.url}/lanes/sale?size=4`)
    expect(site.reached.join()).not.toContain('invite')
  })

  test('an invite-only room refuses uninvited visitors on its page, and admits an invited one', async ({
    visit,
    visitor,
  }) => {
    const page = await visit('/guests')
    const words = await page.locator('main').innerText()
    for (const part of ['You need an invitation', 'does not update itself']) expect(words).toContain(part)
    expect(await page.locator('script, meta[http-equiv]').count()).toBe(0)
    expect(await violations(page)).toEqual([])
    await page.goto(`${site.url}/guests?invite=ey`)
    expect(page.url()).toBe(`${site.url}/guests`)
    expect(await page.locator('main').innerText()).toContain('This invitation is not valid')
    const guest = await (await visitor()).newPage()
    await guest.goto(site.url + (await site.invited('guests')))
    await entered(guest)
    expect(guest.url()).toBe(`${site.url}/guests/sale?size=4`)
  })

  test('an invitation can be typed on the page, or its link pasted, also without scripts', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/guests/sale?size=4&q=a%26b', { javaScriptEnabled: false })
    const type = async (words: string) => {
      await page.getByLabel('Invitation code or link').fill(words)
      await page.getByRole('button', { name: 'Continue' }).click()
    }
    await type('nonsense')
    await page.getByRole('heading', { name: 'This invitation is not valid' }).waitFor()
    await type(` https://shop.example${await site.invited('guests')}&more=1 `)
    await expect.poll(() => page.url()).toBe(`${site.url}/guests/sale?size=4&q=a%26b`)
    await expect.poll(() => page.getByLabel('Invitation code or link').count()).toBe(0)
    expect(site.reached.join()).not.toContain('invite=')
  })

  test('a page without scripts reads well, and its visitor still gets in', async ({ visit, expect }) => {
    const page = await visit('/plain/a?b=1#c', { javaScriptEnabled: false })
    const words = await page.locator('main').innerText()
    for (const part of ['You are in line', 'We open at nine.', 'reloads every 20 seconds'])
      expect(words).toContain(part)
    expect(await page.getByRole('button').allInnerTexts()).toEqual(['Move to another device'])
    await site.change('plain', { queue_all: false })
    const welcome = page.getByRole('heading', { name: 'Welcome' })
    const looks = async () => {
      const link = page.getByRole('link', { name: 'Check now' })
      if ((await link.count()) > 0) await link.click()
      return welcome.count()
    }
    await expect.poll(looks, { timeout: 20_000, interval: 1_000 }).toBe(1)
    expect(page.url()).toBe(`${site.url}/plain/a?b=1`)
  })

  test('a lost connection is shown, the place is kept, and the page recovers by itself', async ({ visit, expect }) => {
    const page = await visit('/lost')
    await page.locator('#place:not(.pending)').waitFor()
    const before = await number(page)
    await page.context().setOffline(true)
    await expect.poll(() => text(page, 'status')).toContain('No connection at the moment. Your place is kept')
    expect(await text(page, 'said')).toContain('No connection')
    await site.crowd('lost', 3)
    await page.waitForTimeout(3_000)
    await page.context().setOffline(false)
    await expect.poll(() => text(page, 'status'), { timeout: 15_000 }).toContain('Updated at')
    expect(await number(page)).toBe(before)
    await site.change('lost', { queue_all: false })
    await entered(page)
  })

  test('a browser with cookies switched off gets a plain notice and a button to try again', async ({
    visitor,
    expect,
  }) => {
    const context = await visitor()
    await context.route('**/*', answerWithoutCookies)
    const page = await context.newPage()
    await page.goto(`${site.url}/cookies`)
    await page.getByRole('heading', { name: 'Cookies seem to be switched off' }).waitFor()
    expect(await page.locator('main').innerText()).not.toContain('Your place in line\n')
    expect(await violations(page)).toEqual([])
    const again = page.waitForRequest(`${site.url}/cookies`)
    await page.getByRole('button', { name: 'Try again' }).click()
    await again
  })

  test('a form sent while its visitor had to wait keeps its fields, and a click sends it again after the wait', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/send?to=/form/pay?order=7%23card')
    await page.getByRole('button').click()
    await page.getByText('What you sent has not been delivered').waitFor()
    await page.locator('#place:not(.pending)').waitFor()
    expect(await page.getByRole('button', { name: 'Send it again' }).count()).toBe(0)
    await site.change('form', { queue_all: false })
    await page.getByRole('heading', { name: 'It is your turn' }).waitFor({ timeout: 30_000 })
    expect([await violations(page), reached('/form/pay')]).toEqual([[], []])
    await page.getByRole('button', { name: 'Send it again' }).click()
    await entered(page)
    expect(page.url()).toBe(`${site.url}/form/pay?order=7`)
    expect(reached('/form/pay')).toEqual(['POST /form/pay?order=7'])
    expect(site.bodies.filter(([path]) => path === '/form/pay?order=7')).toEqual([['/form/pay?order=7', 'card=42']])
  })

  test('a visitor may go back to the page of a form instead of sending it', async ({ visit, expect }) => {
    const page = await visit('/send?to=/backform/pay')
    await page.getByRole('button').click()
    await page.getByText('What you sent has not been delivered').waitFor()
    await site.change('backform', { queue_all: false })
    await page.getByRole('button', { name: 'Open the page' }).click({ timeout: 30_000 })
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor()
    expect([page.url(), reached('/backform/pay')]).toEqual([`${site.url}/send?to=/backform/pay`, []])
  })

  test('a form that is too large to keep leads back to its own page, and never to its address', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/send?to=/largeform/pay&large=1')
    const methods: string[] = []
    page.on('request', request => request.isNavigationRequest() && methods.push(request.method()))
    await page.getByRole('button').click()
    await page.getByText('What you sent has not been delivered').waitFor()
    await site.change('largeform', { queue_all: false })
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor({ timeout: 30_000 })
    expect([page.url(), methods]).toEqual([`${site.url}/send?to=/largeform/pay&large=1`, ['POST', 'GET']])
    expect(reached('/largeform/pay')).toEqual([])
  })

  test('a form is sent again by its button without scripts', async ({ visit, expect }) => {
    const page = await visit('/send?to=/plainform/pay', { javaScriptEnabled: false })
    await page.getByRole('button').click()
    await page.getByText('What you sent has not been delivered').waitFor()
    await page.getByRole('button', { name: 'Send it again' }).click()
    await page.getByText('What you sent has not been delivered').waitFor()
    expect(reached('/plainform/pay')).toEqual([])
    await site.change('plainform', { queue_all: false })
    await expect
      .poll(
        async () => {
          const button = page.getByRole('button', { name: 'Send it again' })
          if ((await button.count()) > 0) await button.click()
          return reached('/plainform/pay')
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toEqual(['POST /plainform/pay'])
  })

  test('a called visitor is told so, and one who was away gets a kind notice and a new place', async ({
    visit,
    expect,
  }) => {
    await site.crowd('full', 1)
    const page = await visit('/full')
    await page.getByRole('heading', { name: 'You are at the front' }).waitFor()
    // The visitor of the crowd is called, too, so this visitor is not the only next one.
    await expect.poll(() => text(page, 'place'), { timeout: 10_000 }).toBe('Among the next')
    expect([await progress(page), await page.title()]).toEqual([100, 'You are at the front'])
    expect(await violations(page)).toEqual([])
    await page.context().setOffline(true)
    await page.waitForTimeout(9_000)
    await page.context().setOffline(false)
    await page.getByRole('heading', { name: 'You have a new place in line' }).waitFor()
    expect(await violations(page)).toEqual([])
  })

  test('a called visitor is the next one only if no other visitor is called', async ({ visit, expect }) => {
    const page = await visit('/still')
    await answer(page, place({ state: 'called', othersCalled: 0 }))
    await page.locator('#place', { hasText: 'Next' }).waitFor()
    expect(await page.title()).toBe('Next in line')
    for (const unknown of [{ othersCalled: 3 }, { othersCalled: null }, {}]) {
      await answer(page, place({ state: 'called', ...unknown }))
      await page.locator('#place', { hasText: 'Among the next' }).waitFor()
      expect(await page.title()).toBe('You are at the front')
    }
  })

  test.for([true, false])(
    'a visitor is asked once before leaving the line, with scripts: %s',
    async (scripts, { visit, expect }) => {
      const page = await visit('/still?size=4', { javaScriptEnabled: scripts })
      const leave = page.getByRole('button', { name: 'Leave the line' })
      expect(await leave.isVisible()).toBe(false)
      await page.locator('summary', { hasText: 'Leave the line' }).click()
      await page.getByText('You will lose your place.').waitFor()
      if (scripts) expect(await violations(page)).toEqual([])
      const [before] = await page.context().cookies()
      await leave.click()
      await page.getByRole('heading', { name: 'You have left the line' }).waitFor()
      expect(await page.context().cookies()).toEqual([])
      await page.getByRole('link', { name: 'Stand in line again' }).click()
      await page.getByRole('heading', { name: 'You are in line' }).waitFor()
      expect(page.url()).toBe(`${site.url}/still?size=4`)
      expect((await page.context().cookies())[0]?.value).not.toBe(before?.value)
    },
  )

  test('the end of the wait is a time of the day in the zone of the visitor', async ({ visit, expect }) => {
    const page = await visit('/still', { timezoneId: 'Asia/Kolkata' })
    const likelyAt = '2026-03-01T10:15:00.000Z'
    await answer(page, place({ position: 12, wait: '3 to 5 minutes', likelyAt }))
    await page.locator('#at', { hasText: /^about 3:45\sPM$/ }).waitFor()
    await answer(page, place({ position: 11, wait: '40 to 80 seconds', likelyAt: null }))
    await page.locator('#wait', { hasText: '40 to 80 seconds' }).waitFor()
    expect(await text(page, 'at')).toBe('')
  })

  test('tabs share the answer of one poll, and enter together', async ({ visitor }) => {
    const context = await visitor()
    const asked: number[] = []
    context.on('response', response => STATUS.test(response.url()) && asked.push(response.status()))
    const tabs = [await context.newPage(), await context.newPage()] as const
    for (const tab of tabs) await tab.goto(`${site.url}/tabs/${tabs.indexOf(tab)}`)
    for (const tab of tabs) await tab.locator('#place:not(.pending)').waitFor()
    asked.length = 0
    await tabs[0].waitForTimeout(10_000)
    // A poll comes every two seconds, at most a fifth earlier. Two separate tabs would poll eight times or more.
    expect(asked.filter(status => status === 200).length).toBeLessThanOrEqual(7)
    // On a machine that stalls, both tabs may poll together once.
    expect(asked.filter(status => status === 429).length).toBeLessThanOrEqual(1)
    expect(await text(tabs[0], 'place')).toBe(await text(tabs[1], 'place'))
    await site.change('tabs', { queue_all: false })
    await Promise.all(tabs.map(entered))
    expect(reached('/tabs/').toSorted()).toEqual(['GET /tabs/0', 'GET /tabs/1'])
  })

  test('a place that was given up in another tab is replaced by a new one', async ({ visit, expect }) => {
    const page = await visit('/given')
    await page.locator('#place:not(.pending)').waitFor()
    const reloaded = page.waitForEvent('framenavigated')
    await page.context().request.post(`${site.url}/.waiting-room/leave?room=given`)
    await reloaded
    expect(await text(page, 'headline')).toBe('You are in line')
    expect(await text(page, 'place')).toBe('Finding your number')
  })
})

describe.concurrent('whatever a poll answers', () => {
  test('a shown position never rises, the bar never goes back, and few changes are read aloud', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/still')
    await page.evaluate(() => {
      const seen = { places: [] as string[], bars: [] as number[], said: [] as string[] }
      Object.assign(globalThis, { seen })
      const watch = (id: string, note: (node: HTMLElement) => void) => {
        const node = document.getElementById(id) as HTMLElement
        new MutationObserver(() => note(node)).observe(node, { childList: true, attributes: true })
      }
      watch('place', node => seen.places.push(node.innerText))
      watch('way', node => seen.bars.push((node as HTMLProgressElement).value))
      watch('said', node => seen.said.push(node.innerText))
    })
    const told = [100, 100, 104, 98, 99, 97, 60, 96, 40, 41].map(position =>
      place({ position, wait: '3 to 5 minutes' }),
    )
    await answer(page, ...told)
    await expect.poll(() => text(page, 'place'), { timeout: 10_000 }).toBe('40')
    const seen = await page.evaluate(() => Reflect.get(globalThis, 'seen'))
    expect([...new Set(seen.places)]).toEqual(['100', '98', '97', '60', '40'])
    expect([...new Set(seen.bars.map(Math.round))]).toEqual([0, 2, 3, 40, 60])
    expect(seen.said).toHaveLength(1)
    expect(seen.said[0]).toMatch(/^You are in line\..* Place 100 in line\. Estimated wait: 3 to 5 minutes\.$/)
    await page.reload()
    await answer(page, place({ position: 40 }))
    await expect.poll(() => progress(page)).toBe(60)
  })

  test('a turn in a hidden tab is kept until its visitor presses a button, and told to one who asked for it', async ({
    visitor,
    expect,
  }) => {
    const context = await visitor()
    await context.addInitScript(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' })
      Object.assign(globalThis, { tones: 0, vibrated: 0 })
      const { createOscillator } = AudioContext.prototype
      AudioContext.prototype.createOscillator = function () {
        Object.assign(globalThis, { tones: Reflect.get(globalThis, 'tones') + 1 })
        return createOscillator.call(this)
      }
    })
    const page = await context.newPage()
    const polls: string[] = []
    page.on('request', request => polls.push(request.url()))
    await page.goto(`${site.url}/still`)
    await page.getByRole('button', { name: 'Tell me when it is my turn' }).click()
    expect(await text(page, 'told')).toContain('This page will tell you')
    await answer(page, place({ state: 'called', claimInSeconds: 272 }))
    await page.getByRole('heading', { name: 'It is your turn' }).waitFor()
    expect(await text(page, 'lead')).toMatch(/^Go in within 4:3[0-2]\.$/)
    expect(await page.title()).toMatch(/^4:3[0-2] It is your turn$/)
    expect(await page.evaluate(() => Reflect.get(globalThis, 'tones'))).toBe(4)
    expect(polls.filter(url => STATUS.test(url)).every(url => url.includes('claim=0'))).toBe(true)
    expect(await violations(page)).toEqual([])
    const enters = page.waitForRequest(`${site.url}/still`)
    await page.getByRole('button', { name: 'Open the page' }).click()
    await enters
  })

  test('the headline of a missed turn stays while the page waits, and the new number is shown', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/still')
    await answer(page, place({ position: 5 }), place({ state: 'missed' }), place({ position: 12 }))
    await expect.poll(() => text(page, 'place')).toBe('12')
    expect(await text(page, 'headline')).toBe('You have a new place in line')
    expect(await progress(page)).toBe(0)
  })

  test('an answer that asks the page to slow down is obeyed', async ({ visit, expect }) => {
    const page = await visit('/still')
    const askedMs: number[] = []
    await page.route(STATUS, route => {
      askedMs.push(Date.now())
      return route.fulfill({ status: 429, headers: { 'Retry-After': '3' } })
    })
    await pollNow(page)
    await expect.poll(() => askedMs.length, { timeout: 10_000 }).toBe(2)
    expect((askedMs[1] ?? 0) - (askedMs[0] ?? 0)).toBeGreaterThanOrEqual(2_990)
    expect(await text(page, 'status')).toBe('Updated just now')
  })

  test('failed polls are repeated ever more rarely', async ({ visit, expect }) => {
    const page = await visit('/still')
    const askedMs: number[] = []
    await page.route(STATUS, route => {
      askedMs.push(Date.now())
      return route.fulfill({ status: 500 })
    })
    await pollNow(page)
    await expect.poll(() => text(page, 'status'), { timeout: 10_000 }).toContain('this page keeps trying')
    await expect.poll(() => askedMs.length, { timeout: 15_000 }).toBe(3)
    const [first = 0, second = 0, third = 0] = askedMs
    expect(second - first).toBeGreaterThanOrEqual(990)
    expect(third - second).toBeGreaterThanOrEqual(1_990)
  })

  test('a phone that slept polls as soon as it is looked at', async ({ visitor }) => {
    const context = await visitor()
    const page = await context.newPage()
    await page.addInitScript(() => {
      const { setTimeout } = window
      const { now } = Date
      Object.assign(window, { setTimeout: (run: () => void, ms: number) => (ms < 100 ? setTimeout(run, ms) : 0) })
      Date.now = () => now() + Number(sessionStorage.getItem('slept') ?? 0)
    })
    await page.goto(`${site.url}/still`)
    const wake = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    const asked: string[] = []
    page.on('request', request => STATUS.test(request.url()) && asked.push(request.url()))
    await wake()
    await page.waitForTimeout(200)
    expect(asked).toEqual([])
    await page.evaluate(() => sessionStorage.setItem('slept', '3600000'))
    await wake()
    await expect.poll(() => asked.length).toBe(1)
  })

  test('a room that no longer exists lets the page go on to the site', async ({ visit }) => {
    const page = await visit('/still/x')
    await page.route(STATUS, route => route.fulfill({ status: 404 }))
    const asked = page.waitForRequest(`${site.url}/still/x`)
    await pollNow(page)
    await asked
  })

  test('nothing on the page moves when the figures arrive', async ({ visit, expect }) => {
    const page = await visit('/still', { viewport: { width: 375, height: 812 } })
    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(globalThis, { shifts })
      new PerformanceObserver(list => {
        for (const entry of list.getEntries()) shifts.push(Reflect.get(entry, 'value'))
      }).observe({ type: 'layout-shift', buffered: true })
    })
    const boxes = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('h1, dt, progress, #status')].map(n => n.getBoundingClientRect().y),
      )
    const held = { held: true }
    await answer(page, place(held))
    await expect.poll(() => text(page, 'status')).toContain('Updated at')
    const before = await boxes()
    await answer(page, place({ ...held, position: 1_204_331 }), place({ ...held, position: 37 }))
    await expect.poll(() => text(page, 'place')).toBe('37')
    expect(await boxes()).toEqual(before)
    expect(await page.evaluate(() => Reflect.get(globalThis, 'shifts'))).toEqual([])
  })
})

describe.concurrent('for every visitor', () => {
  const long = `${'We are sorry for the wait. '.repeat(20)}\nhttps://status.example/${'very-long-address'.repeat(8)}`

  test('320 pixels are enough in both writing directions, for a long wait and a long message', async ({
    visit,
    expect,
  }) => {
    const page = await visit('/still', { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true })
    await answer(page, place({ position: 1_204_331, wait: '14 to 20 hours', message: long }))
    await expect.poll(() => text(page, 'place')).toBe('1,204,331')
    expect(await page.title()).toBe('1,204,331 in line')
    for (const dir of ['ltr', 'rtl']) {
      await page.evaluate(dir => document.documentElement.setAttribute('dir', dir), dir)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
      expect(await page.evaluate(OUTSIDE_320)).toEqual([])
    }
  })

  test('320 pixels are enough for the words that stand in the place of a number', async ({ visit, expect }) => {
    for (const [lang, words] of [
      ['en', 'Among the next'],
      ['vi', 'Trong số những người tiếp theo'],
      ['el', 'Ανάμεσα στους επόμενους'],
    ] as const) {
      const page = await visit(`/still?lang=${lang}`, { viewport: { width: 320, height: 568 } })
      await answer(page, place({ state: 'called', othersCalled: 3 }))
      await expect.poll(() => text(page, 'place')).toBe(words)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
      expect(await page.evaluate(OUTSIDE_320)).toEqual([])
    }
  })

  for (const scheme of ['light', 'dark', 'forced'] as const) {
    test(`axe finds nothing wrong in any state, ${scheme}`, async ({ visit, expect }) => {
      const look =
        scheme === 'forced'
          ? ({ forcedColors: 'active' } as const)
          : ({ colorScheme: scheme, reducedMotion: 'reduce' } as const)
      const first = await visit('/still', look)
      expect(await violations(first)).toEqual([])
      const states = {
        'You are in line': place({ position: 1_204, wait: '18 to 25 minutes', message: long }),
        'You are at the front': place({ state: 'called' }),
        'You have a new place in line': place({ state: 'missed', held: true }),
        'Cookies seem to be switched off': place({ state: 'none', text: TEXTS.none }),
      }
      for (const [headline, one] of Object.entries(states)) {
        // A page that had a place asks for a new one instead.
        const page = headline.startsWith('Cookies') ? await visit('/still', look) : first
        await answer(page, one)
        await expect.poll(() => text(page, 'headline')).toBe(headline)
        expect(await violations(page)).toEqual([])
      }
    })
  }

  test('a page before the start counts down, and then shows the place', async ({ visit, expect }) => {
    const page = await visit('/raffle')
    expect(await text(page, 'headline')).toBe('You are here before the start')
    expect(await text(page, 'lead')).toContain('Places are drawn by lot at the start')
    expect(await text(page, 'message')).toBe('Two loaves a person.')
    expect(await text(page, 'label')).toBe('Starts in')
    expect(await text(page, 'place')).toMatch(/^5\d:\d\d$|^1:00:0\d$/)
    const before = await text(page, 'place')
    await vi.waitFor(async () => expect(await text(page, 'place')).not.toBe(before), { timeout: 5_000 })
    expect(await page.title()).toMatch(/^Starts in \d+:\d\d/)
    expect(await violations(page)).toEqual([])
    await page.getByText('How the draw can be checked').click()
    const draw = await page.request.get(
      await page
        .getByRole('link')
        .innerText()
        .then(path => site.url + path),
    )
    expect(await draw.json()).toMatchObject({ event: 'raffle', state: 'committed', seed: null })

    const event = (startsInSeconds: number | null) => ({
      event: {
        name: 'raffle',
        startsAt: new Date().toISOString(),
        startsInSeconds,
        draw: { sid: 'x', isEntry: false },
      },
    })
    await answer(page, place({ ...event(1), drawAt: new Date().toISOString(), pollAfterSeconds: 30 }))
    await page.locator('#place', { hasText: 'Starting now' }).waitFor()
    await answer(page, place({ ...event(null), drawAt: new Date().toISOString(), pollAfterSeconds: 30 }))
    await page.locator('#place', { hasText: 'Drawing places' }).waitFor()
    expect(await text(page, 'label')).toBe('Your place in line')
    await answer(page, place({ ...event(null), position: 1_204, wait: '3 to 5 minutes', pollAfterSeconds: 30 }))
    await page.locator('#place', { hasText: '1,204' }).waitFor()
    expect(await text(page, 'lead')).toBe('Keep this page open. We will let you in when it is your turn.')
    expect([await text(page, 'beside'), await text(page, 'wait')]).toEqual(['Estimated wait', '3 to 5 minutes'])
  })

  test('a page without scripts shows the time to the start in words', async ({ visit, expect }) => {
    const page = await visit('/opening', { javaScriptEnabled: false })
    expect(await text(page, 'place')).toMatch(/^(5\d minutes|1 hour)$/i)
    expect(await text(page, 'lead')).toContain('Nobody is let in before the start.')
    expect(await text(page, 'wait')).toMatch(/^\d{2}\/\d{2}\/\d{4}, \d{2}:\d{2} [AP]M UTC$/)
    expect(await page.getByText('How the draw can be checked').count()).toBe(0)
  })

  test('the page needs one small response, and its policy allows nothing else', async ({ visitor }) => {
    const page = await (await visitor()).newPage()
    const asked: string[] = []
    const complaints: string[] = []
    page.on('request', request => asked.push(new URL(request.url()).pathname))
    page.on('console', message => /policy/i.test(message.text()) && complaints.push(message.text()))
    await page.route('**/still', async route => {
      const response = await route.fetch()
      const html = await response.text()
      expect(brotliCompressSync(html).length).toBeLessThan(PAGE_BYTES_MAX)
      // Greek and Armenian have the longest texts.
      for (const lang of ['el', 'hy']) {
        const other = await fetch(`${site.url}/still?lang=${lang}`, { headers: { Accept: 'text/html' } })
        const page = await other.text()
        expect(page).toContain(`<html lang="${lang}"`)
        expect(brotliCompressSync(page).length, lang).toBeLessThan(PAGE_BYTES_MAX)
      }
      expect(response.headers()['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-/)
      await route.fulfill({ response })
    })
    await page.goto(`${site.url}/still`)
    await page.locator('#place:not(.pending)').waitFor()
    expect(asked[0]).toBe('/still')
    expect(asked.slice(1).every(path => path === '/.waiting-room/status')).toBe(true)
    expect(complaints).toEqual([])
    expect(await page.evaluate(() => getComputedStyle(document.querySelector('main') as Element).maxWidth)).not.toBe(
      'none',
    )
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "not ours"'
      document.body.append(script)
    })
    expect(await page.title()).not.toBe('not ours')
    expect(complaints).toHaveLength(1)
  })
})
