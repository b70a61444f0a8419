/**
 * The operators' dashboard in real Chromium, against an admin API that refuses the way the Worker's does.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type JSHandle, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { command } from '../support/node/programs.ts'
import { startFakeAdmin, TOKEN } from './fake-admin-api.ts'

const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic']
const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const SHOP = { name: 'shop', host: 'shop.example', total_active_users: 1_000, new_users_per_minute: 120 }
const TICKETS = {
  name: 'tickets',
  host: 'shop.example',
  path: '/tickets',
  total_active_users: 200,
  new_users_per_minute: 60,
}
const ORIGIN = {
  name: 'origin',
  critical: true,
  back: null,
  sinceMs: null,
  untilMs: null,
  samples: 40,
  p50Ms: 76,
  p95Ms: 304,
  apdex: 1,
  failures: 0,
}
const DONE = 'Done. In force everywhere within two seconds.'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let browser: Browser
let fake: Awaited<ReturnType<typeof startFakeAdmin>>
let page: Page

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: command('chromium'), args: ['--no-sandbox', ...QUIET] })
})
afterAll(() => browser?.close())
beforeEach(async () => {
  fake = await startFakeAdmin([
    { settings: SHOP, inside: 612, waiting: 1_204, arrivalsPerMinute: 600 },
    { settings: { ...TICKETS, queue_all: true }, inside: 80, waiting: 340 },
  ])
})
afterEach(async () => {
  await page.context().close()
  await fake.stop()
})

async function visit(options: BrowserContextOptions = {}): Promise<void> {
  page = await (await browser.newContext(options)).newPage()
  page.setDefaultTimeout(5_000)
  await page.goto(fake.url)
}

async function logIn(options: BrowserContextOptions = {}, name = 'Ana', room = 'shop'): Promise<void> {
  await visit(options)
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Admin token').fill(TOKEN)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: room }).waitFor()
}

const text = (id: string) => page.locator(`#${id}`).innerText()
const rate = () => page.getByLabel('New visitors a minute')
const hold = () => page.getByRole('switch', { name: 'Hold the line' })
const undo = (name: string) => page.getByRole('button', { name: `Back to the file ${name}` })
/** For what comes with the next read, at most a second later and on a slow machine more. */
const READ = { timeout: 5_000 }
const changes = () => fake.asked.filter(({ method }) => method !== 'GET')

async function violations(): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    // @ts-expect-error axe is a global of the page
    const { violations } = await axe.run()
    return violations.map(
      (one: { id: string; nodes: { target: string[] }[] }) => `${one.id}: ${one.nodes.map(node => node.target)}`,
    )
  })
}

describe('events', () => {
  test('are listed with what they are waiting for, and a prequeue is the state of the room', async () => {
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
    const sale = { name: 'sale', prequeue_start_time: at(-1), event_start_time: at(1), event_end_time: at(2) }
    const gala = { name: 'gala', event_start_time: at(30), event_end_time: at(40) }
    await logIn()
    expect(await page.locator('#events-part').isVisible()).toBe(false)
    await page.request.patch(new URL('../api/v1/rooms/shop', fake.url).href, {
      headers: { Authorization: `Bearer ${TOKEN}` },
      data: { events: [gala, sale] },
    })
    await expect.poll(() => text('state-word'), READ).toBe('Before the start')
    expect(await text('state-text')).toMatch(/^sale starts in (60|59) min\.$/)
    const [next, later] = await page.locator('#events li').allInnerTexts()
    expect(next).toMatch(/^sale · Waiting for the start\n+newcomers wait from/)
    expect(later).toMatch(/^gala · To come\n+starts .* \(in 30 h\) · ends/)
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    expect(await violations()).toEqual([])
  })

  test('with settings of their own are named where the room has others', async () => {
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
    const times = { event_start_time: at(-1), event_end_time: at(1) }
    const own = { total_active_users: 800, new_users_per_minute: 1_200, queueing_method: 'passthrough' }
    fake.room('shop').change({ set: { events: [{ name: 'sale', ...times, ...own }] } }, null, 'Bo')
    await logIn()
    expect(await text('state-word')).toBe('Passing')
    expect(await text('rate-hint')).toMatch(/In force by the event sale: 1,200$/)
    await rate().fill('100')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toBe('Saved, and in force after sale: until then the event has its own.')
    await page.getByLabel('Message to everybody in line').fill('Two loaves a person.')
    await page.getByRole('button', { name: 'Apply the message' }).click()
    await expect.poll(() => text('message-note')).toBe(DONE)
    expect(await violations()).toEqual([])
  })
})

