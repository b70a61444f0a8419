/**
 * The operators' dashboard: the events of a room.
 * @module-tag chromium
 */
import { describe, expect, test } from 'vitest'
import { changes, fake, logIn, openPart, page, READ, text, useDashboard, violations } from './dashboard-page.ts'

useDashboard()

const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
const SALE = { name: 'sale', prequeue_start_time: at(-1), event_start_time: at(1), event_end_time: at(2) }
const GALA = { name: 'gala', event_start_time: at(30), event_end_time: at(40) }
const part = () => page.locator('#part-events')
const openEvents = () => openPart('Events')

describe('the events of a room', () => {
  test('are in a part of their own, which another room keeps open', async () => {
    fake.room('shop').change({ set: { events: [GALA, SALE] } }, null, 'Bo')
    await logIn()
    await openEvents()
    expect(page.url()).toMatch(/#room\/shop\/events$/)
    expect(await page.locator('#room').isVisible()).toBe(false)
    expect(await part().getByRole('heading', { level: 2 }).allInnerTexts()).toEqual([
      expect.stringMatching(/^\w+ \d{4}$/),
      'sale\nWaiting for the start',
      'gala\nTo come',
    ])
    expect(await part().locator('.countdown').allInnerTexts()).toEqual([
      expect.stringMatching(/^Starts in (1:00:00|0?5?9:\d\d)$/),
      expect.stringMatching(/^Starts in (30:00:00|29:59:\d\d)$/),
    ])
    await page.getByRole('link', { name: 'tickets' }).click()
    await expect.poll(() => page.url()).toMatch(/#room\/tickets\/events$/)
    await expect.poll(() => part().innerText(), READ).toContain('No event is planned')
    await page.getByRole('link', { name: 'Now', exact: true }).click()
    await expect.poll(() => text('room-name')).toBe('tickets')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`have no axe violation at any width in the ${colorScheme} scheme`, async () => {
      fake.room('shop').change({ set: { events: [GALA, SALE] } }, null, 'Bo')
      await logIn({ colorScheme })
      await openEvents()
      for (const width of [390, 1_440, 1_920]) {
        await page.setViewportSize({ width, height: 800 })
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        expect(await violations()).toEqual([])
      }
    })
  }
})

describe('the calendar of events', () => {
  const FAR = { name: 'far', event_start_time: '2031-03-30T10:00:00Z', event_end_time: '2031-04-02T10:00:00Z' }
  const title = () => part().locator('#calendar-title').innerText()
  const day = (date: string) => part().locator('td', { has: page.locator(`time[datetime="${date}"]`) })

  test('shows the month of the next event, and each day of an event that is long', async () => {
    fake.room('shop').change({ set: { events: [FAR] } }, null, 'Bo')
    await logIn({ timezoneId: 'Europe/Madrid' })
    await openEvents()
    expect(await title()).toBe('March 2031')
    expect(await day('2031-03-29').innerText()).toBe('29')
    expect(await day('2031-03-30').getByRole('button').innerText()).toBe('12:00 far')
    expect(await day('2031-04-02').getByRole('button').innerText()).toBe('far')
    await press('Next month')
    expect(await title()).toBe('April 2031')
    expect(await day('2031-04-03').getByRole('button').count()).toBe(0)
    expect(await part().getByRole('columnheader').allInnerTexts()).toEqual('Mon Tue Wed Thu Fri Sat Sun'.split(' '))
  })

  test('is used by the keyboard, and a pressed event has the focus in the list', async () => {
    fake.room('shop').change({ set: { events: [FAR, GALA] } }, null, 'Bo')
    await logIn()
    await openEvents()
    const first = await title()
    await part().getByRole('button', { name: 'Next month' }).focus()
    await page.keyboard.press('PageDown')
    expect(await title()).not.toBe(first)
    await page.keyboard.press('PageUp')
    expect(await title()).toBe(first)
    await part().locator('td button', { hasText: 'gala' }).first().focus()
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.querySelector('h2')?.innerText)).toContain('gala')
  })

  test('is left out on a phone and in a room without events', async () => {
    await logIn({ viewport: { width: 390, height: 800 } })
    await openEvents()
    expect(await part().getByRole('table').count()).toBe(0)
    fake.room('shop').change({ set: { events: [GALA] } }, null, 'Bo')
    await part().getByRole('heading', { name: 'gala' }).waitFor()
    expect(await part().getByRole('table').count()).toBe(0)
    await page.setViewportSize({ width: 1_440, height: 800 })
    await part().getByRole('table').waitFor()
  })
})

describe('an event that is to come', () => {
  test('has a link to its rehearsal, which the form of the rehearsal then shows', async () => {
    fake.room('shop').change({ set: { events: [GALA] } }, null, 'Bo')
    await logIn()
    await openEvents()
    await part().getByRole('link', { name: 'Rehearse this event' }).click()
    const rehearse = page.locator('#part-rehearse')
    await rehearse.waitFor()
    expect(await rehearse.getByLabel('Event', { exact: true }).inputValue()).toBe('gala')
    expect(await rehearse.getByLabel('Visitors expected').inputValue()).toBe('10000')
    expect(changes().length).toBe(0)
  })
})

const field = (name: string) => part().getByLabel(name, { exact: true })
const press = (name: string) => part().getByRole('button', { name, exact: true }).click()
const note = () => part().locator(':scope > .note').innerText()
const events = () => fake.room('shop').describe().settings.events

