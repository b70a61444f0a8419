import fc from 'fast-check'
import { base64url } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cookiePairs, withoutOurs } from '../../src/edge/request/cookies.ts'
import { claimsOf, newEdge, send, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(settled)

const NAME = '__Host-antesala-held'

async function withCookie(cookie: string, host = 'held.test') {
  const headers = { Accept: 'application/json', Cookie: cookie }
  return send(newEdge(), new Request(`https://${host}/.waiting-room/status?room=held`, { headers }))
}

async function ticket(): Promise<string> {
  const visitor = new Visitor('held.test', newEdge())
  await visitor.page()
  return visitor.token
}

function withHeader(token: string, more: object): string {
  const [header = '', ...rest] = token.split('.')
  const fields = { ...JSON.parse(new TextDecoder().decode(base64url.decode(header))), ...more }
  return [base64url.encode(JSON.stringify(fields)), ...rest].join('.')
}

function withSignature(token: string, nth: number): string {
  return [...token.split('.').slice(0, 2), base64url.encode(new Uint8Array(32).fill(nth))].join('.')
}

const sidOf = (token: string) => claimsOf(token).sub

describe('our cookie', () => {
  it.each([
    ['first', (token: string) => `${NAME}=${token}; a=1; b=2`],
    ['last', (token: string) => `a=1; b=2; ${NAME}=${token}`],
    ['without spaces', (token: string) => `a=1;${NAME}=${token};b=2`],
    ['in quotes', (token: string) => `${NAME}="${token}"`],
    ['after broken ones', (token: string) => `=; ;;=x; a; %zz=%; ${NAME}=; ${NAME}=${token}`],
    ['in the second of two lines', (token: string) => `a=1; b=2, ${NAME}=${token}`],
    ['in the first of two lines', (token: string) => `${NAME}=${token}, a=1; b=2`],
    ['in the middle of three lines', (token: string) => `a="1,2",${NAME}=${token}, b=2; c=3`],
    ['in a line of its own, before that of another room', (token: string) => `${NAME}=${token}, antesala-x=y`],
    ['after 8 KB of garbage', (token: string) => `g=${'%f0%9f'.repeat(1_400)}; ${NAME}=${token}`],
  ])('is found %s', async (_where, cookie) => {
    const { status, text } = await withCookie(cookie(await ticket()))
    expect([status, JSON.parse(text).state]).toEqual([200, 'waiting'])
  })

  it.each([
    ['that are no tokens', (_: string, nth: number) => `bad${nth}`],
    ['of keys that are not ours', (token: string, nth: number) => withHeader(token, { kid: `t-${nth}` })],
    ['whose signatures are wrong', (token: string, nth: number) => withSignature(token, nth)],
  ])('is found after seven others of its name %s', async (_what, bad) => {
    const token = await ticket()
    const others = Array.from({ length: 7 }, (_, nth) => `${NAME}=${bad(token, nth)}`)
    const { text } = await withCookie([...others, `${NAME}=${token}`].join('; '))
    expect(JSON.parse(text).state).toBe('waiting')
  })

  it('is found after a hundred others that cost no signature check', async () => {
    const token = await ticket()
    const others = Array.from({ length: 100 }, (_, nth) => `${NAME}=${withHeader(token, { kid: `t-${nth}` })}`)
    const { text } = await withCookie([...others, `${NAME}=${token}`].join('; '))
    expect(JSON.parse(text).state).toBe('waiting')
  })

  it('costs ten signature checks at most, however many cookies share its name', async () => {
    const token = await ticket()
    const verify = vi.spyOn(crypto.subtle, 'verify')
    const others = Array.from({ length: 60 }, (_, nth) => `${NAME}=${withSignature(token, nth)}`)
    const { status, text } = await withCookie(others.join('; '))
    expect([status, JSON.parse(text).state]).toEqual([200, 'none'])
    expect(verify.mock.calls.length).toBe(10)
    verify.mockRestore()
  })

  it('is found among any number of others by an isolate that has verified it before', async () => {
    const edge = newEdge()
    const visitor = new Visitor('held.test', edge)
    await visitor.page()
    const others = Array.from({ length: 60 }, (_, nth) => `${NAME}=${withSignature(visitor.token, nth)}`)
    const headers = { Accept: 'application/json', Cookie: [...others, `${NAME}=${visitor.token}`].join('; ') }
    const poll = new Request('https://held.test/.waiting-room/status?room=held', { headers })
    expect(JSON.parse((await send(edge, poll)).text).state).toBe('waiting')
  })

  it('with the oldest of several tickets is the one that counts', async () => {
    const [older, newer] = [await ticket(), await ticket()]
    const { response } = await withCookie(`${NAME}=${newer}; ${NAME}=${older}`)
    const set = response.headers.getSetCookie()[0] ?? ''
    expect(sidOf(set.slice(set.indexOf('=') + 1))).toBe(sidOf(older))
  })

  it('with a pass counts before one with a ticket', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    const headers = { Cookie: `__Host-antesala-wide=${await ticket()}; __Host-antesala-wide=${visitor.token}` }
    const { atOrigin } = await send(newEdge(), new Request('https://wide.test/', { headers }))
    expect(atOrigin?.headers['waiting-room-session']).toBe(sidOf(visitor.token))
  })

  it.each([
    ['empty', () => `${NAME}=`],
    ['dots', () => `${NAME}=...`],
    ['an object', () => `${NAME}={}`],
    ['8 KB', () => `${NAME}=${'a.b.c'.repeat(1_600)}`],
    ['broken percent-encoding', () => `${NAME}=%E0%A4%A`],
    ['ten thousand of ours', () => Array(500).fill(`${NAME}=a.b.c`).join('; ')],
  ])('(%s) is no token, causes no error, and is not renewed', async (_what, cookie) => {
    const { status, text, response } = await withCookie(cookie())
    expect([status, JSON.parse(text).state]).toEqual([200, 'none'])
    expect(response.headers.has('Set-Cookie')).toBe(false)
  })

  it('of another room, kind or algorithm is no token and gives no entry', async () => {
    const token = await ticket()
    const parts = token.split('.')
    const none = btoa('{"alg":"none","typ":"ticket+jwt"}').replaceAll('=', '')
    const tokens = [
      `${none}.${parts[1]}.`,
      `${none}.${parts[1]}.AAAA`,
      `${parts[0]}.${parts[1]}.${parts[2]}AA`,
      token.slice(0, -3),
      `${token}.x`,
    ]
    for (const forged of tokens) {
      const { text, response } = await withCookie(`${NAME}=${forged}`)
      expect(JSON.parse(text).state).toBe('none')
      expect(response.headers.has('Set-Cookie')).toBe(false)
    }
    const elsewhere = await send(
      newEdge(),
      new Request('https://observed.test/', { headers: { Cookie: `__Host-antesala-observed=${token}` } }),
    )
    expect(elsewhere.atOrigin?.headers['waiting-room-session']).not.toBe(sidOf(token))
  })

  it('of another room is not accepted, even by an isolate that knows its token', async () => {
    const edge = newEdge()
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const sid = sidOf(visitor.token)
    const headers = { Cookie: `__Host-antesala-observed=${visitor.token}; __Host-antesala-held=${visitor.token}` }
    const held = await send(edge, new Request('https://held.test/', { headers }))
    expect([held.status, held.atOrigin]).toEqual([503, null])
    const observed = await send(edge, new Request('https://observed.test/', { headers }))
    expect(observed.atOrigin?.headers['waiting-room-session']).not.toBe(sid)
  })

  it('is not required, and a token header of 2 MB breaks nothing', async () => {
    const headers = { 'Waiting-Room-Token': 'a'.repeat(2_000_000) }
    const { status } = await send(newEdge(), new Request('https://held.test/', { headers }))
    expect(status).toBe(503)
  })

  it('is named by what the connection allows', async () => {
    const secure = await send(newEdge(), new Request('https://held.test/'))
    expect(secure.response.headers.get('Set-Cookie')).toMatch(/^__Host-antesala-held=.*; Secure$/)
    const plain = await send(newEdge(), new Request('http://held.test/'))
    expect(plain.response.headers.get('Set-Cookie')).toMatch(/^antesala-held=/)
    expect(plain.response.headers.get('Set-Cookie')).not.toContain('Secure')
  })
})

