/**
 * The operators' dashboard: what would come of other settings. The futures are those that the real Web Worker plays.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { changes, fake, logIn, page, replaceRooms, SHOP, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

/** The timeout for drawing two futures. The machine may be busy with other work. */
const DRAWN = { timeout: 25_000 }
const HOUR_MS = 3_600_000

const futures = () => page.locator('.rehearse-results > p').allInnerTexts()
const assumed = () => page.locator('.rehearse-notes li').allInnerTexts()
const results = () => page.locator('.rehearse-results')
const button = () => page.getByRole('button', { name: 'Rehearse', exact: true })

async function open(query = ''): Promise<void> {
  await logIn()
  await page.goto(`${fake.url}#room/shop/rehearse${query}`)
  await page.getByRole('heading', { name: 'Rehearse' }).waitFor()
}

describe('a rehearsal', () => {
  test('shows the future as it is beside the one as typed, and changes nothing', async () => {
    await open()
    expect(await results().isVisible()).toBe(false)
    await page.getByLabel('New visitors a minute').last().fill('240')
    await page.keyboard.press('Enter')
    await results().waitFor(DRAWN)
    const [asIs, typed] = await futures()
    expect(asIs).toMatch(
      /^As it is: The line is (empty at|not empty by) \d\d:\d\d( on \w+ \d+)?\. A visitor who comes at the beginning waits/,
    )
    expect(typed).toMatch(/^As typed: .* At most [\d,]+ wait and [\d,]+ are inside\.$/)
    expect(typed?.slice(9)).not.toBe(asIs?.slice(9))
    expect((await assumed())[0]).toBe('60 newcomers come a minute, as in the last minute.')
    expect(await page.locator('.rehearse-drawing canvas').count()).toBe(3)
    await page.locator('#rehearse-rate').fill('1200')
    await button().click()
    await expect.poll(futures, DRAWN).not.toContain(typed)
    expect((await futures())[1]).toMatch(/^As typed: /)
    expect(changes()).toEqual([])
    expect(await violations()).toEqual([])
  })

  test('has a link that fills the form and draws the rehearsal again', async () => {
    await open('?rate=240&hold=5&burst=900&at=23:59&nonsense=1')
    await results().waitFor(DRAWN)
    expect(await page.locator('#rehearse-hold').inputValue()).toBe('5')
    expect(await page.locator('#rehearse-at').inputValue()).toBe('23:59')
    expect((await assumed())[1]).toMatch(/^As typed, 900 more come within two minutes from 23:59/)
    const link = await page.getByRole('link', { name: 'Link to this rehearsal' }).getAttribute('href')
    expect(link).toBe('#room/shop/rehearse?rate=240&hold=5&burst=900&at=23%3A59')
    expect(new URL(page.url()).hash).toBe(link)
  })

  test('has a table and a slider for readers who see no charts', async () => {
    await open('?rate=240')
    await results().waitFor(DRAWN)
    await page.getByText('As a table').last().click()
    const titles = await page.locator('.rehearse-drawing thead th').allInnerTexts()
    expect(titles.slice(0, 3)).toEqual(['Time', 'Waiting, as it is', 'Waiting, as typed'])
    expect(await page.locator('.rehearse-drawing tbody tr').count()).toBeGreaterThan(10)
    const slider = page.locator('#rehearse-moment')
    const first = await slider.getAttribute('aria-valuetext')
    await slider.focus()
    await page.keyboard.press('End')
    const last = await slider.getAttribute('aria-valuetext')
    expect(last).toMatch(/^\d\d:\d\d.*Waiting: As it is [\d,]+, As typed [\d,]+\. Inside: /)
    expect(last).not.toBe(first)
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  })

  test('begins before an event with the visitors that are expected', async () => {
    const at = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString()
    const sale = { name: 'sale', prequeue_start_time: at(30), event_start_time: at(30.5), event_end_time: at(40) }
    await replaceRooms([{ settings: { ...SHOP, events: [sale] }, inside: 20 }])
    await open('?event=sale&people=4000')
    await results().waitFor(DRAWN)
    expect((await assumed())[0]).toMatch(
      /^4,000 visitors come\. With a prequeue 70 of 100 come evenly before the start\./,
    )
    expect((await futures())[1]).toMatch(/At most 2,[78]\d\d wait/)
  })

  test('is refused where every visitor passes', async () => {
    await replaceRooms([{ settings: { ...SHOP, suspended: true } }])
    await open()
    await button().click()
    const refused = page.getByText('Every visitor passes without a line now, so there is nothing to rehearse.')
    await refused.waitFor(DRAWN)
    expect(await results().isVisible()).toBe(false)
  })
})
