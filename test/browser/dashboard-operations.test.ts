/**
 * The operators' dashboard: the alerts of a room, its audit log, and the tokens of operators.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { changes, fake, logIn, openPart, page, READ, text, useDashboard, violations } from './dashboard-page.ts'
import { deed, fakeToken } from './fake-operations.ts'

useDashboard()

const MINUTE_MS = 60_000
const open = async (part: string) => {
  await logIn()
  await openPart(part)
}
const button = (name: string) => page.getByRole('button', { name, exact: true })
const isNarrowEnough = async () => {
  await page.setViewportSize({ width: 390, height: 800 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
}

describe('the alerts of a room', () => {
  const RULES = [
    { when: 'line_longer_than', threshold: 1_000, to: ['chat'] },
    { when: 'origin_down', to: ['chat', 'pager'] },
  ]
  const rules = () => page.locator('.alert-rules li').allInnerTexts()

  test('are shown with their limits, and since when they fire or are resolved', async () => {
    fake.room('shop').change({ set: { alerts: RULES } }, null, 'Bo')
    const { episodes } = fake.room('shop').operations
    const [early, late] = [Date.now() - 50 * MINUTE_MS, Date.now() - 5 * MINUTE_MS]
    episodes.line_longer_than = { firedAtMs: late, lastFiredAtMs: late, resolvedAtMs: null }
    episodes.origin_down = { firedAtMs: null, lastFiredAtMs: early, resolvedAtMs: late }
    await open('Alerts')
    await expect.poll(rules, READ).toHaveLength(2)
    const [line, origin] = await rules()
    expect(line).toMatch(/^line_longer_than\s+Firing since .*, 5 min ago/)
    expect(line).toContain('The line is longer than 1,000 people, for 60 s; at most once in 900 s. To chat.')
    expect(origin).toMatch(/^origin_down\s+Resolved at .*, 5 min ago\s+The origin is down, .* To chat, pager\.$/)
    expect(await violations()).toEqual([])
    await isNarrowEnough()
  })

  test('are tested with one press, and the delivery is listed', async () => {
    await open('Alerts')
    await button('Send a test to pager').click()
    await expect
      .poll(() => page.locator('#part-alerts td').allInnerTexts(), READ)
      .toEqual([
        expect.stringMatching(/ s ago$/),
        'pager',
        'this is a test of alerts, and nothing is wrong',
        'Delivered (204)',
      ])
    expect(await page.getByText('A test is on its way to pager.').count()).toBeGreaterThan(0)
    expect(changes().map(({ path, body }) => [path.split('/').slice(-2).join('/'), body])).toEqual([
      ['alerts/test', '{"receiver":"pager"}'],
    ])
  })

  test('are changed as a whole, and typed rules survive the news of each second', async () => {
    fake.room('shop').change({ set: { alerts: RULES } }, null, 'Bo')
    await open('Alerts')
    await page.getByLabel('Limit (people)').fill('5000')
    await button('Add a rule').click()
    await page.getByLabel('When').last().selectOption('settings_changed')
    await button('Remove rule 2').click()
    await page.waitForTimeout(1_500)
    expect(await page.getByLabel('Limit (people)').inputValue()).toBe('5000')
    await button('Apply the rules').click()
    await expect
      .poll(() => fake.room('shop').describe().settings.alerts, READ)
      .toMatchObject([
        { when: 'line_longer_than', threshold: 5_000, for: 60, to: ['chat'] },
        { when: 'settings_changed', to: ['chat'] },
      ])
    await expect.poll(rules, READ).toHaveLength(2)
    expect(await violations()).toEqual([])
  })

  test('are refused with the reason, and the typed rules are kept', async () => {
    await open('Alerts')
    await button('Add a rule').click()
    await button('Apply the rules').click()
    await expect
      .poll(() => page.locator('#part-alerts .note').innerText(), READ)
      .toBe('alerts[0].threshold is required: a number of people.')
    expect(await page.getByLabel('Limit (people)').count()).toBe(1)
    await button('Discard').click()
    await expect.poll(() => page.getByLabel('Limit (people)').count()).toBe(0)
  })

  test('are read only for a viewer', async () => {
    fake.mode.role = 'viewer'
    await open('Alerts')
    await expect.poll(() => button('Send a test to chat').isDisabled(), READ).toBe(true)
    expect(await button('Add a rule').isDisabled()).toBe(true)
  })
})

describe('the audit log of a room', () => {
  const entries = () => page.locator('#part-audit .audit li').allInnerTexts()

  test('has who did what, with the values before and after, and is filtered', async () => {
    const { deeds } = fake.room('shop').operations
    const before = { new_users_per_minute: 120 }
    deeds.push({ ...deed(9, 'settings-set'), before, after: { new_users_per_minute: 300 }, times: 40 })
    deeds.push({ ...deed(8, 'session-ended'), actor: 'Cleo', subject: 'eu-0.abc', by: 'access', network: null })
    await open('Audit')
    await expect.poll(entries, READ).toHaveLength(2)
    const [set, ended] = await entries()
    expect(set).toMatch(
      /^Bo changed settings, 40 times within a minute\s+new_users_per_minute: 120 → 300\s+.*, 5 min ago · by token, from 203\.0\.113\/24$/,
    )
    expect(ended).toMatch(/^Cleo ended a session: eu-0\.abc\s+.* · by Cloudflare Access, from an unknown network$/)
    expect(await violations()).toEqual([])
    await page.getByLabel('Person or program').fill('Cleo')
    await page.keyboard.press('Enter')
    await expect.poll(entries, READ).toHaveLength(1)
    await page.getByLabel('What').selectOption('ceiling-lifted')
    await button('Show').click()
    await expect.poll(() => page.getByText('No entry fits the filter.').isVisible(), READ).toBe(true)
    await isNarrowEnough()
  })

  test('is read on to older entries, which stay while the newest are read again', async () => {
    const { deeds } = fake.room('shop').operations
    for (let id = 120; id > 0; id--) deeds.push({ ...deed(id, 'session-ended'), subject: `s${id}` })
    await open('Audit')
    await expect.poll(entries, READ).toHaveLength(50)
    await button('Show older entries').click()
    await expect.poll(entries, READ).toHaveLength(100)
    await button('Show older entries').click()
    await expect.poll(entries, READ).toHaveLength(120)
    expect((await entries()).at(-1)).toContain('s1')
    expect(await text('operator')).toBe('ana · admin')
  })

  test('is saved as a file', async () => {
    await open('Audit')
    const saved = page.waitForEvent('download')
    await button('Save as CSV').click()
    expect((await saved).suggestedFilename()).toBe('audit-shop.csv')
  })
})

describe('the tokens of operators', () => {
  const rows = () => page.locator('#part-tokens .tokens li').allInnerTexts()

  test('are listed with role, end and last use, and are revoked after a question', async () => {
    fake.tokens.all.push({ ...fakeToken('one', 'bo'), lastUsedAtMs: Date.now() - 5 * MINUTE_MS })
    fake.tokens.all.push({ ...fakeToken('two', 'cleo'), from: 'secret', role: 'admin', madeBy: null })
    await open('Tokens')
    await expect.poll(rows, READ).toHaveLength(2)
    const [bo, cleo] = await rows()
    expect(bo).toMatch(/^bo · viewer\s+Ends in 24 h\s+Last used .*, 5 min ago · made by ana\s+Revoke$/)
    expect(cleo).toMatch(/^cleo · admin\s+Ends in 24 h\s+Its use is not recorded · in the secret$/)
    expect(await violations()).toEqual([])
    await page.getByRole('button', { name: 'Revoke the token of bo' }).click()
    await button('Revoke the token').click()
    await expect.poll(async () => (await rows())[0], READ).toMatch(/^bo · viewer\s+Revoked by ana, /)
    await isNarrowEnough()
    expect(await violations()).toEqual([])
  })

  test('are made here, and each is shown once', async () => {
    await open('Tokens')
    await button('Make a token').click()
    await expect.poll(() => page.getByText('name must be 1 to 40 letters.').isVisible(), READ).toBe(true)
    await page.getByLabel('Person or program').fill('dan')
    await page.getByLabel('Role').selectOption('operator')
    await page.getByLabel('Days').fill('30')
    await page.keyboard.press('Enter')
    const shown = page.getByLabel('The token', { exact: true })
    await expect.poll(() => shown.inputValue(), READ).toMatch(/^antesala_x{43}$/)
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('token-made')
    expect(await violations()).toEqual([])
    await button('I have kept it').click()
    expect([await shown.isVisible(), await shown.inputValue()]).toEqual([false, ''])
    expect((await rows())[0]).toMatch(/^dan · operator\s+Ends in 30 days\s+Not used yet/)
    expect(fake.asked.find(({ method }) => method === 'POST')?.path).toMatch(/\/api\/v1\/tokens$/)
  })

  test('are for admins only', async () => {
    fake.mode.role = 'operator'
    await open('Tokens')
    await expect
      .poll(() => page.locator('#part-tokens').innerText(), READ)
      .toContain('Only an admin reads and makes tokens. ana is operator.')
    expect(await button('Make a token').isVisible()).toBe(false)
    expect(fake.asked.some(({ path }) => path.endsWith('/tokens'))).toBe(false)
  })
})
