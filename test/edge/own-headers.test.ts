import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { siteOf } from '../../src/edge/pages/page.ts'
import { roomStub } from '../../src/settings/env.ts'
import { type Edge, env, newEdge, send, settled, Visitor } from '../support/workerd/visitor.ts'

const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document' }
const DATA = { Accept: 'application/json' }
const TOKEN = 'the-admin-token-of-the-test-rooms'
const CONTROL = '/.waiting-room'

afterEach(settled)

const ask = (edge: Edge, url: string, init: RequestInit = {}) => send(edge, new Request(`https://${url}`, init))

describe('an answer of our own', () => {
  it.each<[string, number, string, RequestInit?]>([
    ['the waiting page', 503, 'held.test/reset?token=secret', { headers: PAGE }],
    ['the waiting page, after a form', 503, 'held.test/', { method: 'POST', headers: PAGE, body: 'a=1' }],
    ['the head of the waiting page', 503, 'held.test/', { method: 'HEAD', headers: PAGE }],
    ['the place as JSON', 503, 'held.test/', { headers: DATA }],
    ['the problem of a request that was not carried out', 503, 'held.test/', { method: 'DELETE', headers: DATA }],
    ['the short answer to a part of a page', 503, 'held.test/a.png', { headers: { Accept: 'image/png' } }],
    ['the short answer to a prefetch', 503, 'held.test/', { headers: { ...PAGE, 'Sec-Purpose': 'prefetch' } }],
    ['a page of the operator', 503, 'embedded.test/', { headers: PAGE }],
    ['the page for the uninvited', 403, 'guests.test/', { headers: PAGE }],
    ['the page of what is closed by hand', 503, 'shouting.test/search/1', { headers: PAGE }],
    ['a poll', 200, `wide.test${CONTROL}/status?room=wide`],
    ['a poll for no room', 404, `wide.test${CONTROL}/status?room=none`],
    ['leaving', 204, `wide.test${CONTROL}/leave?room=wide`, { method: 'POST' }],
    ['the preflight of a poll', 204, `wide.test${CONTROL}/status?room=wide`, { method: 'OPTIONS' }],
    ['the public keys', 200, `wide.test${CONTROL}/jwks.json`],
    ['a draw that is not there', 404, `wide.test${CONTROL}/draws/none?room=wide`],
    ['the health of the edge', 200, `wide.test${CONTROL}/healthz`],
    ['what is not there', 404, `wide.test${CONTROL}/nothing`],
    ['what is not on the admin host', 404, 'admin.test/'],
    ['the description of the admin API', 200, `admin.test${CONTROL}/api/v1/openapi.json`],
    ['a refusal of the admin API', 401, `admin.test${CONTROL}/api/v1/rooms`],
    [
      'a room for operators',
      200,
      `admin.test${CONTROL}/api/v1/rooms/wide`,
      { headers: { Authorization: `Bearer ${TOKEN}` } },
    ],
    ['the dashboard without its slash', 308, `admin.test${CONTROL}/admin`],
    ['metrics', 200, `admin.test${CONTROL}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } }],
  ])('forbids sniffing, and other sites see only its origin as referrer: %s', async (_, status, url, init) => {
    const { response } = await ask(newEdge(), url, init)
    expect(response.status).toBe(status)
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(response.headers.get('Referrer-Policy')).toBe('strict-origin')
  })

  it.each([
    ['the dashboard', `admin.test${CONTROL}/admin/`],
    ['the redirect of an invitation', 'guests.test/?invite=x.y.z'],
  ])('sends no referrer at all from %s', async (_, url) => {
    const { response } = await ask(newEdge(), url, { headers: PAGE })
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(response.headers.get('Referrer-Policy')).toBe('no-referrer')
  })

  it('has these headers when a visitor is limited, while an answer of the origin keeps its own', async () => {
    const visitor = new Visitor('limited.test', newEdge())
    const own = await visitor.page('/', { headers: { 'X-Answer-With': 'Referrer-Policy=unsafe-url' } })
    expect([own.response.headers.get('Referrer-Policy'), own.response.headers.get('X-Content-Type-Options')]).toEqual([
      'unsafe-url',
      null,
    ])
    for (let i = 0; i < 3; i++) await visitor.page('/login', { method: 'POST', body: 'a' })
    for (const answer of [
      await visitor.page('/login', { method: 'POST', body: 'a' }),
      await visitor.data('/login', { method: 'POST', body: 'a' }),
    ]) {
      expect([answer.status, answer.response.headers.get('Referrer-Policy')]).toEqual([429, 'strict-origin'])
      expect(answer.response.headers.get('X-Content-Type-Options')).toBe('nosniff')
    }
  })
})

describe('frame_ancestors', () => {
  const policyOf = async (host: string, edge = newEdge()) =>
    (await ask(edge, `${host}/`, { headers: PAGE })).response.headers.get('Content-Security-Policy') ?? ''

  it("limits who may embed our pages and the operator's, and is absent by default", async () => {
    expect(await policyOf('held.test')).not.toContain('frame-ancestors')
    expect(await policyOf('embedded.test')).toBe(
      "object-src 'none'; base-uri 'self'; frame-ancestors 'self' https://*.partner.example",
    )
  })

  it('changes live', async () => {
    const set = (frame_ancestors: string[]) =>
      roomStub(env, 'framed').change({ set: { frame_ancestors } }, null, 'test')
    const policy = () => expect.poll(() => policyOf('framed.test'), { timeout: 4_000, interval: 200 })
    await set(['none'])
    await policy().toMatch(/^default-src 'none'; .*; form-action 'self'; frame-ancestors 'none'$/)
    await set([])
    await policy().toMatch(/; form-action 'self'$/)
  })
})

describe('the host, as pages show it', () => {
  it('has only characters that host names may have', () => {
    const host = fc.string({ maxLength: 20 }).filter(text => URL.canParse(`https://x${text}y/`))
    const special = fc.constantFrom('a"b', "a'b", 'a&b', 'a`=b', '"onload="x', '{{a}}')
    fc.assert(
      fc.property(fc.oneof(host, special), text => {
        expect(siteOf({ url: new URL(`https://x${text}y/`) })).toMatch(/^[\w.:[\]-]*$/)
      }),
    )
    const known = ['https://shop.example:8443/', 'https://[2001:db8::1]:8443/', 'https://xn--bcher-kva.example/']
    for (const url of known) expect(siteOf({ url: new URL(url) })).toBe(new URL(url).host)
  })
})

describe('a page of the operator', () => {
  it('contains no HTML metacharacter from a visitor, even between three braces', async () => {
    const edge = newEdge()
    const label = fc.string({ maxLength: 12 }).filter(text => URL.canParse(`https://x${text}.embedded.test/`))
    const special = fc.constantFrom(
      '"',
      "'",
      '`',
      '&',
      '=',
      ';',
      '{{site}}',
      '"onload="x',
      '&lt;',
      "';alert(1);'",
      '$&',
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(label, special), fc.webPath(), async (text, path) => {
        const url = new URL(`https://x${text}.embedded.test${path}`)
        const { status, text: html } = await ask(edge, url.href.slice('https://'.length), { headers: PAGE })
        if (!url.hostname.endsWith('.embedded.test')) return
        // A malformed Host gets no page at all.
        if (status === 400) return
        expect(status).toBe(503)
        const [, site, more] = /^<(.*)\|(.*)>$/s.exec(html) ?? []
        expect(site).toMatch(/^[\w.:[\]-]*\.embedded\.test$/)
        expect(more).not.toMatch(/[<>"'`=]/)
      }),
      { numRuns: 150 },
    )
  })
})
