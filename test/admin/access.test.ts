import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Edge, env, newEdge, send, settled } from '../support/workerd/visitor.ts'

const TEAM = 'https://shopteam.cloudflareaccess.com'
const AUD = 'a1'.repeat(32)
const ANA = { email: 'Ana@example.com', groups: ['shop-ops'], sub: 'ana-id' }

const bindings = {
  ...env,
  ACCESS_TEAM: 'shopteam',
  ACCESS_AUD: AUD,
  ACCESS_ROLES: [
    { email: '*@example.com', role: 'viewer' },
    { group: 'shop-ops', role: 'operator' },
    { service: 'probe.access', role: 'admin' },
  ],
}

/** Signs and publishes keys as the team of Cloudflare Access does. */
const keyOf = (pair: CryptoKeyPair, kid: string) =>
  exportJWK(pair.publicKey).then(key => ({ ...key, kid, alg: 'RS256', use: 'sig' }))
let team: CryptoKeyPair
let stranger: CryptoKeyPair
let keysAnswer: () => Response | Promise<Response>
let keysRead = 0
let edge: Edge

beforeAll(async () => {
  team = await generateKeyPair('RS256', { extractable: true })
  stranger = await generateKeyPair('RS256', { extractable: true })
})
beforeEach(async () => {
  const keys = [await keyOf(team, 'team-1')]
  keysAnswer = () => Response.json({ keys })
  keysRead = 0
  edge = newEdge()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async input => {
    expect(String(input)).toBe(`${TEAM}/cdn-cgi/access/certs`)
    keysRead++
    return keysAnswer()
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await settled()
})

const now = () => Math.floor(Date.now() / 1_000)

interface Signing {
  readonly key?: CryptoKey
  readonly kid?: string
  readonly issuer?: string
  readonly audience?: string
  readonly expires?: number
}

function assertion(claims: JWTPayload, signing: Signing = {}): Promise<string> {
  const { key = team.privateKey, kid = 'team-1', issuer = TEAM, audience = AUD, expires = now() + 3_600 } = signing
  return new SignJWT({ type: 'app', ...claims })
    .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience([audience])
    .setIssuedAt(now() - 60)
    .setExpirationTime(expires)
    .sign(key)
}

async function ask(login: string | null, init: RequestInit = {}, path = '/api/v1/rooms') {
  const headers = { ...(login === null ? {} : { 'Cf-Access-Jwt-Assertion': login }), ...init.headers }
  const request = new Request(`https://admin.test/.waiting-room${path}`, { ...init, headers })
  const { status, text } = await send(edge, request, bindings)
  return { status, text, body: text.startsWith('{') ? JSON.parse(text) : null }
}

describe('a login by Cloudflare Access', () => {
  it('has the strongest role of its groups and its address', async () => {
    expect((await ask(await assertion(ANA))).body.you).toMatchObject({
      name: 'Ana@example.com',
      role: 'operator',
      by: 'access',
    })
    const bo = { email: 'bo@example.com', custom: { groups: [] } }
    expect((await ask(await assertion(bo))).body.you.role).toBe('viewer')
    const custom = { email: 'cy@other.com', custom: { groups: ['shop-ops'] } }
    expect((await ask(await assertion(custom))).body.you.role).toBe('operator')
    const service = { common_name: 'probe.access', sub: '' }
    expect((await ask(await assertion(service))).body.you).toMatchObject({
      name: 'probe.access',
      role: 'admin',
      by: 'access',
    })
    expect(keysRead).toBe(1)
  })

  it('gets no role by an address that only ends like a listed one', async () => {
    for (const email of ['ana@notexample.com', 'ana@example.com.evil.com', '"x@example.com"@evil.com']) {
      const { status, body } = await ask(await assertion({ email }))
      expect([status, body.title]).toEqual([403, 'You have no role'])
    }
  })

  it('names the person in the log of changes', async () => {
    const change = { method: 'PATCH', body: '{"message":"By Access"}' }
    const login = await assertion(ANA)
    expect((await ask(login, change, '/api/v1/rooms/caseless')).status).toBe(200)
    const { body } = await ask(login, {}, '/api/v1/rooms/caseless/changes')
    expect(body.changes[0].actor).toBe('Ana@example.com')
  })

  it.each<[string, () => Promise<string>]>([
    ['the audience of another application', () => assertion(ANA, { audience: 'b2'.repeat(32) })],
    ['an end in the past', () => assertion(ANA, { expires: now() - 1 })],
    ['another issuer', () => assertion(ANA, { issuer: 'https://other.cloudflareaccess.com' })],
    ['an unknown key', () => assertion(ANA, { kid: 'team-2' })],
    ['the signature of a stranger', () => assertion(ANA, { key: stranger.privateKey })],
    [
      'no signature',
      async () => new UnsecuredJWT(ANA).setIssuer(TEAM).setAudience(AUD).setExpirationTime('1h').encode(),
    ],
    [
      'a signature by HS256 with the public key as its secret',
      async () =>
        new SignJWT(ANA)
          .setProtectedHeader({ alg: 'HS256', kid: 'team-1' })
          .setIssuer(TEAM)
          .setAudience(AUD)
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(new TextEncoder().encode(await exportSPKI(team.publicKey))),
    ],
    ['no name', () => assertion({ sub: 'x' })],
    ['text that is no token', async () => 'nonsense'],
    ['16 KiB and more', () => assertion({ ...ANA, groups: ['x'.repeat(16_384)] })],
  ])('is refused with %s', async (_what, login) => {
    const { status, body } = await ask(await login())
    expect([status, body.title]).toEqual([401, 'A valid token is required'])
    expect(body.detail).toMatch(/^The login of Cloudflare Access is not valid: /)
  })

  it('is refused without an assertion, and a token works beside it', async () => {
    expect((await ask(null)).body.detail).toBe('Log in by Cloudflare Access, or send a token.')
    const headers = { Authorization: `Bearer ${env.ADMIN_TOKEN}` }
    expect((await ask(null, { headers })).body.you.name).toBe('ADMIN_TOKEN')
    expect((await ask(await assertion(ANA), { headers: { Authorization: 'Bearer wrong' } })).status).toBe(401)
  })

  it('looks up a key that is new, and looks up unknown keys once in 30 seconds at most', async () => {
    const keys = [await keyOf(team, 'team-1'), await keyOf(stranger, 'team-2')]
    for (let i = 0; i < 5; i++) expect((await ask(await assertion(ANA, { kid: `forged-${i}` }))).status).toBe(401)
    expect(keysRead).toBe(1)
    keysAnswer = () => Response.json({ keys })
    vi.setSystemTime(Date.now() + 31_000)
    expect((await ask(await assertion(ANA, { kid: 'team-2', key: stranger.privateKey }))).status).toBe(200)
    expect(keysRead).toBe(2)
    vi.useRealTimers()
  })

  it.each<[string, () => Response]>([
    ['fail', () => new Response('', { status: 500 })],
    ['are no JSON', () => new Response('<html>')],
    [
      'cannot be reached',
      () => {
        throw new Error('Network connection lost')
      },
    ],
  ])('is not judged while the keys %s', async (_what, answer) => {
    keysAnswer = answer
    const { status, body } = await ask(await assertion(ANA))
    expect([status, body.title]).toEqual([503, 'The login cannot be checked'])
  })

  it('makes no change that another site asks for', async () => {
    const login = await assertion(ANA)
    const change = (Origin: string) => ({ method: 'PATCH', body: '{"message":"x"}', headers: { Origin } })
    const path = '/api/v1/rooms/caseless'
    expect((await ask(login, change('https://evil.test'), path)).body.title).toBe('The request comes from another site')
    expect((await ask(login, change('null'), path)).status).toBe(403)
    expect((await ask(login, change('https://admin.test'), path)).status).toBe(200)
  })

  it('opens the dashboard without a token', async () => {
    expect((await ask(await assertion(ANA), {}, '/admin/')).text).toContain('<html data-login="access" ')
    expect((await ask(null, {}, '/admin/')).text).not.toContain('data-login')
  })
})

describe('the settings of Cloudflare Access', () => {
  it('are complete or absent', async () => {
    const request = () => new Request('https://admin.test/.waiting-room/readyz')
    const { text } = await send(newEdge(), request(), { ...env, ACCESS_TEAM: 'shopteam' })
    expect(JSON.parse(text).reasons).toEqual([
      'ACCESS_AUD is required where another ACCESS_ variable is set',
      'ACCESS_ROLES is required where another ACCESS_ variable is set',
    ])
  })
})
