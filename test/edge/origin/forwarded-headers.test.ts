import * as fc from 'fast-check'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { roomStub } from '../../../src/settings/env.ts'
import { SPOKEN_BY_PROXIES } from '../../../src/settings/origin-headers.ts'
import { env, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterAll(settled)

const NAMES = SPOKEN_BY_PROXIES.flatMap(({ names, prefixes }) => [...names, ...prefixes.map(prefix => `${prefix}x`)])
/** Cloudflare sets these headers itself, and the tests run as if on Cloudflare. */
const FORGED = NAMES.filter(name => name !== 'cf-x')

async function atOrigin(headers: Record<string, string>, bindings = env): Promise<Record<string, string>> {
  const visitor = new Visitor('wide.test', newEdge())
  visitor.bindings = bindings
  return (await visitor.page('/', { headers })).atOrigin?.headers ?? {}
}

describe('a header that proxies set for an origin', () => {
  it.each(FORGED)('such as %s is not forwarded, with hyphens or with underscores', async name => {
    const got = await atOrigin({ [name]: 'forged', [name.replaceAll('-', '_')]: 'forged' })
    expect(Object.entries(got).filter(([, value]) => value.includes('forged'))).toEqual([])
  })

  it('is forwarded where the room names it, but only when written with hyphens', async () => {
    onTestFinished(async () => {
      await roomStub(env, 'wide').change({ reset: 'all' }, null, 'test')
    })
    const set = { allowed_override_headers: ['x-original-uri', 'cf-access-jwt-assertion'] }
    await roomStub(env, 'wide').change({ set }, null, 'test')
    const headers = { 'X-Original-URI': '/a', X_Original_URI: '/b', 'Cf-Access-Jwt-Assertion': 'c', 'X-Real-IP': '::1' }
    await expect
      .poll(async () => await atOrigin(headers), { timeout: 10_000 })
      .toMatchObject({ 'x-original-uri': '/a', 'cf-access-jwt-assertion': 'c' })
    const got = await atOrigin(headers)
    expect([got.x_original_uri, got['x-real-ip']]).toEqual([undefined, undefined])
  })

  it('of Cloudflare is believed only behind Cloudflare', async () => {
    const headers = { 'CF-IPCountry': 'AQ', 'CF-Ray': 'x' }
    expect(await atOrigin(headers)).toMatchObject({ 'cf-ipcountry': 'AQ', 'cf-ray': 'x' })
    const selfHosted = await atOrigin(headers, { ...env, TRUSTED_IP_HEADER: 'X-Real-IP' })
    expect([selfHosted['cf-ipcountry'], selfHosted['cf-ray']]).toEqual([undefined, undefined])
  })
})

describe('an ordinary header', () => {
  it.each([
    'Accept-Language',
    'Authorization',
    'Content-Type',
    'If-None-Match',
    'Range',
    'Stripe-Signature',
    'Traceparent',
    'User-Agent',
    'X-Api-Key',
    'X-Csrf-Token',
    'X-Goog-Upload-Protocol',
    'X-Hub-Signature-256',
    'X-Middleware-Cache',
    'X-Requested-With',
  ])('such as %s is forwarded unchanged', async name => {
    expect((await atOrigin({ [name]: 'a value' }))[name.toLowerCase()]).toBe('a value')
  })
})

describe('a request with any method and any headers', () => {
  it('reaches the origin with the method and the path that were judged', async () => {
    const edge = newEdge()
    const upgrade = fc.constantFrom(undefined, 'websocket', 'WebSocket', 'h2c', 'websocket, h2c', 'h2c, websocket')
    const other = fc.record(
      {
        Connection: fc.constantFrom('Upgrade', 'upgrade, x', 'keep-alive', 'close'),
        'Sec-WebSocket-Key': fc.constant('dGhlIHNhbXBsZSBub25jZQ=='),
        'Sec-WebSocket-Version': fc.constantFrom('13', '8'),
        Origin: fc.constantFrom('https://app.test', 'null'),
        'Access-Control-Request-Method': fc.constantFrom('GET', 'PUT'),
        'X-HTTP-Method-Override': fc.constantFrom('DELETE', 'GET'),
        X_HTTP_Method_Override: fc.constant('DELETE'),
        'X-Original-URL': fc.constant('/elsewhere'),
      },
      { requiredKeys: [] },
    )
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')
    const path = fc.constantFrom('/', '/webhooks/x', '/pay/card', '/api')
    await fc.assert(
      fc.asyncProperty(method, path, upgrade, other, async (method, path, upgrade, other) => {
        const opens = method === 'GET' && upgrade?.toLowerCase() === 'websocket' && other['Sec-WebSocket-Key']
        // Real handshakes are tested against a real server in test/contract.
        fc.pre(!(opens && other['Sec-WebSocket-Version'] === '13'))
        const headers = { ...other, ...(upgrade === undefined ? {} : { Upgrade: upgrade }) }
        const { status, response, atOrigin } = await new Visitor('wide.test', edge).send(path, { method, headers })
        expect(status).toBe(200)
        expect(response.headers.get('Content-Type')).toBe('application/json')
        // The answer to a HEAD has no body, so it cannot show what the origin received.
        if (method === 'HEAD') return
        expect([atOrigin?.method, atOrigin?.url]).toEqual([method, `http://origin.test${path}`])
        const names = Object.keys(atOrigin?.headers ?? {})
        expect(names.filter(name => /^(upgrade|connection)$|override|original/.test(name))).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})
