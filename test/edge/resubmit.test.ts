import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { type Answer, claimsOf, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

const BROWSER = { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const FROM_BANK = {
  ...BROWSER,
  'Sec-Fetch-Site': 'cross-site',
  Origin: 'https://bank.test',
  Referer: 'https://bank.test/',
}
const FROM_SHOP = { ...BROWSER, 'Sec-Fetch-Site': 'same-origin' }
const URLENCODED = 'application/x-www-form-urlencoded'
const BYTES_MAX = 262_144

/** Sends a request without the cookies that a browser leaves out. Keeps those that the answer sets. */
async function withoutLaxCookies(visitor: Visitor, path: string, init: RequestInit): Promise<Answer> {
  const kept = [...visitor.jar]
  visitor.jar.clear()
  const answer = await visitor.send(path, init)
  expect(visitor.jar.size).toBe(0)
  for (const [name, value] of kept) visitor.jar.set(name, value)
  return answer
}

const form = (body: BodyInit, type = URLENCODED, from: Record<string, string> = FROM_BANK): RequestInit => {
  const length = typeof body === 'string' ? new TextEncoder().encode(body).length : (body as Uint8Array).length
  return { method: 'POST', body, headers: { ...from, 'Content-Type': type, 'Content-Length': String(length) } }
}

/** Does what a browser does with the page: sends its only field, as text, to the same address. */
function pressed(visitor: Visitor, path: string, page: string, from: Record<string, string> = {}): Promise<Answer> {
  const [, name, value] = /<input type="hidden" name="([\w-]+)" value="([\w.-]+)">/.exec(page) ?? []
  expect(name).toBe('waiting-room-form')
  const origin = { Origin: `https://${visitor.host}`, Referer: `https://${visitor.host}/` }
  return visitor.send(path, form(`${name}=${value}\r\n`, 'text/plain', { ...FROM_SHOP, ...origin, ...from }))
}

const stateOf = ({ response }: Answer) => response.headers.get('Waiting-Room-State')

describe('a payment that returns by a form of another site', () => {
  it('goes on in the session of its visitor, in an open room', async () => {
    const visitor = new Visitor('linked.test', newEdge())
    await visitor.page()
    const { sub } = claimsOf(visitor.token)
    const first = await withoutLaxCookies(visitor, '/return?order=7&x', form('MD=a+b%20c&PaRes=%E9%0A'))
    expect([first.status, first.atOrigin, stateOf(first)]).toEqual([200, null, 'resubmit'])
    expect(first.objectCalls).toBe(0)
    const { atOrigin } = await pressed(visitor, '/return?order=7&x', first.text)
    expect(atOrigin).toMatchObject({
      method: 'POST',
      url: 'http://origin.test/return?order=7&x',
      body: 'MD=a+b%20c&PaRes=%E9%0A',
      headers: { 'content-type': URLENCODED, 'content-length': '23', 'waiting-room-session': sub },
    })
  })

  it('finds the place of its visitor, in a line', async () => {
    const visitor = new Visitor('held.test', newEdge())
    await visitor.page()
    const before = claimsOf(visitor.token)
    const first = await withoutLaxCookies(visitor, '/return', form('a=1'))
    expect(stateOf(first)).toBe('resubmit')
    const second = await pressed(visitor, '/return', first.text)
    expect([second.status, second.atOrigin]).toEqual([503, null])
    expect(claimsOf(visitor.token)).toMatchObject({ sub: before.sub, key: before.key })
  })

  it('is decided as it is the second time, also without a cookie', async () => {
    const visitor = new Visitor('linked.test', newEdge())
    const first = await visitor.send('/return', form('a=1'))
    const second = await pressed(visitor, '/return', first.text)
    expect([second.status, second.atOrigin?.body, visitor.jar.size]).toEqual([200, 'a=1', 1])
  })

  it('makes no loop where the page has no origin, as in a sandboxed frame, and still sets no cookie', async () => {
    const visitor = new Visitor('linked.test', newEdge())
    const opaque = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'iframe', Origin: 'null' }
    const first = await visitor.send('/return', form('a=1', URLENCODED, { ...FROM_BANK, ...opaque }))
    const second = await pressed(visitor, '/return', first.text, opaque)
    expect([second.status, second.atOrigin?.body, second.atOrigin?.headers.origin]).toEqual([200, 'a=1', 'null'])
    expect(visitor.jar.size).toBe(0)
  })

  it('works in a frame, and only where frame_ancestors allows one', async () => {
    const frame = { ...FROM_BANK, 'Sec-Fetch-Dest': 'iframe' }
    const open = await new Visitor('linked.test', newEdge()).send('/', form('a=1', URLENCODED, frame))
    const policy = open.response.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; img-src data:; base-uri 'none'$/,
    )
    await roomStub(env, 'framed').change({ set: { frame_ancestors: ['self'] } }, null, 'test')
    const edge = newEdge()
    await vi.waitUntil(async () => {
      const { response } = await new Visitor('framed.test', edge).send('/', form('a=1', URLENCODED, frame))
      return response.headers.get('Content-Security-Policy')?.endsWith("; frame-ancestors 'self'")
    }, 10_000)
  })

  it('reaches the origin with the headers and the cookies with which it first came', async () => {
    const visitor = new Visitor('linked.test', newEdge())
    await visitor.page()
    const kept = [...visitor.jar]
    visitor.jar.clear()
    visitor.jar.set('third', 'none').set('same', 'none')
    const first = await visitor.send('/return', form('a=1'))
    for (const [name, value] of [...kept, ['session', 'lax'] as const]) visitor.jar.set(name, value)
    const { atOrigin } = await pressed(visitor, '/return', first.text)
    expect(atOrigin?.headers).toMatchObject({
      origin: 'https://bank.test',
      referer: 'https://bank.test/',
      'sec-fetch-site': 'cross-site',
      cookie: 'third=none; same=none',
    })
    visitor.jar.delete('third')
    visitor.jar.delete('same')
    const none = await withoutLaxCookies(visitor, '/return', form('a=1'))
    const { atOrigin: without } = await pressed(visitor, '/return', none.text)
    expect(without?.headers.cookie).toBeUndefined()
    expect(without?.headers['waiting-room-session']).toBeDefined()
  })

  it('has no influence on the headers when another site has made it up', async () => {
    const visitor = new Visitor('linked.test', newEdge())
    const shop = { ...FROM_SHOP, Origin: 'https://linked.test' }
    const own = JSON.stringify({
      type: URLENCODED,
      origin: 'https://linked.test',
      referer: null,
      site: 'same-origin',
      cookies: null,
    })
    const forged = `waiting-room-form=${btoa(own).replaceAll('=', '')}.${btoa('delete=all').replaceAll('=', '')}\r\n`
    visitor.jar.set('third', 'none')
    const { atOrigin } = await visitor.send('/', form(forged, 'text/plain'))
    expect(atOrigin).toMatchObject({
      body: 'delete=all',
      headers: { origin: 'https://bank.test', cookie: 'third=none' },
    })
    expect(atOrigin?.headers['sec-fetch-site']).toBe('cross-site')
    const mine = await visitor.send('/', form(forged, 'text/plain', shop))
    expect(mine.atOrigin).toMatchObject({ body: 'delete=all', headers: { origin: 'https://linked.test' } })
  })
})

