/**
 * The operators' dashboard: where it asks before a change, and how it takes changes back.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import {
  changes,
  DONE,
  fake,
  hold,
  logIn,
  page,
  READ,
  rate,
  text,
  undo,
  useDashboard,
  violations,
} from './dashboard-page.ts'

useDashboard()

describe('the dashboard', () => {
  test('shows the path and the reason of a refused value by its field', async () => {
    await logIn()
    await page.getByLabel('Places inside').fill('0')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => text('total-note'))
      .toBe('total_active_users must be a whole number, 1 to 10,000,000, got 0.')
    expect(await page.getByLabel('Places inside').getAttribute('aria-invalid')).toBe('true')
  })

  test('counts the characters of a message, and keeps the text while another room is shown', async () => {
    await logIn()
    await page.getByLabel('Message to everyone').fill('Two more buses are coming.')
    expect(await text('message-hint')).toContain('26 of 1,000 characters')
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => page.getByLabel('Message to everyone').inputValue()).toBe('')
    await page.getByRole('link', { name: 'shop' }).click()
    await expect.poll(() => page.getByLabel('Message to everyone').inputValue()).toBe('Two more buses are coming.')
  })

  test('asks before it holds the line, and undoes that with one press', async () => {
    await logIn()
    await hold().click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(changes()).toEqual([])
    await hold().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Hold the line' }).click()
    await expect.poll(() => text('state-word')).toBe('Held')
    expect(await hold().getAttribute('aria-checked')).toBe('true')
    await hold().click()
    await expect.poll(() => text('state-word')).toBe('A line')
    expect(changes().map(({ body, ifMatch }) => [body, ifMatch])).toEqual([
      ['{"queue_all":true}', '"1fake.0"'],
      ['{"queue_all":false}', '"1fake.1"'],
    ])
  })

  test('asks before it suspends a room, and warns that no visitor is limited', async () => {
    await logIn()
    await page.getByRole('switch', { name: 'Suspend the room' }).click()
    expect(await page.getByRole('dialog').innerText()).toContain('without any limit')
    await page.getByRole('button', { name: 'Suspend the room' }).click()
    await expect.poll(() => text('state-word')).toBe('Suspended')
    expect(await text('live')).toContain('shop: Suspended.')
  })

  test('asks in red before it multiplies the rate, and keeps the typed number when the answer is no', async () => {
    await logIn()
    await rate().fill('900')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Let in 900 a minute?' })
    expect(await dialog.getAttribute('class')).toBe('danger')
    expect(await dialog.innerText()).toMatch(/from 120 to 900 a minute, 7.5 times as many, and 1,\d{3} wait/)
    expect(await violations()).toEqual([])
    await page.keyboard.press('Escape')
    expect(changes()).toEqual([])
    expect(await rate().inputValue()).toBe('900')
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: 'Let in 900 a minute' }).click()
    await expect.poll(() => text('rate-note')).toBe(DONE)
  })

  test('resets a room to its file after a question', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90, claim_window: 7 } }, null, 'Bo')
    await logIn()
    expect(await text('overrides-text')).toMatch(/^Set live: new_users_per_minute, claim_window\.$/)
    await page.getByRole('button', { name: 'All back to the file' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Back to the file' }).click()
    await expect.poll(() => rate().inputValue()).toBe('120')
    expect(changes()).toEqual([expect.objectContaining({ method: 'DELETE', ifMatch: '"1fake.1"' })])
  })

  test('resets one setting to its value in the file, and keeps the other changes', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90, claim_window: 7 } }, null, 'Bo')
    await logIn()
    await undo('(120): new_users_per_minute').click()
    await expect.poll(() => rate().inputValue()).toBe('120')
    expect(await text('rate-note')).toBe(DONE)
    expect(await undo('(120): new_users_per_minute').count()).toBe(0)
    expect(await rate().evaluate(node => node === document.activeElement)).toBe(true)
    expect(await text('overrides-text')).toBe('Set live: claim_window.')
    await expect.poll(() => text('changes'), READ).toMatch(/new_users_per_minute back to the file\s+.*ana · version 2/)
    expect(changes()).toEqual([
      expect.objectContaining({
        method: 'DELETE',
        path: expect.stringMatching(/\/rooms\/shop\/overrides\/new_users_per_minute$/),
        ifMatch: '"1fake.1"',
        body: '',
      }),
    ])
  })

  test('takes a setting without a field of its own back to the file, too', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90, claim_window: 7 } }, null, 'Bo')
    await logIn()
    expect(await text('overrides-list')).toContain('claim_window is 7')
    await undo('(5): claim_window').click()
    await expect.poll(() => text('overrides-text')).toBe('Set live: new_users_per_minute.')
    expect(await text('overrides-list')).toBe('')
    expect(fake.room('shop').describe().settings).toMatchObject({ new_users_per_minute: 90, claim_window: 5 })
  })

  test('asks before a reset that would hold the line, as the switch does', async () => {
    fake.room('tickets').change({ set: { queue_all: false } }, null, 'Bo')
    await logIn()
    await page.getByRole('link', { name: 'tickets' }).click()
    await undo('(on): queue_all').click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(changes()).toEqual([])
    await undo('(on): queue_all').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Hold the line' }).click()
    await expect.poll(() => text('state-word')).toBe('Held')
    expect(await hold().evaluate(node => node === document.activeElement)).toBe(true)
  })

  test('resets nothing when another operator was faster, and keeps what was typed', async () => {
    fake.room('shop').change({ set: { new_users_per_minute: 90 } }, null, 'Bo')
    await logIn()
    await rate().fill('180')
    // This change comes while the request is under way, so the page has not read it.
    await page.route(/overrides/, route => {
      fake.room('shop').change({ set: { new_users_per_minute: 60 } }, null, 'Bo')
      return route.continue()
    })
    await undo('(120): new_users_per_minute').click()
    await expect.poll(() => text('rate-note')).toContain('Another operator changed this room')
    expect(await rate().inputValue()).toBe('180')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(60)
  })
})
