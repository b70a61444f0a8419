/**
 * The operators' dashboard: what it shows of the past.
 * @module-tag chromium
 */
import type { JSHandle } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { fake, logIn, page, READ, text, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

describe('the last two minutes', () => {
  const HOUR_MS = 3_600_000
  /**
   * Returns the curve that the page draws of a room. Each sample has its second, the rate, the admissions of the last
   * minute, and all admissions.
   */
  async function drawn(samples: { at: number; rate: number; minute: number; total: number }[]) {
    const bodies = samples.map(({ at, rate, minute, total }) => {
      const room = fake.room('shop').describe()
      const figures = { ...room.figures, admittedLastMinute: minute, effectiveRatePerMinute: rate }
      const now = new Date(HOUR_MS + 1_000 * at).toISOString()
      return { ...room, name: 'drawn', now, figures: { ...figures, totals: { admitted: total } } }
    })
    // Passed as text, because the test runner would rewrite an import.
    const load = (file: string) => page.evaluateHandle(`import('${fake.url}${file}')`)
    const modules = { past: await load('past.js'), chart: await load('chart.js') }
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

  test('have no curve where nothing was read, and show each limit as it was at the time', async () => {
    await logIn()
    const { curve, limit } = await drawn([
      { at: 0, rate: 100, minute: 50, total: 50 },
      { at: 15, rate: 100, minute: 50, total: 50 },
      { at: 60, rate: 100, minute: 100, total: 100 },
      { at: 70, rate: 50, minute: 100, total: 100 },
    ])
    // The chart is 120 wide for two minutes, and 40 high for 110 visitors a minute.
    expect(curve).toBe('M50.00 21.82L65.00 21.82M110.00 3.64L120.00 3.64')
    expect(limit).toBe('M50.00 3.64H65.00V3.64M110.00 3.64H120.00V21.82')
  })

  test('keep what was seen before, when a room restarts and counts its minute anew', async () => {
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

describe('the past', () => {
  const values = (panel: string) => page.locator(`#past-${panel} .legend li`).allInnerTexts()
  const range = (name: string) => page.getByRole('radio', { name, exact: true }).check({ force: true })
  const asked = () => page.waitForResponse(/history/)

  test('is drawn with the newest values, and read anew for another range', async () => {
    await logIn()
    await expect
      .poll(() => values('people'), READ)
      .toEqual([/^Waiting \d/, /^Inside \d/, /^Places 1,000$/].map(pattern => expect.stringMatching(pattern)))
    expect(await values('flow')).toContain('Rate 120')
    expect(await page.locator('#charts canvas').count()).toBe(4)
    const answered = asked()
    await range('24 h')
    const { searchParams } = new URL((await answered).url())
    expect(searchParams.get('step')).toBe('3')
    await expect.poll(() => page.getByLabel('Moment').getAttribute('max'), READ).toMatch(/^4(79|80)$/)
    expect(await violations()).toEqual([])
  })

  test('has the range of an event where there is one', async () => {
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
    const sale = { name: 'sale', event_start_time: at(-5), event_end_time: at(2) }
    fake.room('shop').change({ set: { events: [sale] } }, null, 'Bo')
    await logIn()
    const answered = page.waitForResponse(url => url.url().includes(encodeURIComponent(at(-5).slice(0, 13))))
    await range('Event')
    await answered
    await expect.poll(() => page.getByLabel('Moment').getAttribute('max'), READ).toMatch(/^(299|300)$/)
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    await expect.poll(() => page.getByRole('radio', { name: '1 h' }).isChecked(), READ).toBe(true)
    expect(await page.getByRole('radio', { name: 'Event' }).isVisible()).toBe(false)
  })

  test('is read by keyboard, moment by moment, with what happened then', async () => {
    await logIn()
    await expect.poll(() => text('moment-text'), READ).toBe('Now')
    const moment = page.getByLabel('Moment')
    await moment.focus()
    // The operator changed the rate 40 minutes ago.
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowLeft')
    await expect.poll(() => text('moment-text'), READ).toContain('Ana: new_users_per_minute → 120')
    expect(await moment.getAttribute('aria-valuetext')).toMatch(/Waiting [\d,]+, Inside \d+, .*new_users_per_minute/)
    await page.keyboard.press('End')
    await expect.poll(() => text('moment-text'), READ).toBe('Now')
  })

  test('is a table, too, and is saved as a file', async () => {
    await logIn({ colorScheme: 'dark' })
    await range('15 min')
    await page.getByText('As a table, with what happened').click()
    await expect.poll(() => page.locator('#history-rows tr').count(), READ).toBeGreaterThan(13)
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    expect(await violations()).toEqual([])
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save as CSV' }).click()
    expect((await saved).suggestedFilename()).toMatch(/^shop-\d{4}-\d\d-\d\dT\d{4}\.csv$/)
  })
})