describe('a Cookie header for the origin', () => {
  const ours = fc.constantFrom(
    'antesala-shop',
    '__Host-antesala-shop',
    '__Secure-antesala-news',
    'antesala-shop.invite',
  )
  const own = ours.map(name => `${name}=AAAA.BBBB.CCCC`)
  const other = fc
    .tuple(fc.constantFrom('a', 'theme', 'my-antesala', '__Host-b', ''), fc.stringMatching(/^[a-z0-9,= "{}:.]{0,12}$/))
    .map(([name, value]) => `${name}=${value}`)

  it('contains nothing of ours and everything else, however lines and pairs are mixed', () => {
    const line = fc.array(fc.oneof(own, other), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), fc.constantFrom('; ', ';'), (lines, between) => {
        const header = lines.map(pairs => pairs.join(between)).join(', ')
        const rest = withoutOurs(header)
        const left = rest === undefined ? header : (rest ?? '')
        expect(left).not.toContain('AAAA')
        for (const name of ['shop', 'news']) expect(left).not.toMatch(new RegExp(`(^|[;,])\\s*[\\w-]*antesala-${name}`))
        const bare = (text: string) => text.replaceAll(/[;,\s]/g, '')
        const kept = lines.flat().filter(pair => !pair.includes('AAAA'))
        expect(bare(left)).toBe(bare(kept.join('')))
      }),
    )
  })

  it('is not split at commas when it contains nothing of ours', () => {
    expect(cookiePairs('a=1, b=2; c="3,4"')).toEqual(['a=1, b=2', ' c="3,4"'])
    expect(withoutOurs('a=1, b=2; c="3,4"')).toBeUndefined()
    expect(withoutOurs('note=before,antesala; c=3')).toBeUndefined()
  })
})

describe('a token whose signature has another length', () => {
  it.each([
    ['held.test', 31],
    ['wide.test', 63],
    ['wide.test', 65],
    ['wide.test', 1],
  ])('is no token: %s, %i bytes', async (host, length) => {
    const visitor = new Visitor(host, newEdge())
    await visitor.page()
    const [header, payload] = visitor.token.split('.')
    const forged = `${header}.${payload}.${base64url.encode(new Uint8Array(length).fill(7))}`
    const name = `__Host-antesala-${host.split('.')[0]}`
    const headers = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', Cookie: `${name}=${forged}` }
    const { status, response } = await send(newEdge(), new Request(`https://${host}/`, { headers }))
    expect(status).toBe(host === 'held.test' ? 503 : 200)
    expect(response.headers.get('Waiting-Room-State')).toBe(host === 'held.test' ? 'waiting' : null)
  })
})