describe('logging in', () => {
  test('a good token opens the rooms and stays out of the address and of local storage', async () => {
    await logIn()
    expect(await text('state-word')).toBe('A line')
    expect(page.url()).not.toContain(TOKEN)
    const kept = await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie])
    expect(kept).toEqual([2, 0, ''])
  })

  test('a reload keeps the operator in, logging out forgets the token', async () => {
    await logIn()
    await page.reload()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Admin token').waitFor()
    expect(await page.evaluate(() => sessionStorage.getItem('antesala-token'))).toBeNull()
    await page.reload()
    await page.getByLabel('Admin token').waitFor()
  })

  test('a wrong token is told so, in words that are read aloud', async () => {
    await visit()
    await page.getByLabel('Admin token').fill('wrong')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('not accepted')
    expect(await page.getByLabel('Admin token').getAttribute('aria-invalid')).toBe('true')
  })

  test('a throttled login says that the right token is accepted, and it is', async () => {
    await visit()
    for (let status = 0; status !== 429; ) {
      await page.getByLabel('Admin token').fill('wrong')
      const answered = page.waitForResponse(/rooms$/)
      await page.keyboard.press('Enter')
      status = (await answered).status()
    }
    await expect
      .poll(() => page.getByRole('alert').innerText())
      .toContain('Many wrong ones have come from your network; the right one is accepted at any time.')
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'shop' }).waitFor()
  })

  test('an API that is off is told apart from a wrong token', async () => {
    fake.mode.off = true
    await visit()
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('admin API is off')
  })

  test('a token that is withdrawn leads back to the login', async () => {
    await logIn()
    fake.mode.off = true
    await page.getByLabel('Admin token').waitFor()
  })
})

