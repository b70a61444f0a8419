/**
 * The operators' dashboard: sessions, rate limits, challenges and lanes.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import {
  changes,
  fake,
  logIn,
  openPart,
  page,
  READ,
  replaceRooms,
  SHOP,
  useDashboard,
  violations,
} from './dashboard-page.ts'

useDashboard()

const SID = 'eu-0.Jx3tQ0aVbPZk1mWn5cYdRg'
const part = () => page.locator('#part-visitors')
const box = () => part().getByLabel('ID of a session')
const note = () => part().locator('#session-note').innerText()
const end = () => part().getByRole('button', { name: 'End this session' })

async function openVisitors(options: Parameters<typeof logIn>[0] = {}): Promise<void> {
  const nowMs = Date.now()
  fake.room('shop').sessions.set(SID, {
    ...{ sid: SID, key: nowMs, lane: 'vip', admittedMs: nowMs - 60_000, expiresMs: nowMs + 240_000 },
    ...{ ended: null, returned: true, endsByTime: false, isReentry: false },
  })
  await logIn(options)
  await openPart('Visitors')
  await box().waitFor()
}

describe('a session', () => {
  test('is looked up by its ID, and ended after a question in red', async () => {
    await openVisitors()
    await box().fill(` ${SID} `)
    await box().press('Enter')
    await expect.poll(() => part().locator('dl').innerText(), READ).toMatch(/Inside, for [45] min[\s\S]*Lane\s+vip/)
    await end().click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getAttribute('class')).toBe('danger')
    expect(await dialog.innerText()).toMatch(/needs a new place[\s\S]*1,2\d\d wait/)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    expect(changes()).toEqual([])
    await end().click()
    await dialog.getByRole('button', { name: 'End the session' }).click()
    await expect.poll(() => part().locator('dl').innerText(), READ).toContain('It was ended early')
    expect(await end().isVisible()).toBe(false)
    expect(changes().map(({ method, path }) => `${method} ${path}`)).toEqual([
      `DELETE /.waiting-room/api/v1/rooms/shop/sessions/${SID}`,
    ])
  })

  test('that does not exist is reported in words, with the name of the room that is shown', async () => {
    await openVisitors()
    await box().fill('eu-0.unknown')
    await box().press('Enter')
    await expect.poll(note, READ).toBe('There is no session eu-0.unknown in shop. It may be over.')
    expect(await box().getAttribute('aria-invalid')).toBe('true')
    await page.getByRole('link', { name: 'tickets' }).click()
    await box().fill(SID)
    await box().press('Enter')
    await expect.poll(note, READ).toBe(`There is no session ${SID} in tickets. It may be over.`)
  })

  test('is shown to a viewer, who may not end it', async () => {
    fake.mode.role = 'viewer'
    await openVisitors()
    await box().fill(SID)
    await box().press('Enter')
    await expect.poll(() => end().isVisible(), READ).toBe(true)
    await expect.poll(() => end().isDisabled(), READ).toBe(true)
  })
})

describe('challenges', () => {
  test('have their figures by provider, and stay away where there are none', async () => {
    const totals = {
      ...{ challenge_asked: 10_300, challenge_solved: 288, challenge_wrong: 7, challenge_unavailable: 2 },
      ...{ turnstile_asked: 300, turnstile_solved: 88, turnstile_wrong: 7, turnstile_unavailable: 2 },
      ...{ challenge_waived: 12, challenge_held: 450 },
    }
    await replaceRooms([{ settings: SHOP, totals }, { settings: { ...SHOP, name: 'plain', host: 'plain.example' } }])
    await openVisitors()
    const card = part().locator('section', { has: page.getByRole('heading', { name: 'Challenges' }) })
    const rows = await card.locator('tbody tr').allInnerTexts()
    expect(rows.map(row => row.split('\t'))).toEqual([
      ['Calculation', '10,000', '200', '0', '0', '0'],
      ['Turnstile', '300', '88', '7', '0', '2'],
    ])
    expect(await card.innerText()).toContain('Without a solution 12 places counted after a minute, and 450 tries')
    await page.goto(page.url().replace('shop', 'plain'))
    await expect.poll(() => card.isVisible(), READ).toBe(false)
  })
})

describe('rate limits and lanes', () => {
  test('have their figures, with what a policy in shadow mode would refuse', async () => {
    await replaceRooms([
      {
        settings: { ...SHOP, rate_limits: [{ name: 'login', count: 5, period: 60, mode: 'shadow' }] },
        limits: { login: { allowed: 1_200, limited: 0, shadow: 31, near: 4, fallback: 2 } },
        lanes: [{ name: 'vip', share: 0.3, waiting: 12, standing: 1, admitted: 80 }],
      },
    ])
    await openVisitors()
    const rows = await part().locator('tbody tr').allInnerTexts()
    expect(rows.map(row => row.split('\t'))).toEqual([
      ['login', '5 in 60 s, 5 at once', 'shadow', '1,200', '0', '31', '4', '2'],
      ['session', '1,200 in 60 s, 600 at once', 'enforce', '0', '0', '0', '0', '0'],
      ['vip', '30 %', '12', '1', '80'],
    ])
  })

  for (const [width, colorScheme] of [
    [390, 'light'],
    [1_440, 'dark'],
    [1_920, 'light'],
  ] as const) {
    test(`have no axe violation ${width} px wide in the ${colorScheme} scheme`, async () => {
      await openVisitors({ colorScheme, viewport: { width, height: 800 } })
      await box().fill(SID)
      await box().press('Enter')
      await end().waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      expect(await violations()).toEqual([])
    })
  }
})
