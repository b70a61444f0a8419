/**
 * The operators' dashboard: how it shows the health of the origin, and how an operator overrides it.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import {
  fake,
  logIn,
  ORIGIN,
  page,
  READ,
  replaceRooms,
  SHOP,
  text,
  useDashboard,
  violations,
} from './dashboard-page.ts'

useDashboard()

describe('the dashboard', () => {
  test('distinguishes an origin that the operator blocked from one that is out', async () => {
    const of = (pinned: boolean) => ({
      settings: { ...SHOP, name: pinned ? 'shop' : 'tickets', path: pinned ? '/' : '/tickets' },
      health: {
        state: 'down' as const,
        ends: pinned ? ('operator' as const) : ('trial' as const),
        sinceMs: pinned ? null : Date.now() - 60_000,
        nextTrialMs: pinned ? null : Date.now() + 80_000,
        reason: 'outage' as const,
        inside: 0,
        pins: pinned ? ['breakers.origin'] : [],
        upstreams: [{ ...ORIGIN, breaker: 'open' as const, pinned }],
      },
    })
    await replaceRooms([of(true), of(false)])
    await logIn()
    expect(await text('state-word')).toBe('Closed')
    expect(await text('state-text')).toMatch(/^The origin is closed off by hand\. No one new comes in\./)
    expect(await text('health-text')).toBe(
      'Down: origin. New visitors wait until that is taken back. Those inside are blocked. Set by hand: breakers.origin.',
    )
    await page.getByRole('link', { name: 'tickets' }).click()
    await page.getByRole('heading', { name: 'tickets' }).waitFor()
    expect(await text('state-word')).toBe('Outage')
    expect(await text('health-text')).toMatch(
      /^Down since .*: origin\. New visitors wait until the next trial, in \d+ s\. Those inside are blocked\.$/,
    )
  })

  test('shows how many sessions may use a recovering upstream, and that all of them will', async () => {
    const payment = {
      ...ORIGIN,
      name: 'payment',
      critical: false,
      breaker: 'closed' as const,
      pinned: false,
      back: 0.45,
    }
    const upstreams = [{ ...ORIGIN, breaker: 'closed' as const, pinned: false }, payment]
    await replaceRooms([{ settings: SHOP, health: { upstreams } }])
    await logIn()
    expect(await text('health-text')).toBe('Coming back, for everyone within a minute: payment.')
    expect(await page.locator('#health-rows tr').last().innerText()).toMatch(/^payment\s+on for 45 %\s+76 ms/)
    expect(await violations()).toEqual([])
  })

  test('shows since when a room is slowed, how fast it answers now, and when it lets more visitors in', async () => {
    const health = {
      state: 'slowed' as const,
      ends: 'good-answers' as const,
      sinceMs: Date.now() - 60_000,
      raisedFromMs: Date.now() + 120_000,
      ceiling: 64,
      there: 16,
    }
    await replaceRooms([{ settings: SHOP, health }])
    await logIn()
    expect(await text('health-text')).toMatch(
      /^Slowed since .*: at most 64 people may be there; 16 are\. In the last minute 95 % came within 304 ms\. More are let in from .* on, if answers stay good\.$/,
    )
  })

  test('lists what health has decided, in sentences with times', async () => {
    await logIn()
    const first = page.locator('#decisions li').first()
    await expect
      .poll(() => first.innerText(), READ)
      .toContain('/report/yearly fails, while the rest of the site is well')
    expect(await first.locator('time').getAttribute('datetime')).not.toBeNull()
    expect(await violations()).toEqual([])
  })

  test('blocks and unblocks a part of the site, pins limits, and takes both back', async () => {
    await logIn()
    const answerYes = (name: string) => page.locator('#confirm').getByRole('button', { name }).click()
    await page.getByRole('button', { name: 'Block the origin', exact: true }).click()
    await answerYes('Block')
    await page.getByRole('button', { name: 'Unblock the origin' }).click()
    await answerYes('Unblock')
    await page.getByRole('button', { name: 'Block the origin', exact: true }).waitFor()
    await page.getByLabel('Pin the places').fill('400')
    await page.getByRole('button', { name: 'Apply the pins' }).click()
    await answerYes('Pin the limits')
    await expect.poll(() => fake.room('shop').describe().settings.health_pins.total_active_users, READ).toBe(400)
    await page.locator('#health-pins-undo').click()
    await expect.poll(() => fake.room('shop').describe().settings.health_pins.total_active_users, READ).toBeNull()
  })

  test('changes the mode of origin health after a question, and lifts the ceiling', async () => {
    await replaceRooms([{ settings: SHOP, health: { state: 'slowed', ceiling: 64 } }])
    await logIn()
    await page.getByLabel('Origin health').selectOption('shadow')
    await page.locator('#confirm').getByRole('button', { name: 'Set to shadow' }).click()
    await expect.poll(() => fake.room('shop').describe().settings.health.mode, READ).toBe('shadow')
    await page.getByRole('button', { name: 'Lift the ceiling' }).click()
    await page.locator('#confirm').getByRole('button', { name: 'Lift the ceiling' }).click()
    await expect.poll(() => fake.room('shop').lifted, READ).toBe(1)
  })
})