describe('watching', () => {
  test('figures move by themselves', async () => {
    await logIn()
    const before = Number((await text('waiting')).replace(',', ''))
    await expect
      .poll(async () => Number((await text('waiting')).replace(',', '')), { timeout: 5_000 })
      .toBeGreaterThan(before + 8)
    expect(await text('inside-of')).toBe('of 1,000 places')
    expect(await text('doors')).toContain('eu-1')
    expect(await page.title()).toMatch(/^A line · 1,2\d\d waiting · shop$/)
  })

  test('what is wrong with the deployment stands above the rooms while it is wrong', async () => {
    const notice =
      'TRUSTED_IP_HEADER is X-Real-Ip, and none of 312 requests has had an address in it. Correct the name.'
    await logIn()
    const notices = page.locator('#notices')
    expect(await notices.isVisible()).toBe(false)
    fake.mode.notices = [notice]
    await page.reload()
    await notices.waitFor()
    expect(await notices.getByRole('listitem').allInnerTexts()).toEqual([notice])
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    expect(await violations()).toEqual([])
    fake.mode.notices = []
    await page.reload()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    expect(await notices.isVisible()).toBe(false)
  })

  test('another room is one press away and has an address of its own', async () => {
    await logIn()
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    expect(await text('state-word')).toBe('Held')
    await page.reload()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
  })

  test('an origin that is closed off by hand is told from one that is out', async () => {
    const of = (pinned: boolean) => ({
      settings: { ...SHOP, name: pinned ? 'shop' : 'tickets', path: pinned ? '/' : '/tickets' },
      health: {
        reason: 'outage' as const,
        inside: 0,
        pins: pinned ? ['breakers.origin'] : [],
        upstreams: [{ ...ORIGIN, breaker: 'open' as const, pinned }],
      },
    })
    await fake.stop()
    fake = await startFakeAdmin([of(true), of(false)])
    await logIn()
    expect(await text('state-word')).toBe('Closed')
    expect(await text('state-text')).toMatch(/^The origin is closed off by hand\. Nobody new comes in\./)
    expect(await text('health-text')).toBe(
      'Out: origin. New visitors wait until that is taken back. Those inside are held. Set by hand: breakers.origin.',
    )
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    expect(await text('state-word')).toBe('Outage')
    expect(await text('health-text')).toMatch(/wait until trials go well\. Those inside are held\.$/)
  })

  test('an upstream that comes back says for how many it is on, and that it will be for all', async () => {
    await fake.stop()
    const payment = {
      ...ORIGIN,
      name: 'payment',
      critical: false,
      breaker: 'closed' as const,
      pinned: false,
      back: 0.45,
    }
    const upstreams = [{ ...ORIGIN, breaker: 'closed' as const, pinned: false }, payment]
    fake = await startFakeAdmin([{ settings: SHOP, health: { upstreams } }])
    await logIn()
    expect(await text('health-text')).toBe('Coming back, to everybody within a minute: payment.')
    expect(await page.locator('#health-rows tr').last().innerText()).toMatch(/^payment\s+on for 45 %\s+76 ms/)
    expect(await violations()).toEqual([])
  })

  test('a room that does not answer is named, and the others go on', async () => {
    fake.mode.silent = 'tickets'
    await logIn()
    await expect.poll(() => text('connection'), { timeout: 5_000 }).toMatch(/^Live\s*No answer from tickets/)
    expect(await text('inside-of')).toBe('of 1,000 places')
    fake.mode.silent = ''
    await expect.poll(() => text('connection'), { timeout: 15_000 }).not.toContain('tickets')
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
  })

  test('the room of the address is shown or none, while it does not answer', async () => {
    fake.mode.silent = 'tickets'
    await visit()
    await page.goto(`${fake.url}#room/tickets`)
    await page.getByLabel('Your name').fill('Ana')
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.getByRole('button', { name: 'Log in' }).click()
    await expect.poll(() => text('connection'), READ).toMatch(/No answer from tickets/)
    expect(await page.locator('#room').isVisible()).toBe(false)
    await page.getByRole('link', { name: 'shop' }).click()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    await page.goBack()
    await expect.poll(() => page.locator('#room').isVisible(), READ).toBe(false)
    fake.mode.silent = ''
    await page.getByRole('heading', { name: 'tickets' }).waitFor({ timeout: 15_000 })
  })

  test('the room that is shown stays, also when one before it is heard of later', async () => {
    fake.mode.silent = 'shop'
    await logIn({}, 'Ana', 'tickets')
    fake.mode.silent = ''
    await expect.poll(() => text('connection'), { timeout: 15_000 }).not.toContain('shop')
    await page.getByRole('link', { name: 'shop' }).waitFor()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
  })

  test('a lost connection is said plainly and comes back by itself', async () => {
    await logIn()
    fake.mode.down = true
    await expect.poll(() => text('connection'), { timeout: 5_000 }).toMatch(/Last updated \d s ago\.\s*No answer/)
    fake.mode.down = false
    await expect.poll(() => text('updated'), { timeout: 10_000 }).toBe('Live')
  })
})

