/**
 * The operators' dashboard: all settings of a room as a form and as JSON.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { RUNTIME_SETTINGS } from '../../src/settings/schema.ts'
import { changes, fake, logIn, openPart, page, READ, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

const part = () => page.locator('#part-settings')
const settings = () => fake.room('shop').describe().settings
const bar = () => part().getByRole('region', { name: 'Your changes' })
const review = () => page.getByRole('dialog')
const box = (name: string) => part().getByLabel(name, { exact: true })
const group = (title: string) =>
  part()
    .locator('summary strong', { hasText: new RegExp(`^${title}$`) })
    .click()
const press = (name: string) => part().getByRole('button', { name, exact: true }).click()

async function openSettings(options: Parameters<typeof logIn>[0] = {}): Promise<void> {
  await logIn(options)
  await openPart('Settings')
  await bar().waitFor()
}

async function save(name: string): Promise<void> {
  await press('Review and save')
  await review().getByRole('button', { name, exact: true }).click()
}

describe('the form of all settings', () => {
  test('has a field for every live setting but the events, and shows those of the file', async () => {
    await openSettings()
    const shown = await part()
      .locator('.setting')
      .evaluateAll(cards => cards.map(card => (card as HTMLElement).dataset.changes))
    expect(shown.sort()).toEqual(RUNTIME_SETTINGS.filter(name => name !== 'events').sort())
    await group('From the file')
    expect(await part().locator('.fixed-settings').innerText()).toMatch(/host\s+"shop\.example"/)
  })

  test('saves several settings at once after a review of each line, and one press undoes them', async () => {
    await openSettings()
    await group('The line')
    await box('claim_window').fill('7')
    await box('languages').fill('en\nde')
    await group('Rate limits')
    await press('Add to rate_limits')
    await part().locator('[data-path="rate_limits[1].name"] input').fill('cart')
    await part().locator('[data-path="rate_limits[1].count"] input').fill('20')
    await part().locator('[data-path="rate_limits[1].period"] input').fill('60')
    await part().locator('[data-path="rate_limits[1].match.paths"] textarea').fill('/cart/*')
    await part().locator('[data-path="rate_limits[1].mode"] select').selectOption('shadow')
    expect(await bar().innerText()).toContain('Not saved yet: claim_window, languages, rate_limits.')
    expect(changes()).toEqual([])
    await press('Review and save')
    expect(await review().innerText()).toMatch(
      /Change 3 settings of shop\?[\s\S]*claim_window\s+- 5\s+\+ 7[\s\S]*\+ {3,}"name": "cart"/,
    )
    expect(await violations()).toEqual([])
    await review().getByRole('button', { name: 'Save the settings' }).click()
    await expect.poll(() => bar().innerText(), READ).toContain('Done.')
    expect(settings().claim_window).toBe(7)
    expect(settings().languages).toEqual(['en', 'de'])
    expect(settings().rate_limits[1]).toMatchObject({
      name: 'cart',
      count: 20,
      mode: 'shadow',
      match: { paths: ['/cart/*'] },
    })
    expect(changes().map(({ ifMatch }) => ifMatch)).toEqual(['"1fake.0"'])
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    await expect.poll(() => settings().claim_window, READ).toBe(5)
    expect(settings().rate_limits).toHaveLength(1)
  })

  test('shows a refusal at the field, opens its group, and keeps what was typed', async () => {
    await openSettings()
    await group('Sessions in the room')
    await box('max_session_duration').fill('1')
    await box('protected_paths').fill('checkout')
    await group('Sessions in the room')
    await save('Save the settings')
    await expect.poll(() => box('protected_paths').getAttribute('aria-invalid'), READ).toBe('true')
    expect(await box('protected_paths').isVisible()).toBe(true)
    expect(await part().locator('[data-path="protected_paths"]').innerText()).toContain('must be a path pattern')
    expect(settings().protected_paths).toEqual([])
    expect(await violations()).toEqual([])
    await box('protected_paths').fill('/checkout/*')
    await save('Save the settings')
    await expect.poll(() => box('max_session_duration').getAttribute('aria-invalid'), READ).toBe('true')
  })

  test('keeps what was typed when another operator changes the same setting, and shows both values', async () => {
    await openSettings()
    await group('The line')
    await box('claim_window').fill('7')
    fake.room('shop').change({ set: { claim_window: 9, message: 'Soon.' } }, null, 'Bo')
    await expect.poll(() => bar().innerText(), READ).toContain('Another operator has changed claim_window meanwhile.')
    expect(await box('message').inputValue()).toBe('Soon.')
    expect(await box('claim_window').inputValue()).toBe('7')
    await press('Review and save')
    expect(await review().innerText()).toMatch(/changed claim_window after you began to type[\s\S]*- 9\s+\+ 7/)
    fake.room('shop').change({ set: { claim_window: 11 } }, null, 'Bo')
    await review().getByRole('button', { name: 'Save the setting' }).click()
    await expect
      .poll(() => bar().innerText(), READ)
      .toContain('Another operator changed this room, so nothing was applied.')
    expect(settings().claim_window).toBe(11)
    await save('Save the setting')
    await expect.poll(() => settings().claim_window, READ).toBe(7)
  })

  test('asks in red in the review, with the numbers of the room', async () => {
    await openSettings()
    await group('Admission')
    await box('suspended').check()
    await press('Review and save')
    expect(await review().getAttribute('class')).toContain('danger')
    expect(await review().innerText()).toMatch(/without any limit, and so do the 1,\d{3} waiting now/)
    await review().getByRole('button', { name: 'Cancel' }).click()
    expect(changes()).toEqual([])
    await press('Discard')
    expect(await box('suspended').isChecked()).toBe(false)
    expect(await bar().innerText()).toContain('Nothing is changed.')
  })
})

describe('the settings as JSON', () => {
  test('are saved after the same review, and a syntax error is reported with its line', async () => {
    await openSettings()
    await press('JSON')
    const json = box('All settings that can be changed live, as JSON')
    const given = JSON.parse(await json.inputValue())
    expect(Object.keys(given).sort()).toEqual([...RUNTIME_SETTINGS].sort())
    await json.fill('{"claim_window": 7,\n}')
    expect(await part().getByRole('alert').innerText()).toMatch(/^This is not JSON: .*line 2/)
    await json.fill(JSON.stringify({ ...given, claim_window: 7, colour: 'red' }))
    expect(await bar().innerText()).toContain('Not saved yet: claim_window, colour.')
    await save('Save the settings')
    await expect.poll(() => bar().innerText(), READ).toContain('colour is not a setting.')
    await json.fill('{"claim_window": 7}')
    await save('Save the setting')
    await expect.poll(() => settings().claim_window, READ).toBe(7)
    await expect.poll(() => json.inputValue(), READ).toContain('"claim_window": 7,\n  "missed_grace"')
    expect(await violations()).toEqual([])
  })
})

describe('the settings for every operator', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1_440, 1_920]) {
      test(`have no axe violation ${width} px wide in the ${colorScheme} scheme`, { timeout: 120_000 }, async () => {
        await openSettings({ colorScheme, viewport: { width, height: 800 } })
        for (const title of ['The line', 'Rate limits', 'Health of the origin', 'From the file']) await group(title)
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        expect(await violations()).toEqual([])
      })
    }
  }

  test('are read-only for a viewer, with the reason', async () => {
    fake.mode.role = 'viewer'
    await openSettings()
    await group('The line')
    expect(await box('claim_window').isDisabled()).toBe(true)
    expect(await part().locator('[data-changes=claim_window]').innerText()).toContain(
      'Your role, viewer, does not include this',
    )
    expect(await box('claim_window').inputValue()).toBe('5')
  })
})