describe('the form of an event', () => {
  test('makes an event, with the times of the browser and its zone', async () => {
    await logIn({ timezoneId: 'Europe/Berlin' })
    await openEvents()
    await press('New event')
    await field('Name').fill('winter')
    await field('Newcomers wait from').fill('2099-12-04T09:30')
    await field('Starts').fill('2099-12-04T10:00')
    await field('Ends').fill('2099-12-04T22:00')
    await field('Draw those who wait by lot').check()
    await field('Message to everyone in line').fill('Doors open at ten.')
    expect(await violations()).toEqual([])
    await press('Save the event')
    await expect.poll(note, READ).toMatch(/^Done/)
    expect(events()).toMatchObject([
      {
        name: 'winter',
        prequeue_start_time: '2099-12-04T09:30:00+01:00',
        event_start_time: '2099-12-04T10:00:00+01:00',
        shuffle_at_event_start: true,
        message: 'Doors open at ten.',
        total_active_users: null,
      },
    ])
    expect(await part().locator('form').isVisible()).toBe(false)
    expect(changes()[0]?.ifMatch).toBe('"1fake.0"')
  })

  test('shows each refusal at its field, and keeps what was typed', async () => {
    fake.room('shop').change({ set: { events: [GALA] } }, null, 'Bo')
    await logIn({ colorScheme: 'dark' })
    await openEvents()
    await press('New event')
    await field('Name').fill('two words')
    await field('Ends').fill('2027-01-01T10:00')
    await field('Starts').fill('2027-01-02T10:00')
    await field('Newcomers wait from').fill('')
    await field('New visitors a minute').fill('300')
    await press('Save the event')
    await expect.poll(() => field('Name').getAttribute('aria-invalid'), READ).toBe('true')
    expect(await part().locator('[data-path="event.name"]').innerText()).toContain('Must be 1 to 64 letters, digits')
    expect(await field('Name').evaluate(node => node === document.activeElement)).toBe(true)
    expect(await field('Name').inputValue()).toBe('two words')
    expect(events()).toHaveLength(1)
    expect(await violations()).toEqual([])
    await field('Name').fill('winter')
    await press('Save the event')
    await expect.poll(() => field('Ends').getAttribute('aria-invalid'), READ).toBe('true')
    expect(await field('Places inside').getAttribute('aria-invalid')).toBe('true')
    expect(await field('Name').getAttribute('aria-invalid')).toBeNull()
  })

  test('keeps an event that another operator has made meanwhile', async () => {
    fake.room('shop').change({ set: { events: [GALA] } }, null, 'Bo')
    await logIn()
    await openEvents()
    await press('Change gala')
    await field('Message to everyone in line').fill('Soon.')
    fake.room('shop').change({ set: { events: [GALA, SALE] } }, null, 'Bo')
    await expect.poll(() => part().getByRole('heading', { level: 2 }).count(), READ).toBe(2)
    await press('Save the event')
    await expect.poll(note, READ).toContain('Another operator changed this room')
    expect(await field('Message to everyone in line').inputValue()).toBe('Soon.')
    await press('Save the event')
    await expect.poll(note, READ).toMatch(/^Done/)
    expect(events().map(({ name, message }) => [name, message])).toEqual([
      ['gala', 'Soon.'],
      ['sale', null],
    ])
  })

  test('removes an event after a question, and one press brings it back', async () => {
    fake.room('shop').change({ set: { events: [GALA, SALE] } }, null, 'Bo')
    await logIn()
    await openEvents()
    await press('Remove sale')
    const dialog = page.getByRole('dialog', { name: 'Remove sale?' })
    expect(await dialog.innerText()).toMatch(/1,\d{3} in all\. They keep their places/)
    await dialog.getByRole('button', { name: 'Remove sale' }).click()
    await expect.poll(() => events().map(({ name }) => name), READ).toEqual(['gala'])
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    await expect.poll(() => events().map(({ name }) => name), READ).toEqual(['gala', 'sale'])
  })

  test('copies an event to the next week, and suspends one', async () => {
    fake.room('shop').change({ set: { events: [GALA] } }, null, 'Bo')
    await logIn()
    await openEvents()
    await press('Copy gala')
    expect(await field('Name').inputValue()).toBe('gala-2')
    await press('Save the event')
    await expect.poll(() => events().length, READ).toBe(2)
    const [first, copy] = events().map(({ event_start_time }) => Date.parse(event_start_time))
    expect((copy ?? 0) - (first ?? 0)).toBe(7 * 86_400_000)
    await press('Suspend gala')
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend gala' }).click()
    await expect.poll(() => events()[0]?.suspended, READ).toBe(true)
    await press('Resume gala')
    await expect.poll(() => events()[0]?.suspended, READ).toBe(false)
  })

  test('lets an operator set what the role includes, and a viewer nothing', async () => {
    fake.mode.role = 'operator'
    await logIn()
    await openEvents()
    await press('New event')
    expect(await field('New visitors a minute').isEnabled()).toBe(true)
    expect(await field('Minutes of a session').isDisabled()).toBe(true)
    expect(await part().locator('[data-path="event.session_duration"]').innerText()).toContain('an admin can set this')
    expect(await violations()).toEqual([])
    fake.mode.role = 'viewer'
    await page.reload()
    await part().getByText('Your role, viewer, does not include this').first().waitFor()
    expect(await part().getByRole('button', { name: 'New event' }).isDisabled()).toBe(true)
  })
})
