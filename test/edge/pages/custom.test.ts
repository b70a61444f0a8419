import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { compilePage, parsed } from '../../../src/edge/pages/template.ts'
import { roomStub } from '../../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

const MINUTE = 60_000
const iso = (ms: number) => new Date(ms).toISOString()

const change = async (set: object, room = 'decorated') =>
  expect(await roomStub(env, room).change({ set }, null, 'test')).toMatchObject({ kind: 'changed' })
/** A newcomer at an edge that has no snapshot of the room yet. */
const visitor = (room = 'decorated') => new Visitor(`${room}.test`, newEdge())
/** The page for newcomers, polled until a change is in force (within two seconds). */
const page = () => expect.poll(async () => (await visitor().page()).text, { timeout: 4_000, interval: 500 })

afterEach(settled)

describe('a page written for Cloudflare Waiting Room', () => {
  it('has its variables, reloads as the room sets, and leads on to the site', async () => {
    const edge = newEdge()
    // The burst of three goes in. All later visitors wait.
    for (let i = 0; i < 3; i++) expect((await new Visitor('own.test', edge).page()).atOrigin).not.toBeNull()
    const before = Array.from({ length: 12 }, () => new Visitor('own.test', edge))
    for (const other of before) await other.page()
    const waits = new Visitor('own.test', edge)
    const fresh = await waits.page('/sale?a=1&b=2')
    expect(fresh.status).toBe(503)
    expect(fresh.text).toMatch(/<title>own\.test<\/title>/)
    expect(fresh.text).toMatch(/Your estimated wait time is unavailable/)
    expect(fresh.text).toMatch(/var waitTime = 0; var waitTimeKnown = false; var place = null/)
    expect(fresh.text).toMatch(/In order of arrival/)
    expect(fresh.text).not.toMatch(/challenge|Closed|Starts in|Not delivered|longer than a day|\{\{/)
    const { headers } = fresh.response
    expect(headers.get('Content-Type')).toBe('text/html; charset=utf-8')
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('X-Robots-Tag')).toBe('noindex')
    expect(headers.get('Refresh')).toMatch(/^([2-6]\d|7[0-2]); url=\/sale\?a=1&b=2$/)
    for (const other of before) await other.page()
    const now = () => expect.poll(async () => (await waits.page()).text, { timeout: 30_000, interval: 1_000 })
    await now().toMatch(/var waitTimeKnown = true; var place = \d+</)
    const { text } = await waits.page()
    expect(text).toMatch(/wait time is .*minutes? \(0 h \d+ min\)\.\.\./)
    expect(text).toMatch(/var waitTime = [1-9]/)
    await change({ new_users_per_minute: 6_000 }, 'own')
    await now().toMatch(/^\{"method":"GET"/)
    // The line is empty now. Newcomers of the next tests wait because of queue_all, however slow the machine is.
    await change({ queue_all: true }, 'own')
  }, 60_000)

  it('reloads only as the room sets: its own refresh tag is removed', async () => {
    const page = (own: string, i: number) => `<h1>${i}</h1>${own}<p>{{refreshIntervalSeconds}}</p>`
    const waits = visitor()
    await waits.page()
    const tags = ['<meta http-equiv="refresh" content="1">', "<META content='1' HTTP-EQUIV = Refresh\n/>"]
    for (const [i, own] of tags.entries()) {
      await change({ custom_page_html: page(own, i) })
      const shown = async () => (await waits.page()).text
      await expect.poll(shown, { timeout: 4_000, interval: 500 }).toContain(`<h1>${i}`)
      const { text, response } = await waits.page()
      const [, seconds] = /^(\d+); url=\/$/.exec(response.headers.get('Refresh') ?? '') ?? []
      expect(text).toBe(page('', i).replace('{{refreshIntervalSeconds}}', String(seconds)))
    }
    await change({ custom_page_html: '' })
  })

  it('reloads where a section of it leaves out our place, which would poll', async () => {
    const waits = visitor()
    await waits.page()
    await change({ custom_page_html: '<h1>Soon</h1>{{#called}}{{{antesala}}}{{/called}}' })
    const shown = async () => (await waits.page()).text
    await expect.poll(shown, { timeout: 4_000, interval: 500 }).toContain('<h1>Soon</h1>')
    expect((await waits.page()).response.headers.get('Refresh')).toMatch(/^\d+; url=\/$/)
    await change({ custom_page_html: '' })
  })

  it('keeps the place alive where it places ours: it polls, and does not reload', async () => {
    const waits = visitor()
    await waits.page()
    await change({ custom_page_html: '<html lang="en"><h1>Ours</h1>{{{antesala}}}<p>Below</p></html>' })
    const shown = async () => (await waits.page()).text
    await expect.poll(shown, { timeout: 4_000, interval: 500 }).toContain('<h1>Ours</h1>')
    const { text, response } = await waits.page()
    expect(response.headers.get('Refresh')).toBeNull()
    expect(text).toMatch(/<noscript><meta http-equiv="refresh" content="\d+; url=&#x2F;"><\/noscript>/)
    expect(text).toMatch(/<section class="antesala"[^>]*>\s*<div id="room" [^>]*data-status="[^"]+"/)
    expect(text).toMatch(/<h2 id="headline">You are in line<\/h2>.*<p id="said".*<script>.*<p>Below<\/p>/s)
    expect(text).not.toContain('{{')
    await change({ custom_page_html: '' })
  })

  it('escapes the values that it shows, and leaves unknown names empty', async () => {
    const { text } = await visitor('own').page()
    expect(text).toMatch(/<p>Tea &amp; &lt;b&gt;biscuits&lt;&#x2F;b&gt; meanwhile\.<\/p><p><\/p>/)
  })

  it('makes no HTML of the message, however it is written: only addresses become links', async () => {
    const waits = visitor()
    await waits.page()
    const html =
      '{{message}}|{{{message}}}|{{#message}}{{&message}}{{/message}}|{{#message}}{{{.}}}{{/message}}|{{=<% %>=}}<%& message %>'
    await change({ message: '<b>Sale</b> https://a.test/x', custom_page_html: html })
    const plain = '&lt;b&gt;Sale&lt;&#x2F;b&gt; '
    const address = 'https:&#x2F;&#x2F;a.test&#x2F;x'
    const linked = `${plain}<a href="${address}" target="_blank" rel="noopener noreferrer">${address}</a>`
    await expect
      .poll(async () => (await waits.page()).text, { timeout: 4_000, interval: 500 })
      .toBe([plain + address, linked, linked, linked, linked].join('|'))
    await change({ message: '', custom_page_html: '' })
  })

  it('shows nothing for all variables at once, nor for properties that every object has', async () => {
    const waits = visitor()
    await waits.page()
    await change({ custom_page_html: '<h1>All: {{.}}{{&.}}{{constructor}}{{__proto__}}.{{#site}}{{.}}{{/site}}</h1>' })
    await expect
      .poll(async () => (await waits.page()).text, { timeout: 4_000, interval: 500 })
      .toBe('<h1>All: .decorated.test</h1>')
    await change({ custom_page_html: '' })
  })

  it('may have its own styles and scripts: only what no page needs is forbidden', async () => {
    const { response } = await visitor('own').page()
    expect(response.headers.get('Content-Security-Policy')).toBe("object-src 'none'; base-uri 'self'")
  })

  it('reports that a form was not delivered, and leads to the page of the form', async () => {
    const form = { method: 'POST', body: 'a=b', headers: { Referer: 'https://own.test//elsewhere.test/cart' } }
    const { text, response } = await visitor('own').page('/order', form)
    expect(text).toMatch(/Not delivered/)
    expect(response.headers.get('Refresh')).toMatch(/; url=\/\.\/\/elsewhere\.test\/cart$/)
  })

  it('changes nothing for programs', async () => {
    const { text, response } = await visitor('own').data()
    expect(JSON.parse(text)).toMatchObject({ state: 'waiting', cfWaitingRoom: { inWaitingRoom: true, turnstile: '' } })
    expect(response.headers.get('Refresh')).toBeNull()
    expect(response.headers.get('Content-Security-Policy')).toBeNull()
  })
})

describe('a page of the operator', () => {
  it('can be set, changed and removed while visitors wait', async () => {
    const edge = newEdge()
    const waits = new Visitor('decorated.test', edge)
    expect((await waits.page()).text).toMatch(/You are in line/)
    for (const words of ['Almost there', 'Nearly there']) {
      await change({ custom_page_html: `<h1>${words}, {{site}}{{#held}}, held{{/held}}</h1>` })
      await expect
        .poll(async () => (await waits.page()).text, { timeout: 4_000, interval: 500 })
        .toBe(`<h1>${words}, decorated.test, held</h1>`)
    }
    await change({ custom_page_html: '' })
    await page().toMatch(/You are in line/)
  })

  it('gives way to the page of an event from the beginning of its prequeue', async () => {
    await visitor().page()
    const nowMs = Date.now()
    const event = { name: 'sale', event_start_time: iso(nowMs + 6 * MINUTE), event_end_time: iso(nowMs + 9 * MINUTE) }
    const own = '<h1>Sale{{#isEventPrequeueing}} in {{timeUntilEventStart}}: {{eventName}}{{/isEventPrequeueing}}</h1>'
    const everyDay = { custom_page_html: '<h1>Every day</h1>' }
    await change({ ...everyDay, events: [{ ...event, custom_page_html: own }] })
    await page().toBe('<h1>Every day</h1>')
    await change({ events: [{ ...event, prequeue_start_time: iso(nowMs), custom_page_html: own }] })
    await page().toBe('<h1>Sale in 6: sale</h1>')
    await change({ events: [{ ...event, prequeue_start_time: iso(nowMs) }] })
    await page().toBe('<h1>Every day</h1>')
    await change({ events: [{ ...event, prequeue_start_time: iso(nowMs), custom_page_html: '' }] })
    await page().toMatch(/You are here before the start/)
    await change({ events: [] })
  })

  it('is shown by `reject` without reloading, but not to visitors who are rejected for another reason', async () => {
    const own = '{{#isRejectQueue}}Closed for today{{/isRejectQueue}}{{^isRejectQueue}}In line{{/isRejectQueue}}'
    const closed = { custom_page_html: own, queue_all: false, new_users_per_minute: 0, queueing_method: 'reject' }
    await visitor().page()
    await change(closed)
    await page().toBe('Closed for today')
    const { text, status, response } = await visitor().page()
    expect([status, text, response.headers.get('Refresh')]).toEqual([503, 'Closed for today', null])
    await change({ queueing_method: 'fifo' })
    await page().toBe('In line')
    await change({ remaining: 0, when_sold_out: 'reject' })
    await page().toMatch(/Nothing is left at the moment/)
    await change({ remaining: null, invite_only: true })
    await page().toMatch(/You need an invitation/)
    await change({ invite_only: false, queue_all: true, custom_page_html: '' })
  })

  it('appears in the list of changes with its beginning and its size', async () => {
    const own = `<h1>${'a'.repeat(200)}</h1>`
    await change({ custom_page_html: own, message: 'With a page.' })
    const [latest] = await roomStub(env, 'decorated').changes()
    const shown = { custom_page_html: `<h1>${'a'.repeat(56)}... (209 bytes)`, message: 'With a page.' }
    expect(latest?.request).toEqual({ set: shown })
    expect((await roomStub(env, 'decorated').describe()).settings.custom_page_html).toBe(own)
    await change({ custom_page_html: '', message: '' })
  })
})

describe('a page of ours', () => {
  const texts = ['place', 'note', 'logo', 't.page.foot', 't.gone.foot', 'none']
  const tag = fc.oneof(
    fc.constantFrom('<p>', ' ', '\n', '"', "'"),
    fc.constantFrom(...texts).map(name => `{{${name}}}`),
    fc.constantFrom(...texts).map(name => `{{{${name}}}}`),
  )
  const { template } = fc.letrec<{ template: string; section: string }>(tie => ({
    template: fc
      .array(fc.oneof({ depthSize: 'small' }, tag, tie('section')), { maxLength: 6 })
      .map(all => all.join('')),
    section: fc
      .tuple(fc.constantFrom('#', '^'), fc.constantFrom(...texts, 'brand'), tie('template'))
      .map(([type, name, inside]) => `{{${type}${name}}}\n${inside}{{/${name}}}\n`),
  }))
  const text = fc.oneof(fc.constantFrom('', '<b>', 'a & b', 'it\'s `x` = "y"/'), fc.string(), fc.integer())
  const value = fc.oneof(text, fc.boolean(), fc.constant(null), fc.constant(undefined))
  const brand = fc.oneof(fc.constant(null), fc.record({ logo: value, note: value }))
  const variables = fc.record({ place: value, note: value, brand, t: fc.record({ page: fc.record({ foot: text }) }) })

  it('is filled in exactly as by Mustache', () => {
    fc.assert(
      fc.property(template, variables, (page, values) => {
        expect(compilePage(page)(values)).toBe(parsed(page)(values))
      }),
      { numRuns: 2_000 },
    )
  })

  it('cannot use a tag of Mustache that rooms do not support', () => {
    expect(() => compilePage('{{> head}}')).toThrow('cannot use the tag > of Mustache, at head')
  })
})