describe('the last two minutes', () => {
  const HOUR_MS = 3_600_000
  /** What the page draws of a room that was read at these seconds, with so many admitted in the last minute and in total. */
  async function drawn(samples: { at: number; rate: number; minute: number; total: number }[]) {
    const bodies = samples.map(({ at, rate, minute, total }) => {
      const room = fake.room('shop').describe()
      const figures = { ...room.figures, admittedLastMinute: minute, effectiveRatePerMinute: rate }
      const now = new Date(HOUR_MS + 1_000 * at).toISOString()
      return { ...room, name: 'drawn', now, figures: { ...figures, totals: { admitted: total } } }
    })
    // As text, for the test runner would rewrite an import.
    const load = (file: string) => page.evaluateHandle(`import('${fake.url}${file}')`)
    const modules = { past: await load('admin-past.js'), chart: await load('admin-chart.js') }
    return page.evaluate(
      ({ past, chart, bodies }) => {
        for (const body of bodies) past.remember(body)
        chart.showPast('drawn', 'admitted')
        const samples: { admitted: { value: number } }[] = past.pastOf('drawn')
        const path = (which: string) => document.querySelector(`#admitted-past .${which}`)?.getAttribute('d')
        return { values: samples.map(({ admitted }) => admitted.value), curve: path('curve'), limit: path('limit') }
      },
      { ...(modules as Record<keyof typeof modules, JSHandle>), bodies },
    )
  }

  test('nothing is drawn where nothing was read, and a limit stands as it was at the time', async () => {
    await logIn()
    const { curve, limit } = await drawn([
      { at: 0, rate: 100, minute: 50, total: 50 },
      { at: 15, rate: 100, minute: 50, total: 50 },
      { at: 60, rate: 100, minute: 100, total: 100 },
      { at: 70, rate: 50, minute: 100, total: 100 },
    ])
    // 120 wide for two minutes, 40 high for 110.
    expect(curve).toBe('M50.00 21.82L65.00 21.82M110.00 3.64L120.00 3.64')
    expect(limit).toBe('M50.00 3.64H65.00V3.64M110.00 3.64H120.00V21.82')
  })

  test('a room that restarts and counts its minute anew does not hide what was seen before', async () => {
    await logIn()
    const { values } = await drawn([
      { at: 0, rate: 120, minute: 110, total: 1_000 },
      { at: 20, rate: 120, minute: 112, total: 1_040 },
      { at: 40, rate: 120, minute: 2, total: 1_080 },
      { at: 60, rate: 120, minute: 42, total: 1_120 },
      { at: 80, rate: 120, minute: 82, total: 1_160 },
    ])
    expect(values).toEqual([110, 112, 80, 120, 120])
  })
})

