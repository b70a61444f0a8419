import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { type Answer, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const BROWSER = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const OWN = { ...BROWSER, 'Sec-Fetch-Site': 'same-origin' }
const URLENCODED = 'application/x-www-form-urlencoded'

afterEach(settled)

/** The first visitor of a room comes before the room knows that it is held. */
beforeAll(async () => {
  await vi.waitUntil(async () => (await new Visitor('held.test', newEdge()).page()).text.includes('in line'), 10_000)
})

function form(host: string, body = 'card=42', more: Record<string, string> = {}): RequestInit {
  const own = { ...OWN, Origin: `https://${host}`, Referer: `https://${host}/checkout?step=2` }
  const length = String(new TextEncoder().encode(body).length)
  return { method: 'POST', body, headers: { ...own, 'Content-Type': URLENCODED, 'Content-Length': length, ...more } }
}

const plain = (html: string) => html.replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '=').replaceAll('&amp;', '&')
const fieldOf = ({ text }: Answer) => /<input type="hidden" name="waiting-room-form" value="([\w.-]+)">/.exec(text)?.[1]

/** Presses the button of a page. */
const again = (visitor: Visitor, page: Answer) =>
  visitor.send(
    '/pay?order=7&x=1',
    form(visitor.host, `waiting-room-form=${fieldOf(page)}\r\n`, { 'Content-Type': 'text/plain' }),
  )

describe('a form that meets the line', () => {
  it('stands in the page, which leads to where the form was', async () => {
    const visitor = new Visitor('held.test', newEdge())
    const page = await visitor.send('/pay?order=7&x=1', form('held.test'))
    const html = plain(page.text)
    expect(html).toContain('data-to="/checkout?step=2"')
    expect(html).toContain('<form id="again" method="post" action="/pay?order=7&x=1" enctype="text/plain"')
    expect(html).toContain('Send it again')
    expect(html).not.toContain('http-equiv="refresh"')
    expect(page.response.headers.get('Content-Security-Policy')).not.toContain('form-action')
    const safe = await visitor.page()
    expect(safe.response.headers.get('Content-Security-Policy')).toContain("form-action 'self'")
    expect([safe.text.includes('id="again"'), safe.text.includes('data-to')]).toEqual([false, false])
  })

  it.each([
    ['https://held.test/checkout?step=2#b', '/checkout?step=2'],
    ['https://held.test//evil.test/', '/.//evil.test/'],
    ['https://evil.test/checkout', '/'],
    ['https://held.test.evil.test/', '/'],
    ['javascript:alert(1)', '/'],
    ['', '/'],
  ])('with the referrer %s leads to %s', async (referer, to) => {
    const { text } = await new Visitor('held.test', newEdge()).send(
      '/pay',
      form('held.test', 'a=1', { Referer: referer }),
    )
    expect(plain(text)).toContain(`data-to="${to}"`)
  })

  it('is sent again byte for byte by the press of a button, also after another wait', async () => {
    await roomStub(env, 'queued').change({ set: { queue_all: true } }, null, 'test')
    const edge = newEdge()
    const inLine = (visitor: Visitor) => visitor.send('/pay?order=7&x=1', form('queued.test', 'a=b+c%20d&e=%E9'))
    await vi.waitUntil(async () => (await inLine(new Visitor('queued.test', edge))).atOrigin === null, 10_000)
    const visitor = new Visitor('queued.test', edge)
    const second = await again(visitor, await inLine(visitor))
    expect(plain(second.text)).toContain('data-to="/checkout?step=2"')
    await roomStub(env, 'queued').change({ reset: 'all' }, null, 'test')
    let last = second
    await vi.waitUntil(async () => {
      last = await again(visitor, second)
      return last.atOrigin !== null
    }, 10_000)
    expect(last.atOrigin).toMatchObject({
      method: 'POST',
      url: 'http://origin.test/pay?order=7&x=1',
      body: 'a=b+c%20d&e=%E9',
      headers: { 'content-type': URLENCODED, referer: 'https://queued.test/checkout?step=2' },
    })
  })

  it('is not kept beyond 256 KiB, nor in another encoding, and then the page leads back by itself', async () => {
    for (const init of [
      form('held.test', 'a'.repeat(262_145)),
      form('held.test', '{}', { 'Content-Type': 'application/json' }),
    ]) {
      const page = await new Visitor('held.test', newEdge()).send('/pay', init)
      expect(fieldOf(page)).toBeUndefined()
      expect(plain(page.text)).toContain('url=/checkout?step=2"')
    }
  })

  it('leaves the page of a visitor without one as it was', async () => {
    const { text } = await new Visitor('held.test', newEdge()).page('/pay')
    expect(text).not.toMatch(/id="again"|waiting-room-form|data-wait/)
    expect(text.length).toBeLessThanOrEqual(19_000)
  })
})

describe('the other pages', () => {
  it('keep a form too: over a limit', async () => {
    const visitor = new Visitor('limited.test', newEdge())
    let page = await visitor.send('/login', form('limited.test'))
    for (let i = 0; i < 4; i++) page = await visitor.send('/login', form('limited.test'))
    expect([page.status, fieldOf(page) !== undefined]).toEqual([429, true])
    expect(plain(page.text)).toContain('data-url="/checkout?step=2"')
  })

  it('keep a form too: while the origin is blocked', async () => {
    const visitor = new Visitor('leaving.test', newEdge())
    await visitor.page()
    await roomStub(env, 'leaving').change({ set: { health_pins: { breakers: { origin: 'open' } } } }, null, 'test')
    await vi.waitUntil(async () => (await visitor.page()).atOrigin === null, 10_000)
    const page = await visitor.send('/pay', form('leaving.test'))
    expect([page.status, fieldOf(page) !== undefined]).toEqual([503, true])
    expect(plain(page.text)).not.toContain('http-equiv="refresh"')
  })

  it('of the operator keep a form where they show it, and then do not reload', async () => {
    const show = async (custom_page_html: string, marker: string) => {
      await roomStub(env, 'decorated').change({ set: { custom_page_html } }, null, 'test')
      const edge = newEdge()
      let page: Answer | null = null
      await vi.waitUntil(async () => {
        page = await new Visitor('decorated.test', edge).send('/pay', form('decorated.test'))
        return page.text.startsWith(marker)
      }, 10_000)
      return page as unknown as Answer
    }
    const shown = await show('<p id=a>{{#form}}<input name="waiting-room-form" value="{{form}}">{{/form}}', '<p id=a>')
    expect(shown.text).toMatch(/^<p id=a><input name="waiting-room-form" value="[\w-]+\.[\w-]+">$/)
    expect(shown.response.headers.has('Refresh')).toBe(false)
    const without = await show('<p id=b>{{sent}}', '<p id=b>')
    expect(without.text).toBe('<p id=b>true')
    expect(without.response.headers.get('Refresh')).toMatch(/^\d+; url=\/checkout\?step=2$/)
  })
})
