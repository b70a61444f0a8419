/**
 * The operators' dashboard: the checklist of a big day.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { fake, logIn, openPart, page, READ, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

const part = () => page.locator('#part-checklist')
const row = (text: string) => part().locator('li', { hasText: text })

async function openChecklist(options: Parameters<typeof logIn>[0] = {}): Promise<void> {
  await logIn(options)
  await openPart('Checklist')
  await part().getByRole('heading', { name: 'A week before' }).waitFor()
}

describe('the checklist', () => {
  test('checks by itself what it can, as the room changes', async () => {
    await openChecklist()
    await expect.poll(() => row('Every room has a door').innerText(), READ).toMatch(/Good[\s\S]*This edge is ready\./)
    expect(await row('An event is planned').innerText()).toContain('No event is to come.')
    expect(await row('An event is planned').getByRole('checkbox').isVisible()).toBe(false)
    const event_start_time = new Date(Date.now() + 7 * 86_400_000).toISOString()
    const event_end_time = new Date(Date.now() + 8 * 86_400_000).toISOString()
    fake.room('shop').change({ set: { events: [{ name: 'sale', event_start_time, event_end_time }] } }, null, 'Bo')
    await expect.poll(() => row('An event is planned').innerText(), READ).toMatch(/Good[\s\S]*sale starts in 7 days/)
    fake.mode.silent = 'tickets'
    await page.reload()
    await expect
      .poll(() => row('Every room has a door').innerText(), READ)
      .toContain('room tickets: no door has answered')
  })

  test('keeps the ticks of a room in this browser', async () => {
    await openChecklist()
    const box = row('A second operator can be reached').getByRole('checkbox')
    await box.check()
    await expect.poll(() => row('A second operator can be reached').innerText(), READ).toContain('Done')
    await page.reload()
    await expect.poll(() => box.isChecked(), READ).toBe(true)
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => box.isChecked(), READ).toBe(false)
  })

  for (const [width, colorScheme] of [
    [390, 'dark'],
    [1_440, 'light'],
    [1_920, 'dark'],
  ] as const) {
    test(`has no axe violation ${width} px wide in the ${colorScheme} scheme`, async () => {
      await openChecklist({ colorScheme, viewport: { width, height: 800 } })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      expect(await violations()).toEqual([])
    })
  }
})
