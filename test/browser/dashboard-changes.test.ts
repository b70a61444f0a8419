/**
 * The operators' dashboard: how it changes a room, and whether every operator can use it.
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
  useDashboard,
  violations,
  visit,
} from './dashboard-page.ts'
import { TOKEN } from './fake-admin-api.ts'

useDashboard()

describe('the dashboard', () => {
  test('sends a rate with the version that was read and the name of the operator', async () => {
    await logIn()
    await rate().fill('180')
    await page.getByRole('button', { name: 'Apply the rate' }).click()
    await expect.poll(() => text('rate-note')).toBe(DONE)
    expect(changes()).toEqual([
      expect.objectContaining({
        method: 'PATCH',
        ifMatch: '"1fake.0"',
        body: '{"new_users_per_minute":180}',
      }),
    ])
    expect(await text('admitted-of')).toBe('of 180 allowed')
    await expect.poll(() => text('changes'), READ).toMatch(/new_users_per_minute → 180[\s\S]*ana · version 1/)
  })

  test('explains what a role may not change, and stays open', async () => {
    await logIn()
    expect(await text('operator')).toBe('ana · admin')
    fake.mode.forbidden = 'Operators may change message. ana is viewer.'
    await rate().fill('180')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note'), READ).toBe(`${fake.mode.forbidden} Nothing was changed.`)
    expect(await page.locator('#login').isVisible()).toBe(false)
  })

  test('times changes by the clock of the server, whatever the clock of this machine shows', async () => {
    await visit()
    await page.clock.setSystemTime(Date.now() + 3 * 3_600_000)
    await page.getByLabel('Admin token').fill(TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    fake.room('shop').change({ set: { message: 'Soon.' } }, null, 'Bo')
    await expect.poll(() => text('changes'), READ).toMatch(/message → "Soon\."\s+.*, [0-3] s ago · Bo/)
  })

  test('steps to round numbers', async () => {
    await logIn()
    await page.getByRole('button', { name: '+ 10, to 130' }).click()
    await page.getByRole('button', { name: '− 10, to 120' }).waitFor()
    expect(await rate().inputValue()).toBe('130')
  })

  test('never takes an empty field for zero', async () => {
    await logIn()
    await rate().fill('')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toContain('new_users_per_minute must be a whole number')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(120)
  })

  test('keeps what was typed when another operator was faster, and loses nothing of the other change', async () => {
    await logIn()
    await rate().fill('180')
    fake.room('shop').change({ set: { new_users_per_minute: 90 } }, null, 'Bo')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toContain('Another operator changed this room')
    expect(await rate().inputValue()).toBe('180')
    expect(await text('rate-hint')).toContain('In force: 90')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(90)
    await rate().press('Enter')
    await expect.poll(() => text('rate-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(180)
  })

  test('does not overwrite the value of another operator just because it has shown that value', async () => {
    await logIn()
    await rate().fill('180')
    fake.room('shop').change({ set: { new_users_per_minute: 90 } }, null, 'Bo')
    await expect.poll(() => text('rate-hint'), READ).toContain('In force: 90')
    await rate().press('Enter')
    await expect.poll(() => text('rate-note')).toContain('Another operator changed this room')
    expect(fake.room('shop').describe().settings.new_users_per_minute).toBe(90)
  })

  test('shows no figure that it has read before a change, once the change is made', async () => {
    await logIn()
    const { promise: changed, resolve: release } = Promise.withResolvers<void>()
    const late = page.waitForResponse(response => response.headers()['x-late'] === '1')
    let isFirst = true
    const asked = page.waitForRequest(/rooms\/shop$/)
    await page.route(/rooms\/shop$/, async route => {
      if (!isFirst || route.request().method() !== 'GET') return route.continue()
      isFirst = false
      const response = await route.fetch()
      await changed
      await route.fulfill({ response, headers: { ...response.headers(), 'x-late': '1' } })
    })
    await asked
    await rate().fill('180')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toBe(DONE)
    await page.evaluate(() => {
      const shown = document.getElementById('admitted-of')
      const seen: string[] = []
      Object.assign(globalThis, { seen })
      new MutationObserver(() => seen.push(shown?.textContent ?? '')).observe(document.body, {
        subtree: true,
        childList: true,
      })
    })
    release()
    await late
    await page.waitForTimeout(300)
    expect(await page.evaluate(() => Reflect.get(globalThis, 'seen'))).not.toContain('of 120 allowed')
    expect(await text('admitted-of')).toBe('of 180 allowed')
  })

  test('accepts a change while another operator changes another setting', async () => {
    await logIn()
    await rate().fill('180')
    fake.room('shop').change({ set: { message: 'Soon.' } }, null, 'Bo')
    await expect.poll(() => page.getByLabel('Message to everyone').inputValue(), READ).toBe('Soon.')
    await rate().press('Enter')
    await expect.poll(() => text('rate-note')).toBe(DONE)
  })

  test('offers the methods by name, with their meaning', async () => {
    await logIn()
    const method = page.getByLabel('How places are given')
    expect(await method.inputValue()).toBe('fifo')
    await method.selectOption('By lot')
    expect(await text('method-hint')).toContain('drawn by lot')
    await page.getByRole('button', { name: 'Apply the method' }).click()
    await expect.poll(() => text('method-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.queueing_method).toBe('random')
    await method.selectOption('Everyone passes through')
    await page.getByRole('button', { name: 'Apply the method' }).click()
    await page.getByRole('button', { name: 'Let everyone pass' }).click()
    await expect.poll(() => page.locator('#room').innerText(), READ).toContain('Passing')
  })

  test('shows the minutes of a draw where places are drawn', async () => {
    await logIn()
    const minutes = page.locator('#window')
    expect(await minutes.isHidden()).toBe(true)
    fake.room('shop').change({ set: { queueing_method: 'random' } }, null, 'Bo')
    await minutes.waitFor(READ)
    expect(await minutes.inputValue()).toBe('1')
    await minutes.fill('2.5')
    await minutes.press('Enter')
    await expect.poll(() => text('window-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.shuffle_window).toBe(2.5)
  })

  test('sets a budget, and removes it by an empty field', async () => {
    await logIn()
    const budget = page.getByRole('spinbutton', { name: 'Let in so many more' })
    expect(await budget.inputValue()).toBe('')
    await budget.fill('500')
    expect(await text('remaining-hint')).toContain('After them all others wait.')
    await budget.press('Enter')
    await expect.poll(() => text('remaining-note')).toBe(DONE)
    expect(fake.room('shop').describe().settings.remaining).toBe(500)
    // The same number starts a new budget.
    const before = changes().length
    await budget.press('Enter')
    await expect.poll(() => changes().length, READ).toBe(before + 1)
    await expect.poll(() => text('remaining-note')).toBe(DONE)
    await budget.fill('')
    await budget.press('Enter')
    await expect.poll(() => fake.room('shop').describe().settings.remaining, READ).toBeNull()
  })

  test('reports no change as done until it has an answer', async () => {
    await logIn()
    await rate().fill('180')
    fake.mode.down = true
    await page.keyboard.press('Enter')
    await expect.poll(() => text('rate-note')).toContain('may or may not be in force')
    expect(await rate().inputValue()).toBe('180')
  })
})

describe('the dashboard for every operator', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`has no axe violation in the ${colorScheme} scheme, from the login to a refusal`, async () => {
      await visit({ colorScheme })
      expect(await violations()).toEqual([])
      await page.context().close()
      fake.room('shop').change({ set: { message: 'Soon.', suspended: false, claim_window: 7 } }, null, 'Bo')
      await logIn({ colorScheme })
      expect(await violations()).toEqual([])
      await page.getByLabel('Places inside').fill('0')
      await page.keyboard.press('Enter')
      await page.locator('#total-note').waitFor()
      await page.getByText('All counters').click()
      expect(await violations()).toEqual([])
      await hold().click()
      expect(await violations()).toEqual([])
      await page.getByRole('dialog').getByRole('button', { name: 'Hold the line' }).click()
      await expect.poll(() => text('state-word')).toBe('Held')
      expect(await violations()).toEqual([])
    })
  }

  test('fits on a phone without scrolling sideways, with targets that a thumb can hit', async () => {
    fake.room('shop').change({ set: { message: 'Soon. '.repeat(30), claim_window: 7 } }, null, 'Bo')
    await logIn({ viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true })
    await rate().fill('')
    await page.keyboard.press('Enter')
    await page.locator('#rate-note').waitFor()
    await page.getByText('All counters').click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375)
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, textarea, summary, nav a')]
        .filter(node => node.checkVisibility() && node.getBoundingClientRect().height < 44)
        .map(node => node.outerHTML),
    )
    expect(small).toEqual([])
  })

  test('lets the keyboard reach the hold, and returns the focus to it', async () => {
    await logIn()
    for (let i = 0; i < 20 && !(await hold().evaluate(node => node === document.activeElement)); i++) {
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Space')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    expect(await hold().evaluate(node => node === document.activeElement)).toBe(true)
    expect(changes()).toEqual([])
  })

  test('asks for JavaScript where scripts are off', async () => {
    await visit({ javaScriptEnabled: false })
    expect(await page.locator('body').innerText()).toContain('needs JavaScript')
    expect(await page.locator('form:visible').count()).toBe(0)
  })
})

describe('the last change', () => {
  const undoChange = () => page.getByRole('button', { name: 'Undo', exact: true })
  const apply = async (value: string) => {
    await rate().fill(value)
    await page.getByRole('button', { name: 'Apply the rate' }).click()
  }
  /** Lets the clock of the server run ahead, as far as the page knows. */
  const later = (ms: number) =>
    page.route('**/api/v1/rooms/shop', async route => {
      const answer = await route.fetch()
      const now = new Date(Date.now() + ms).toISOString()
      await route.fulfill({ response: answer, json: { ...(await answer.json()), now } })
    })

  test('is undone by one press: back to the file, or to the live value before', async () => {
    await logIn()
    await apply('180')
    await expect
      .poll(() => text('undo-text'), READ)
      .toMatch(/^You changed new_users_per_minute from 120 to 180, \d s ago\.$/)
    await apply('200')
    await expect.poll(() => text('undo-text'), READ).toContain('from 180 to 200')
    expect(await violations()).toEqual([])
    await undoChange().click()
    await expect.poll(() => changes().at(-1)?.body, READ).toBe('{"new_users_per_minute":180}')
    await expect.poll(() => undoChange().isVisible(), READ).toBe(false)
    await apply('120')
    await expect.poll(() => text('undo-text'), READ).toContain('from 180 to 120')
    fake.room('shop').change({ set: { new_users_per_minute: 150 } }, null, 'Bo')
    await expect.poll(() => undoChange().isVisible(), READ).toBe(false)
  })

  test('of a first live value restores the value of the file, and is offered for ten minutes', async () => {
    await logIn()
    await apply('180')
    await undoChange().click()
    await expect.poll(() => changes().at(-1)?.method, READ).toBe('DELETE')
    await apply('180')
    await undoChange().waitFor()
    await later(601_000)
    await expect.poll(() => undoChange().isVisible(), READ).toBe(false)
  })

  test('is a step up by a tenth, with a look at its outcome five minutes later', async () => {
    await logIn()
    await page.getByRole('button', { name: 'Step up by 10 %, to 132' }).click()
    await expect.poll(() => changes().at(-1)?.body, READ).toBe('{"new_users_per_minute":132}')
    await expect
      .poll(() => text('step-note'), READ)
      .toMatch(/^You stepped new_users_per_minute to 132\. Look again at /)
    await later(301_000)
    await expect
      .poll(() => text('step-note'), READ)
      .toMatch(
        /^Look again: Apdex went from 0\.97 to 0\.97, and the line from -?\d+ a minute to -?\d+ a minute since you /,
      )
  })
})
