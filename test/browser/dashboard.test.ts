/**
 * The operators' dashboard: how an operator logs in and watches a room.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import {
  DONE,
  fake,
  logIn,
  page,
  READ,
  rate,
  replaceRooms,
  SHOP,
  TICKETS,
  text,
  useDashboard,
  violations,
  visit,
} from './dashboard-page.ts'
import { TOKEN } from './fake-admin-api.ts'

useDashboard()

describe('events', () => {
  test('are listed with their state, and a prequeue is shown as the state of the room', async () => {
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

  test('are named beside each setting that they override', async () => {
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
    await page.getByLabel('Message to everyone in line').fill('Two loaves a person.')
    await page.getByRole('button', { name: 'Apply the message' }).click()
    await expect.poll(() => text('message-note')).toBe(DONE)
    expect(await violations()).toEqual([])
  })
})

describe('the login', () => {
  test('opens the rooms for a good token, which stays out of the address and of local storage', async () => {
    await logIn()
    expect(await text('state-word')).toBe('A line')
    expect(page.url()).not.toContain(TOKEN)
    const kept = await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie])
    expect(kept).toEqual([1, 0, ''])
  })

  test('survives a reload, and logging out forgets the token', async () => {
    await logIn()
    await page.reload()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Admin token').waitFor()
    expect(await page.evaluate(() => sessionStorage.getItem('antesala-token'))).toBeNull()
    await page.reload()
    await page.getByLabel('Admin token').waitFor()
  })

  test('reports a wrong token in words that are read aloud', async () => {
    await visit()
    await page.getByLabel('Admin token').fill('wrong')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('not accepted')
    expect(await page.getByLabel('Admin token').getAttribute('aria-invalid')).toBe('true')
  })

  test('accepts the right token while it throttles wrong ones, and says so', async () => {
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

  test('distinguishes an API that is off from a wrong token', async () => {
    fake.mode.off = true
    await visit()
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('admin API is off')
  })

  test('is not needed behind Cloudflare Access, whose own logout ends it', async () => {
    fake.mode.access = true
    await visit()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    expect(await text('operator')).toBe('ana · admin')
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL('**/cdn-cgi/access/logout')
  })

  test('returns when the token is withdrawn', async () => {
    await logIn()
    fake.mode.off = true
    await page.getByLabel('Admin token').waitFor()
  })
})

