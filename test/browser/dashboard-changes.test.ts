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
  undo,
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
    expect(await text('admitted-of')).toBe('at a rate of 180')
    await expect.poll(() => text('changes'), READ).toMatch(/new_users_per_minute → 180[\s\S]*ana · version 1/)
  })

  test('explains what a role may not change, and stays open', async () => {
    await logIn()
    expect(await text('operator')).toBe('ana · operator')
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

  test('shows no figure after a change that was read before it', async () => {
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
    expect(await page.evaluate(() => Reflect.get(globalThis, 'seen'))).not.toContain('at a rate of 120')
    expect(await text('admitted-of')).toBe('at a rate of 180')
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

  test('goes back to the file after a question', async () => {
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

  test('does not go back when another operator was faster, and keeps what was typed', async () => {
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

  test('calls nothing done without an answer', async () => {
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
