/**
 * The operators' dashboard: the reports of a room.
 * @module-tag chromium
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fake, logIn, openPart, page, READ, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

const part = () => page.locator('#part-reports')
const times = { fromMs: Date.now() - 7_200_000, toMs: Date.now() - 3_600_000, madeAtMs: Date.now() }
const SALE = { id: 'sale-20261127T2100Z', event: 'sale', admitted: 12_345, ...times }
const openReports = () => openPart('Reports')

/** Presses a button, and returns the name and the text of the file that it saves. */
async function saved(button: string) {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    part().getByRole('button', { name: button }).click(),
  ])
  return [file.suggestedFilename(), readFileSync(await file.path(), 'utf8')]
}

describe('the reports of a room', () => {
  test('are listed, and saved as a page or as CSV in the time zone of the browser', async () => {
    fake.room('shop').reports.push(SALE)
    await logIn()
    await openReports()
    await expect.poll(() => part().locator('li').first().innerText(), READ).toMatch(/^sale\n.* \u00b7 12,345 let in/s)
    expect(await saved('Save the page of sale')).toEqual(['shop-sale-20261127T2100Z.html', 'a report'])
    expect(await saved('Save as CSV of sale')).toEqual(['shop-sale-20261127T2100Z.csv', 'a report'])
    expect(fake.asked.at(-1)?.path).toMatch(/\/rooms\/shop\/reports\/sale-20261127T2100Z\.csv\?zone=[\w%]+$/)
  })

  test('can be made of any time', async () => {
    await logIn()
    await openReports()
    await expect.poll(() => part().innerText(), READ).toContain('No event has ended yet')
    await part().getByLabel('From').fill('2026-11-27T09:00')
    await part().getByLabel('To').fill('2026-11-27T12:00')
    expect(await saved('Save the page of this time')).toEqual(['shop-report.html', 'a report'])
    const asked = fake.asked.findLast(({ path }) => path.includes('from='))
    const { searchParams } = new URL(asked?.path ?? '', 'http://fake')
    const hours = Date.parse(searchParams.get('to') ?? '') - Date.parse(searchParams.get('from') ?? '')
    expect(hours).toBe(3 * 3_600_000)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`have no axe violation at any width in the ${colorScheme} scheme`, async () => {
      fake.room('shop').reports.push(SALE)
      await logIn({ colorScheme })
      await openReports()
      await expect.poll(() => part().locator('li').count(), READ).toBe(2)
      for (const width of [390, 1_440, 1_920]) {
        await page.setViewportSize({ width, height: 800 })
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        expect(await violations()).toEqual([])
        if (process.env.PICTURES)
          await page.screenshot({ path: `${process.env.PICTURES}/reports-${width}-${colorScheme}.png` })
      }
    })
  }
})
