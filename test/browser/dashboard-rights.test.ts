/**
 * The operators' dashboard: what it offers to a role.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { fake, hold, logIn, page, READ, rate, text, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

const places = () => page.getByLabel('Places inside')
const reasonOf = async (id: string) => {
  const ids = (await page.locator(`#${id}`).getAttribute('aria-describedby'))?.split(' ') ?? []
  return (await page.locator(`#${ids.at(-1)}`).innerText()).trim()
}

describe('the controls', () => {
  test('of a viewer are all disabled, each with the reason beside it', async () => {
    fake.mode.role = 'viewer'
    await logIn()
    expect(await text('operator')).toBe('ana · viewer')
    const open = page.locator('#room :is(.card, .overrides, .health-controls) :is(button, input, select, textarea)')
    await expect.poll(() => open.and(page.locator(':enabled')).count(), READ).toBe(0)
    expect(await open.count()).toBeGreaterThan(20)
    const reason = 'Your role, viewer, does not include this. An admin may change it.'
    expect(await reasonOf('rate')).toBe(reason)
    expect(await hold().getAttribute('title')).toBe(reason)
    expect(await page.getByRole('button', { name: 'All back to the file' }).getAttribute('title')).toBe(reason)
    expect(await violations()).toEqual([])
  })

  test('of an operator are those that the role includes', async () => {
    fake.mode.role = 'operator'
    await logIn({ colorScheme: 'dark' })
    await expect.poll(() => places().isDisabled(), READ).toBe(true)
    expect(await reasonOf('total')).toBe('Your role, operator, does not include this. An admin may change it.')
    expect([await rate().isDisabled(), await hold().isDisabled()]).toEqual([false, false])
    await rate().fill('180')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note'), READ).toMatch(/^Done/)
    // The event of the room was set live, and its way back has no card of its own.
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
    const sale = { name: 'sale', event_start_time: at(5), event_end_time: at(6) }
    fake.room('shop').change({ set: { events: [sale], session_duration: 4 } }, null, 'Bo')
    const back = (key: string) => page.getByRole('button', { name: new RegExp(`^Back to the file.*: ${key}$`) })
    await expect.poll(() => back('session_duration').isDisabled(), READ).toBe(true)
    expect(await back('events').isEnabled()).toBe(true)
    expect(await violations()).toEqual([])
  })

  test('of an admin are all enabled', async () => {
    await logIn()
    await expect.poll(() => text('operator'), READ).toBe('ana · admin')
    expect(await page.locator('#room :disabled').count()).toBe(0)
    expect(await page.locator('.not-yours').count()).toBe(0)
  })
})
