import { afterEach, describe, expect, it } from 'vitest'
import { OneDoor } from '../../support/workerd/one-door.ts'
import { type AtOrigin, claimsOf, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterEach(settled)

const ROOM = { name: 'kept', host: 'kept.test', total_active_users: 1_000, new_users_per_minute: 6_000 }

/** A visitor whose cookie has the pass that the door has renewed last. */
async function admitted(room: object = { ...ROOM, origin_pass: 'cookie' }): Promise<Visitor> {
  const door = new OneDoor(room)
  door.permits = 10
  const visitor = new Visitor('kept.test', newEdge())
  visitor.bindings = door.bindings
  for (let page = 0; page < 2; page++) await visitor.page()
  return visitor
}

const passOf = (atOrigin: AtOrigin | null) => atOrigin?.headers['waiting-room-pass']

describe('a request of a room whose origin reads the cookie', () => {
  it('goes on as it came, with the pass in the cookie', async () => {
    const visitor = await admitted()
    visitor.jar.set('cart', 'a=b')
    const headers = { 'Accept-Language': 'de', 'X-Own': 'stays' }
    const { atOrigin } = await visitor.page('/a%20b?q=%2f', { headers, redirect: 'manual' })
    expect(atOrigin?.url).toBe('http://origin.test/a%20b?q=%2f')
    expect(atOrigin?.headers).toMatchObject({ 'accept-language': 'de', 'x-own': 'stays' })
    expect(atOrigin?.headers.cookie).toBe(`__Host-antesala-kept=${visitor.token}; cart=a=b`)
    expect(Object.keys(atOrigin?.headers ?? {}).filter(name => /^(waiting-room|x-forwarded)/.test(name))).toEqual([])
  })

  it('has the pass in the header while the cookie lacks the newest one', async () => {
    const door = new OneDoor({ ...ROOM, origin_pass: 'cookie' })
    door.permits = 10
    const visitor = new Visitor('kept.test', newEdge())
    visitor.bindings = door.bindings
    const { atOrigin } = await visitor.page()
    expect(passOf(atOrigin)).toBe(visitor.token)
  })

  it.each([
    ['Waiting-Room-Pass', 'forged'],
    ['waiting_room_pass', 'forged'],
    ['Waiting_Room-Session', 'forged'],
    ['Waiting-Room-Anything', 'forged'],
    ['X-Forwarded-For', '203.0.113.9'],
    ['X_Forwarded_For', '203.0.113.9'],
    ['X-Forwarded-Host', 'forged.test'],
    ['X-Original-URL', '/forged'],
    ['X-Real-IP', '203.0.113.9'],
  ])('arrives without a forged %s, and with the pass in the header', async (name, value) => {
    const visitor = await admitted()
    const { atOrigin } = await visitor.page('/', { headers: { [name]: value } })
    expect(JSON.stringify(atOrigin)).not.toContain(value)
    expect(passOf(atOrigin)).toBe(visitor.token)
    expect(atOrigin?.headers['waiting-room-session']).toBe(claimsOf(visitor.token).sub)
    expect(atOrigin?.headers.cookie).toBeUndefined()
  })

  it.each([
    [
      'a second pass beside it',
      (visitor: Visitor) => ({ Cookie: `__Host-antesala-kept=${visitor.token}; __Host-antesala-kept=x.y.z` }),
    ],
    ['the token in a header, too', (visitor: Visitor) => ({ 'Waiting-Room-Token': visitor.token })],
  ])('has the pass in the header with %s', async (_, headersOf) => {
    const visitor = await admitted()
    const headers = headersOf(visitor)
    if ('Cookie' in headers) visitor.jar.clear()
    const { atOrigin } = await visitor.page('/', { headers })
    expect(passOf(atOrigin)).toBeDefined()
    expect(atOrigin?.headers.cookie).toBeUndefined()
  })

  it('has the pass in the header when it has a body', async () => {
    const visitor = await admitted()
    const { atOrigin } = await visitor.send('/', { method: 'POST', body: 'tea' })
    expect([atOrigin?.body, passOf(atOrigin)]).toEqual(['tea', visitor.token])
  })
})

describe('a request of any other room', () => {
  it('never has our cookie', async () => {
    const visitor = await admitted(ROOM)
    const { atOrigin } = await visitor.page()
    expect([passOf(atOrigin), atOrigin?.headers.cookie]).toEqual([visitor.token, undefined])
  })
})