describe('the dashboard', () => {
  test('updates the figures by itself', async () => {
    await logIn()
    const before = Number((await text('waiting')).replace(',', ''))
    await expect
      .poll(async () => Number((await text('waiting')).replace(',', '')), { timeout: 5_000 })
      .toBeGreaterThan(before + 8)
    expect(await text('inside-of')).toBe('of 1,000 places')
    expect(await text('doors')).toContain('eu-1')
    expect(await page.title()).toMatch(/^A line · 1,\d{3} waiting · shop$/)
  })

  test('shows what is wrong with the deployment above the rooms while it is wrong', async () => {
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

  test('opens another room with one press, under an address of its own', async () => {
    await logIn()
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    expect(await text('state-word')).toBe('Held')
    await page.reload()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
  })

  test('lists all rooms under an address of their own, those in trouble first', async () => {
    await logIn()
    await page.getByRole('link', { name: 'All rooms' }).click()
    const rows = page.locator('#overview-rows tr')
    await expect
      .poll(() => rows.allInnerTexts(), READ)
      .toEqual([
        matching(/^tickets\s+Held for 1[23] min\s+340\s+stands still\s+\d+ of 200\s+the rate is 0\s+Well$/),
        matching(/^shop\s+A line for 1[23] min\s+1,\d+\s+\d+ min\s+\d+ of 1,000\s+\d+ % of 120\s+Well$/),
      ])
    expect(await text('overview-waiting')).toMatch(/^1,[56]\d\d$/)
    expect(await violations()).toEqual([])
    fake.mode.silent = 'shop'
    await expect.poll(() => rows.first().innerText(), READ).toMatch(/^shop\s+No answer/)
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    await page.getByRole('row', { name: 'tickets' }).getByRole('link').click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    expect(await text('state-since')).toMatch(/^Since .*(, 1[23] min ago|[AP]M)\.$/)
  })

  test('shows the newcomers that the forecast counts', async () => {
    const crowd = { settings: SHOP, inside: 612, waiting: 1_204 }
    await replaceRooms([
      { ...crowd, cameLastMinute: 300 },
      { ...crowd, settings: TICKETS, inside: 80, cameLastMinute: 70 },
    ])
    await logIn()
    expect(await text('state-since')).toMatch(/^Since .*\. 300 came in the last minute\.$/)
    expect(await text('forecast')).toMatch(/^At this rate the line does not become empty: it grows by 1\d\d a minute\./)
    // More come than the rate, but so few called visitors turn up that the line becomes shorter.
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => text('state-since')).toMatch(/^Since .*\. 70 came in the last minute\.$/)
    expect(await text('forecast')).toMatch(/^At this rate the line is empty at/)
  })

  test('foresees the line, at the rate in force and at one that is typed', async () => {
    await logIn()
    await expect
      .poll(() => text('forecast'), READ)
      .toMatch(/^At this rate the line is empty at \d\d:\d\d( \w+day)?\. A newcomer waits \d+ to \d+ min\.$/)
    await rate().fill('20')
    await expect
      .poll(() => text('rate-forecast'), READ)
      .toMatch(/^With 20: At this rate the line does not become empty: it grows by 3\d a minute\./)
    await rate().fill('0')
    await expect.poll(() => text('rate-forecast'), READ).toBe('With 0: At a rate of 0 the line stands still.')
    await page.getByRole('button', { name: 'Discard' }).click()
    await expect.poll(() => text('rate-forecast'), READ).toBe('')
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => text('forecast'), READ).toMatch(/stands still/)
  })

  test('shows each piece of advice with its reason, and no list in a room without advice', async () => {
    const growing = { rule: 'line-grows' as const, growsPerMinute: 45, waitMs: 1_500_000 }
    const room = { rule: 'origin-has-room' as const, apdex: 0.98, samples: 4_000 }
    const advice = [{ ...room, limit: 'new_users_per_minute' as const, to: 132 }, growing]
    await replaceRooms([{ settings: { ...SHOP, queue_all: true }, waiting: 300, advice }, { settings: TICKETS }])
    await logIn()
    expect(await page.getByRole('list', { name: 'Advice' }).getByRole('listitem').allInnerTexts()).toEqual([
      'The origin has room: Apdex 0.98 over 4,000 answers, while 300 wait.Raise the rate by a tenth, to 132, and look again in five minutes.',
      'The line grows by 45 a minute, and a newcomer waits 25 min.Raise the rate if the origin bears it, or write to the line how long it takes.',
    ])
    expect(await violations()).toEqual([])
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    expect(await page.locator('#advice').isVisible()).toBe(false)
  })

  test('is shown on a wall without its controls, and without a scroll', async () => {
    await logIn({ viewport: { width: 1_920, height: 1_080 } })
    await page.getByRole('link', { name: 'Wall', exact: true }).click()
    await expect.poll(() => page.getByLabel('Hold the line').isVisible(), READ).toBe(false)
    expect(await text('state-word')).toBe('A line')
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(1_080)
    expect(await violations()).toEqual([])
    await page.getByRole('link', { name: 'Leave the wall' }).click()
    await expect.poll(() => page.getByLabel('Hold the line').isVisible(), READ).toBe(true)
  })

  test('reads rarely while its tab is hidden, and stops after ten minutes until the tab is shown', async () => {
    await visit()
    await page.clock.install()
    await page.goto(fake.url)
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    const show = (isHidden: boolean) =>
      page.evaluate(hidden => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
        document.dispatchEvent(new Event('visibilitychange'))
      }, isHidden)
    const reads = () => fake.asked.filter(({ path }) => /rooms(\/shop)?$/.test(path)).length
    /** Lets minutes pass in steps that are shorter than the time between two reads. */
    const pass = async (minutes: number) => {
      const before = reads()
      for (let step = 0; step < minutes * 6; step++) {
        await page.clock.runFor(10_000)
        await page.waitForTimeout(10)
      }
      return reads() - before
    }
    await show(true)
    const perTenMinutes = await pass(10)
    expect(perTenMinutes).toBeGreaterThan(10)
    expect(perTenMinutes).toBeLessThan(45)
    await pass(1)
    expect(await pass(5)).toBe(0)
    const before = reads()
    await show(false)
    await expect.poll(reads, READ).toBeGreaterThan(before)
  })

  test('has the state, the hold and the rate on the first screen of a phone', async () => {
    await logIn({ viewport: { width: 390, height: 740 } })
    for (const part of ['state-text', 'hold', 'rate']) {
      const { y = 0, height = 0 } = (await page.locator(`#${part}`).boundingBox()) ?? {}
      expect(y + height, part).toBeLessThan(740)
    }
  })

  test('names a room that does not answer, and keeps showing the others', async () => {
    fake.mode.silent = 'tickets'
    await logIn()
    await expect.poll(() => text('connection'), { timeout: 5_000 }).toMatch(/^Live\s*No answer from tickets/)
    expect(await text('inside-of')).toBe('of 1,000 places')
    fake.mode.silent = ''
    await expect.poll(() => text('connection'), { timeout: 15_000 }).not.toContain('tickets')
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
  })

  test('shows the room of the address or none, while that room does not answer', async () => {
    fake.mode.silent = 'tickets'
    await visit()
    await page.goto(`${fake.url}#room/tickets`)
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

  test('stays on the shown room, even when an earlier one answers later', async () => {
    fake.mode.silent = 'shop'
    await logIn({}, 'tickets')
    fake.mode.silent = ''
    await expect.poll(() => text('connection'), { timeout: 15_000 }).not.toContain('shop')
    await page.getByRole('link', { name: 'shop' }).waitFor()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
  })

  test('shows a lost connection plainly, and recovers by itself', async () => {
    await logIn()
    fake.mode.down = true
    await expect.poll(() => text('connection'), { timeout: 5_000 }).toMatch(/Last updated \d s ago\.\s*No answer/)
    fake.mode.down = false
    await expect.poll(() => text('updated'), { timeout: 10_000 }).toBe('Live')
  })
})

function matching(pattern: RegExp) {
  return expect.stringMatching(pattern)
}