describe('changing', () => {
  test('a rate is sent with the version that was read and the name of the operator', async () => {
    await logIn()
    await rate().fill('180')
    await page.getByRole('button', { name: 'Apply the rate' }).click()
    await expect.poll(() => text('rate-note')).toBe(DONE)
    expect(changes()).toEqual([
      expect.objectContaining({
        method: 'PATCH',
        ifMatch: '"1fake.0"',
        actor: 'Ana',
        body: '{"new_users_per_minute":180}',
      }),
    ])
    expect(await text('admitted-of')).toBe('at a rate of 180')
    await expect.poll(() => text('changes'), READ).toMatch(/new_users_per_minute → 180[\s\S]*Ana · version 1/)
  })

  test('a name in any script stands beside the change', async () => {
    await logIn({}, 'Zoë 王')
    await rate().fill('180')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('changes'), READ).toMatch(/Zoë 王 · version 1/)
    expect(changes()).toEqual([expect.objectContaining({ actor: 'Zo%C3%AB%20%E7%8E%8B' })])
  })

  test('changes are timed by the server’s clock, whatever this machine’s says', async () => {
    await visit()
    await page.clock.setSystemTime(Date.now() + 3 * 3_600_000)
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    fake.room('shop').change({ set: { message: 'Soon.' } }, null, 'Bo')
    await expect.poll(() => text('changes'), READ).toMatch(/message → "Soon\."\s+.*, [0-3] s ago · Bo/)
  })

  test('steps go to round numbers', async () => {
    await logIn()
    await page.getByRole('button', { name: '+ 10, to 130' }).click()
    await page.getByRole('button', { name: '− 10, to 120' }).waitFor()
    expect(await rate().inputValue()).toBe('130')
  })

  test('an empty field is never taken for zero', async () => {
    await logIn()
    await rate().fill('')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toContain('new_users_per_minute must be a whole number')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(120)
  })

  test('when somebody else was faster, what was typed is kept and nothing of theirs is lost', async () => {
    await logIn()
    await rate().fill('180')
    fake.room('shop').change({ set: { new_users_per_minute: 90 } }, null, 'Bo')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toContain('Somebody else changed this room')
    expect(await rate().inputValue()).toBe('180')
    expect(await text('rate-hint')).toContain('In force: 90')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(90)
    await rate().press('Enter')
    await expect.poll(() => text('rate-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(180)
  })

  test('having been shown somebody else’s value is not yet having agreed to overwrite it', async () => {
    await logIn()
    await rate().fill('180')
    fake.room('shop').change({ set: { new_users_per_minute: 90 } }, null, 'Bo')
    await expect.poll(() => text('rate-hint'), READ).toContain('In force: 90')
    await rate().press('Enter')
    await expect.poll(() => text('rate-note')).toContain('Somebody else changed this room')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(90)
  })

  test('a figure read before a change does not show up after it', async () => {
    await logIn()
    const { promise: changed, resolve: release } = Promise.withResolvers<void>()
    const late = page.waitForResponse(response => response.headers()['x-late'] === '1')
    let isFirst = true
    const asked = page.waitForRequest(/rooms\/shop$/)
    await page.route(/rooms\/shop$/, async route => {
      if (!isFirst || route.request().method() !== 'GET') return route.continue()
      isFirst = false
      const response = await route.fetch()
      await changed
      await route.fulfill({ response, headers: { ...response.headers(), 'x-late': '1' } })
    })
    await asked
    await rate().fill('180')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toBe(DONE)
    await page.evaluate(() => {
      const shown = document.getElementById('admitted-of')
      const seen: string[] = []
      Object.assign(globalThis, { seen })
      new MutationObserver(() => seen.push(shown?.textContent ?? '')).observe(document.body, {
        subtree: true,
        childList: true,
      })
    })
    release()
    await late
    await page.waitForTimeout(300)
    expect(await page.evaluate(() => Reflect.get(globalThis, 'seen'))).not.toContain('at a rate of 120')
    expect(await text('admitted-of')).toBe('at a rate of 180')
  })

  test('somebody else changing another setting is in nobody’s way', async () => {
    await logIn()
    await rate().fill('180')
    fake.room('shop').change({ set: { message: 'Soon.' } }, null, 'Bo')
    await expect.poll(() => page.getByLabel('Message to everybody').inputValue(), READ).toBe('Soon.')
    await rate().press('Enter')
    await expect.poll(() => text('rate-note')).toBe(DONE)
  })

  test('the method is chosen by name, with what it means', async () => {
    await logIn()
    const method = page.getByLabel('How places are given')
    expect(await method.inputValue()).toBe('fifo')
    await method.selectOption('By lot')
    expect(await text('method-hint')).toContain('drawn by lot')
    await page.getByRole('button', { name: 'Apply the method' }).click()
    await expect.poll(() => text('method-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.queueing_method).toBe('random')
    await method.selectOption('Everybody passes through')
    await page.getByRole('button', { name: 'Apply the method' }).click()
    await expect.poll(() => page.locator('#room').innerText(), READ).toContain('Passing')
  })

  test('the minutes of a draw are there where places are drawn', async () => {
    await logIn()
    const minutes = page.locator('#window')
    expect(await minutes.isHidden()).toBe(true)
    fake.room('shop').change({ set: { queueing_method: 'random' } }, null, 'Bo')
    await minutes.waitFor(READ)
    expect(await minutes.inputValue()).toBe('1')
    await minutes.fill('2.5')
    await minutes.press('Enter')
    await expect.poll(() => text('window-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.shuffle_window).toBe(2.5)
  })

  test('a budget is set, and taken away by an empty field', async () => {
    await logIn()
    const budget = page.getByRole('spinbutton', { name: 'Let in so many more' })
    expect(await budget.inputValue()).toBe('')
    await budget.fill('500')
    expect(await text('remaining-hint')).toContain('After them all others wait.')
    await budget.press('Enter')
    await expect.poll(() => text('remaining-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.remaining).toBe(500)
    // The same number begins anew.
    const before = changes().length
    await budget.press('Enter')
    await expect.poll(() => changes().length, READ).toBe(before + 1)
    await expect.poll(() => text('remaining-note')).toBe(DONE)
    await budget.fill('')
    await budget.press('Enter')
    await expect.poll(() => fake.room('shop').describe().settings.remaining, READ).toBeNull()
  })

  test('a refused value shows the path and the reason by its field', async () => {
    await logIn()
    await page.getByLabel('Places inside').fill('0')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => text('total-note'))
      .toBe('total_active_users must be a whole number, 1 to 10,000,000, got 0.')
    expect(await page.getByLabel('Places inside').getAttribute('aria-invalid')).toBe('true')
  })

  test('a message counts its characters and is kept while another room is looked at', async () => {
    await logIn()
    await page.getByLabel('Message to everybody').fill('Two more buses are coming.')
    expect(await text('message-hint')).toContain('26 of 1,000 characters')
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => page.getByLabel('Message to everybody').inputValue()).toBe('')
    await page.getByRole('link', { name: 'shop' }).click()
    await expect.poll(() => page.getByLabel('Message to everybody').inputValue()).toBe('Two more buses are coming.')
  })

  test('a hold asks first, and is undone with one press', async () => {
    await logIn()
    await hold().click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(changes()).toEqual([])
    await hold().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Hold the line' }).click()
    await expect.poll(() => text('state-word')).toBe('Held')
    expect(await hold().getAttribute('aria-checked')).toBe('true')
    await hold().click()
    await expect.poll(() => text('state-word')).toBe('A line')
    expect(changes().map(({ body, ifMatch }) => [body, ifMatch])).toEqual([
      ['{"queue_all":true}', '"1fake.0"'],
      ['{"queue_all":false}', '"1fake.1"'],
    ])
  })

  test('suspending asks first, and says that nobody is limited', async () => {
    await logIn()
    await page.getByRole('switch', { name: 'Suspend the room' }).click()
    expect(await page.getByRole('dialog').innerText()).toContain('without any limit')
    await page.getByRole('button', { name: 'Suspend the room' }).click()
    await expect.poll(() => text('state-word')).toBe('Suspended')
    expect(await text('live')).toContain('shop: Suspended.')
  })

  test('the file comes back after a question', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90, claim_window: 7 } }, null, 'Bo')
    await logIn()
    expect(await text('overrides-text')).toMatch(/^Set live: new_users_per_minute, claim_window\.$/)
    await page.getByRole('button', { name: 'All back to the file' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Back to the file' }).click()
    await expect.poll(() => rate().inputValue()).toBe('120')
    expect(changes()).toEqual([expect.objectContaining({ method: 'DELETE', ifMatch: '"1fake.1"', actor: 'Ana' })])
  })

  test('one setting goes back to the file, and the others stay as they are set', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90, claim_window: 7 } }, null, 'Bo')
    await logIn()
    await undo('(120): new_users_per_minute').click()
    await expect.poll(() => rate().inputValue()).toBe('120')
    expect(await text('rate-note')).toBe(DONE)
    expect(await undo('(120): new_users_per_minute').count()).toBe(0)
    expect(await rate().evaluate(node => node === document.activeElement)).toBe(true)
    expect(await text('overrides-text')).toBe('Set live: claim_window.')
    await expect.poll(() => text('changes'), READ).toMatch(/new_users_per_minute back to the file\s+.*Ana · version 2/)
    expect(changes()).toEqual([
      expect.objectContaining({
        method: 'DELETE',
        path: expect.stringMatching(/\/rooms\/shop\/overrides\/new_users_per_minute$/),
        ifMatch: '"1fake.1"',
        actor: 'Ana',
        body: '',
      }),
    ])
  })

  test('a setting without a field of its own goes back to the file too', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90, claim_window: 7 } }, null, 'Bo')
    await logIn()
    expect(await text('overrides-list')).toContain('claim_window is 7')
    await undo('(5): claim_window').click()
    await expect.poll(() => text('overrides-text')).toBe('Set live: new_users_per_minute.')
    expect(await text('overrides-list')).toBe('')
    expect(fake.room('shop').describe().settings).toMatchObject({ new_users_per_minute: 90, claim_window: 5 })
  })

  test('going back to a file that holds the line asks as the switch does', async () => {
    fake.room('tickets').change({ set: { queue_all: false } }, null, 'Bo')
    await logIn()
    await page.getByRole('link', { name: 'tickets' }).click()
    await undo('(on): queue_all').click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(changes()).toEqual([])
    await undo('(on): queue_all').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Hold the line' }).click()
    await expect.poll(() => text('state-word')).toBe('Held')
    expect(await hold().evaluate(node => node === document.activeElement)).toBe(true)
  })

  test('going back is refused when somebody else was faster, and what was typed is kept', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90 } }, null, 'Bo')
    await logIn()
    await rate().fill('180')
    // While the request is under way: the page has not read it.
    await page.route(/overrides/, route => {
      fake.room('shop').change({ set: { new_users_per_minute: 60 } }, null, 'Bo')
      return route.continue()
    })
    await undo('(120): new_users_per_minute').click()
    await expect.poll(() => text('rate-note')).toContain('Somebody else changed this room')
    expect(await rate().inputValue()).toBe('180')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(60)
  })

  test('without an answer nothing is called done', async () => {
    await logIn()
    await rate().fill('180')
    fake.mode.down = true
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toContain('may or may not be in force')
    expect(await rate().inputValue()).toBe('180')
  })
})

