/**
 * The operators' dashboard: the events of a room.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { fake, logIn, page, READ, text, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
const SALE = { name: 'sale', prequeue_start_time: at(-1), event_start_time: at(1), event_end_time: at(2) }
const GALA = { name: 'gala', event_start_time: at(30), event_end_time: at(40) }
const part = () => page.locator('#part-events')
const openEvents = () => page.getByRole('link', { name: 'Events', exact: true }).click()

describe('the events of a room', () => {
  test('are in a part of their own, which another room keeps open', async () => {
    fake.room('shop').change({ set: { events: [GALA, SALE] } }, null, 'Bo')
    await logIn()
    await openEvents()
    expect(page.url()).toMatch(/#room\/shop\/events$/)
    expect(await page.locator('#room').isVisible()).toBe(false)
    expect(await part().getByRole('heading', { level: 2 }).allInnerTexts()).toEqual([
      'sale\nWaiting for the start',
      'gala\nTo come',
    ])
    expect(await part().locator('.countdown').allInnerTexts()).toEqual([
      expect.stringMatching(/^Starts in (1:00:00|0?5?9:\d\d)$/),
      expect.stringMatching(/^Starts in (30:00:00|29:59:\d\d)$/),
    ])
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => page.url()).toMatch(/#room\/tickets\/events$/)
    await expect.poll(() => part().innerText(), READ).toContain('No event is planned')
    await page.getByRole('link', { name: 'Now', exact: true }).click()
    await expect.poll(() => text('room-name')).toBe('tickets')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`have no axe violation at any width in the ${colorScheme} scheme`, async () => {
      fake.room('shop').change({ set: { events: [GALA, SALE] } }, null, 'Bo')
      await logIn({ colorScheme })
      await openEvents()
      for (const width of [390, 1_440, 1_920]) {
        await page.setViewportSize({ width, height: 800 })
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        expect(await violations()).toEqual([])
      }
    })
  }
})
