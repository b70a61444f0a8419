import { afterEach, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

/** A live change is in force within two seconds. */
const eventually = <Value>(look: () => Promise<Value>) => expect.poll(look, { timeout: 10_000 })

afterEach(async () => {
  await roomStub(env, 'linked').change({ reset: 'all' }, null, 'test')
  const visitor = () => new Visitor('linked.test', newEdge()).page()
  await eventually(async () => (await visitor()).response.headers.get('Set-Cookie') ?? '').toMatch(/SameSite=Lax/)
  await eventually(async () => (await visitor()).status).toBe(200)
  await settled()
})

const change = (set: object) => roomStub(env, 'linked').change({ set }, null, 'test')

const NAVIGATION = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const FOREIGN = { ...NAVIGATION, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' }

/** A visitor whose browser leaves the cookie out, as for a request from another site. */
async function withoutCookie(visitor: Visitor, path: string, init: RequestInit): Promise<string[]> {
  const kept = new Map(visitor.jar)
  visitor.jar.clear()
  const { response } = await visitor.send(path, init)
  visitor.jar.clear()
  for (const [name, value] of kept) visitor.jar.set(name, value)
  return response.headers.getSetCookie()
}

const FORMS: [string, Record<string, string>][] = [
  ['of another site', FOREIGN],
  ['of a sandboxed frame', { ...NAVIGATION, 'Sec-Fetch-Site': 'cross-site', Origin: 'null' }],
  ['of another site, in an older browser', { Accept: 'text/html', Origin: 'https://evil.test' }],
  ['of a page without an origin, in an older browser', { Accept: 'text/html', Origin: 'null' }],
  ['of the same host over http', { Accept: 'text/html', Origin: 'http://linked.test' }],
]

describe('a form', () => {
  it.each(FORMS)('%s does not replace the pass of a visitor', async (_from, headers) => {
    const visitor = new Visitor('linked.test', newEdge())
    await visitor.page()
    const cookies = await withoutCookie(visitor, '/', { method: 'POST', headers, body: 'x=1' })
    expect(cookies).toEqual([])
  })

  it.each(FORMS)('%s does not replace a place in line', async (_from, headers) => {
    const visitor = new Visitor('held.test', newEdge())
    await visitor.page()
    const cookies = await withoutCookie(visitor, '/', { method: 'POST', headers, body: 'x=1' })
    expect(cookies).toEqual([])
    const { place } = await visitor.poll()
    expect(place.state).toBe('waiting')
  })

  it.each(FORMS)('%s does not make a visitor leave', async (_from, headers) => {
    const visitor = new Visitor('linked.test', newEdge())
    await visitor.page()
    const leave = '/.waiting-room/leave?room=linked'
    expect(await withoutCookie(visitor, leave, { method: 'POST', headers })).toEqual([])
  })

  it('of the site itself gives a newcomer the pass', async () => {
    const headers = { ...NAVIGATION, 'Sec-Fetch-Site': 'same-origin', Origin: 'https://linked.test' }
    const { response } = await new Visitor('linked.test', newEdge()).send('/', { method: 'POST', headers, body: 'x=1' })
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it('of another site is forwarded when the cookie came along', async () => {
    await change({ cookie_attributes: { samesite: 'none' } })
    const edge = newEdge()
    const first = new Visitor('linked.test', edge)
    await eventually(async () => {
      first.jar.clear()
      return (await first.page()).response.headers.get('Set-Cookie') ?? ''
    }).toContain('SameSite=None')
    const { status, atOrigin } = await first.send('/', { method: 'POST', headers: FOREIGN, body: 'x=1' })
    expect([status, atOrigin?.body]).toEqual([200, 'x=1'])
  })
})

describe('a link', () => {
  it('of another site gives a newcomer the pass', async () => {
    const { response } = await new Visitor('linked.test', newEdge()).send('/', { headers: FOREIGN })
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it('of another site sets no cookie under samesite = "strict", but the next page of the site does', async () => {
    await change({ cookie_attributes: { samesite: 'strict' } })
    const visitor = new Visitor('linked.test', newEdge())
    await eventually(async () => {
      visitor.jar.clear()
      return (await visitor.page()).response.headers.get('Set-Cookie') ?? ''
    }).toContain('SameSite=Strict')
    expect(await withoutCookie(visitor, '/', { headers: FOREIGN })).toEqual([])
    const own = { ...NAVIGATION, 'Sec-Fetch-Site': 'same-origin' }
    const newcomer = await new Visitor('linked.test', newEdge()).send('/', { headers: own })
    expect(newcomer.response.headers.getSetCookie()).toHaveLength(1)
  })

  it('in a frame or an image of another site sets no cookie', async () => {
    for (const destination of ['iframe', 'image']) {
      const headers = { ...FOREIGN, 'Sec-Fetch-Dest': destination }
      const { response } = await new Visitor('linked.test', newEdge()).send('/', { headers })
      expect([destination, response.headers.getSetCookie()]).toEqual([destination, []])
    }
  })
})

describe('a program', () => {
  it('without Origin and Fetch Metadata gets its pass, whatever its method', async () => {
    const { response } = await new Visitor('linked.test', newEdge()).send('/', { method: 'POST', body: '{}' })
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })
})

describe('a script of another site', () => {
  const from = (Origin: string, token?: string) => ({
    Accept: '*/*',
    'Sec-Fetch-Dest': 'empty',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Site': 'cross-site',
    Origin,
    ...(token === undefined ? {} : { 'Waiting-Room-Token': token }),
  })
  const NAMED = 'https://app.test'
  const changeWide = (set: object) => roomStub(env, 'wide').change({ set }, null, 'test')
  const tokenOf = (response: Response) => response.headers.get('Waiting-Room-Token') ?? ''
  const sidOf = (token: string) => JSON.parse(atob(token.split('.')[1] ?? '')).sub

  it('that the room names keeps its place by a header, and goes in with it', async () => {
    const edge = newEdge()
    // Browsers keep no Lax cookie of such an answer, so each request comes without one.
    const ask = (path: string, token?: string) =>
      new Visitor('wide.test', edge).send(path, { headers: from(NAMED, token) })
    await changeWide({ queue_all: true })
    await eventually(async () => (await ask('/api')).status).toBe(503)
    const { response } = await ask('/api')
    const first = tokenOf(response)
    expect([first.slice(0, 2), response.headers.getSetCookie()]).toEqual(['ey', []])
    const poll = (token: string) => ask('/.waiting-room/status?room=wide&claim=1', token)
    let token = first
    const stateOf = async () => {
      const { response, text } = await poll(token)
      token = tokenOf(response) || token
      expect(response.headers.getSetCookie()).toEqual([])
      return JSON.parse(text).state
    }
    await eventually(stateOf).toBe('waiting')
    expect(token).not.toBe(first)
    await changeWide({ queue_all: false })
    await eventually(stateOf).toBe('admitted')
    expect(sidOf(token)).toBe(sidOf(first))
    const { atOrigin } = await ask('/api', token)
    expect(atOrigin?.headers['waiting-room-session']).toBe(sidOf(first))
    expect(atOrigin?.headers['waiting-room-token']).toBeUndefined()
  })

  it('that the room names may read the token that comes with an answer of the site', async () => {
    const ask = () => new Visitor('wide.test', newEdge()).send('/api', { headers: from(NAMED) })
    await eventually(async () => (await ask()).status).toBe(200)
    const { response, atOrigin } = await ask()
    expect(atOrigin).not.toBeNull()
    expect(tokenOf(response)).toMatch(/^ey/)
    expect(response.headers.get('Access-Control-Expose-Headers')).toBe('Waiting-Room-Token')
    expect([response.headers.getSetCookie(), response.headers.get('Cache-Control')]).toEqual([[], 'private, no-store'])
  })

  it('that the room does not name gets neither a token nor a cookie', async () => {
    for (const headers of [from('https://evil.test'), { ...from(NAMED), Origin: 'null' }]) {
      const { response } = await new Visitor('wide.test', newEdge()).send('/api', { headers })
      expect([tokenOf(response), response.headers.getSetCookie()]).toEqual(['', []])
      expect(response.headers.has('Access-Control-Expose-Headers')).toBe(false)
    }
  })
})