describe('for everybody', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing wrong in the ${colorScheme} scheme, from the login to a refusal`, async () => {
      await visit({ colorScheme })
      expect(await violations()).toEqual([])
      await page.context().close()
      fake.room('shop').change({ set: { message: 'Soon.', suspended: false, claim_window: 7 } }, null, 'Bo')
      await logIn({ colorScheme })
      expect(await violations()).toEqual([])
      await page.getByLabel('Places inside').fill('0')
      await page.keyboard.press('Enter')
      await page.locator('#total-note').waitFor()
      await page.getByText('All counters').click()
      expect(await violations()).toEqual([])
      await hold().click()
      expect(await violations()).toEqual([])
      await page.getByRole('dialog').getByRole('button', { name: 'Hold the line' }).click()
      await expect.poll(() => text('state-word')).toBe('Held')
      expect(await violations()).toEqual([])
    })
  }

  test('a phone shows everything without scrolling sideways, with targets a thumb can hit', async () => {
    fake.room('shop').change({ set: { message: 'Soon. '.repeat(30), claim_window: 7 } }, null, 'Bo')
    await logIn({ viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true })
    await rate().fill('')
    await page.keyboard.press('Enter')
    await page.locator('#rate-note').waitFor()
    await page.getByText('All counters').click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375)
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, textarea, summary, nav a')]
        .filter(node => node.checkVisibility() && node.getBoundingClientRect().height < 44)
        .map(node => node.outerHTML),
    )
    expect(small).toEqual([])
  })

  test('the keyboard reaches the hold, and focus comes back to it', async () => {
    await logIn()
    for (let i = 0; i < 20 && !(await hold().evaluate(node => node === document.activeElement)); i++) {
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Space')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    expect(await hold().evaluate(node => node === document.activeElement)).toBe(true)
    expect(changes()).toEqual([])
  })

  test('without scripts the page says what it needs', async () => {
    await visit({ javaScriptEnabled: false })
    expect(await page.locator('body').innerText()).toContain('needs JavaScript')
    expect(await page.locator('form:visible').count()).toBe(0)
  })
})