describe('a form of another site', () => {
  const page = async (init: RequestInit, host = 'linked.test', path = '/') =>
    stateOf(await new Visitor(host, newEdge()).send(path, init))
  const old = { Accept: 'text/html,*/*;q=0.8', Origin: 'https://bank.test' }

  it.each<[string, RequestInit]>([
    ['with fields', form('a=1')],
    ['without a field', form('')],
    ['in several parts', form('--x\r\n\r\n--x--', 'multipart/form-data; boundary=x')],
    ['as text', form('a=1\r\n', 'text/plain')],
    ['in another charset', form('a=%E9', `${URLENCODED}; charset=iso-8859-1`)],
    ['of a sandboxed frame', form('a=1', URLENCODED, { ...FROM_BANK, Origin: 'null' })],
    ['in a frame', form('a=1', URLENCODED, { ...FROM_BANK, 'Sec-Fetch-Dest': 'iframe' })],
    ['in an older browser', form('a=1', URLENCODED, old)],
    ['of the largest size', form('a'.repeat(BYTES_MAX))],
  ])('is sent once more: %s', async (_, init) => {
    expect(await page(init)).toBe('resubmit')
  })

  it.each<[string, RequestInit, string?, string?]>([
    ['beyond the largest size', form('a'.repeat(BYTES_MAX + 1))],
    ['as JSON', form('{}', 'application/json')],
    ['by a script', form('a=1', URLENCODED, { ...FROM_BANK, 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' })],
    ['by a program', form('a=1', URLENCODED, { Accept: '*/*' })],
    ['by a program that accepts HTML', form('a=1', URLENCODED, { Accept: 'text/html, image/gif, *; q=.2, */*; q=.2' })],
    ['of the same site', form('a=1', URLENCODED, { ...FROM_BANK, 'Sec-Fetch-Site': 'same-site' })],
    ['of the site itself', form('a=1', URLENCODED, { ...FROM_SHOP, Origin: 'https://linked.test' })],
    ['to a bypassed path', form('a=1'), 'wide.test', '/webhooks/paid'],
    ['in a room that lets all pass', form('a=1'), 'closing.test'],
    ['in a room that only observes', form('a=1'), 'observed.test'],
  ])('goes on as it is: %s', async (_, init, host, path) => {
    expect(await page(init, host, path)).not.toBe('resubmit')
  })

  it('is never taken for done by a program', async () => {
    const { status, response } = await new Visitor('linked.test', newEdge()).send('/', form('a=1', URLENCODED, old))
    expect([status, response.headers.get('Retry-After')]).toEqual([503, '5'])
  })
})

describe('a body on its way through the page', () => {
  const EMPTY_PAGE = { name: '', page: '' }

  it('arrives byte for byte, and nothing of it stands in the page', async () => {
    const edge = newEdge()
    const visitor = new Visitor('linked.test', edge)
    await visitor.page()
    const known = { ...EMPTY_PAGE }
    const markup = fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      '{{form}}',
      '{{{style}}}',
      '$&',
      '\u2028',
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      markup.map(text => new TextEncoder().encode(text)),
    )
    const types = fc.constantFrom(
      URLENCODED,
      `${URLENCODED};charset=Shift_JIS`,
      'multipart/form-data; boundary="<b>"',
      'text/plain',
    )
    await fc.assert(
      fc.asyncProperty(bytes, types, fc.webQueryParameters(), async (body, type, query) => {
        const path = `/return?${query}`
        const first = await withoutLaxCookies(visitor, path, form(body, type))
        expect(stateOf(first)).toBe('resubmit')
        const page = first.text.replace(/value="[\w-]+\.[\w-]*"/, 'value=""')
        known.page ||= page
        expect(page).toBe(known.page)
        const again = await pressed(visitor, path, first.text, { 'X-Answer-Body': 'hex' })
        expect(again.atOrigin?.body).toBe([...body].map(byte => byte.toString(16).padStart(2, '0')).join(''))
        expect(again.atOrigin?.headers['content-type']).toBe(type)
      }),
      { numRuns: 150 },
    )
  })

  it('that only looks like one of ours goes on unchanged', async () => {
    const visitor = new Visitor('linked.test', newEdge())
    const own = { ...FROM_SHOP, Origin: 'https://linked.test' }
    for (const body of [
      '',
      'waiting-room-form=',
      'waiting-room-form=e30.e30',
      'waiting-room-form=!.!',
      'a=1\r\n',
      'waiting-room-form=eyJ0eXBlIjoiYSJ9.',
    ]) {
      const { atOrigin } = await visitor.send('/', form(body, 'text/plain', own))
      expect([atOrigin?.body, atOrigin?.headers['content-type']]).toEqual([body, 'text/plain'])
    }
  })
})

describe('a body that stops', () => {
  const stopping = () =>
    new ReadableStream({
      start: controller => controller.enqueue(new TextEncoder().encode('a=1')),
      pull: controller => controller.error(new Error('the connection is lost')),
    })

  it.each([
    ['of another site', 'linked.test', URLENCODED, FROM_BANK],
    ['in line', 'held.test', URLENCODED, FROM_SHOP],
    ['as a page of ours sends it', 'linked.test', 'text/plain', FROM_SHOP],
  ])('is no error of the edge: %s', async (_, host, type, from) => {
    const init = { ...form('a=1234', type, from), body: stopping(), duplex: 'half' } as RequestInit
    const { status, atOrigin, response } = await new Visitor(host, newEdge()).send('/', init)
    expect([status, atOrigin]).toEqual([503, null])
    expect(response.headers.has('Waiting-Room-State')).toBe(true)
  })
})
