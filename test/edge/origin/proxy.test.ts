import { afterEach, describe, expect, it } from 'vitest'
import { claimsOf, newEdge, settled, Visitor } from '../../support/workerd/visitor.ts'

afterEach(settled)

describe('a request to the origin', () => {
  it('carries the pass and the session of the visitor', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    const { atOrigin } = await visitor.page()
    expect(atOrigin?.headers['waiting-room-pass']).toBe(visitor.token)
    expect(atOrigin?.headers['waiting-room-session']).toBe(claimsOf(visitor.token).sub)
  })

  it('carries no identity that the visitor claims', async () => {
    const headers = {
      'Waiting-Room-Pass': 'forged',
      'Waiting-Room-Session': 'forged',
      'Waiting-Room-Anything': 'forged',
      Waiting_Room_Session: 'forged',
      X_Forwarded_For: '203.0.113.9',
      'X-Forwarded-For': '203.0.113.9',
      'X-Real-IP': '203.0.113.9',
      Forwarded: 'for=203.0.113.9',
      'CF-Connecting-IP': '198.51.100.7',
    }
    const { atOrigin } = await new Visitor('wide.test', newEdge()).page('/', { headers })
    expect(JSON.stringify(atOrigin)).not.toMatch(/forged|203\.0\.113\.9/)
    expect(atOrigin?.headers['x-forwarded-for']).toBe('198.51.100.7')
  })

  it('carries other cookies unchanged, but neither our cookie nor our token header', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    visitor.jar.set('cart', 'a=b%20"c"')
    const { atOrigin } = await visitor.page('/', { headers: { 'Waiting-Room-Token': visitor.token } })
    expect(atOrigin?.headers.cookie).toBe('cart=a=b%20"c"')
    expect(atOrigin?.headers['waiting-room-token']).toBeUndefined()
  })

  it('has path and query exactly as they came', async () => {
    const { atOrigin } = await new Visitor('wide.test', newEdge()).page('/a%20b/c;d?q=%2F%2f&e=1%2B1')
    expect(atOrigin?.url).toBe('http://origin.test/a%20b/c;d?q=%2F%2f&e=1%2B1')
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('carries the body of a %s', async method => {
    const { atOrigin } = await new Visitor('wide.test', newEdge()).send('/', { method, body: 'tea'.repeat(10_000) })
    expect([atOrigin?.method, atOrigin?.body.length]).toEqual([method, 30_000])
  })

  it('keeps its range unchanged', async () => {
    const { atOrigin } = await new Visitor('wide.test', newEdge()).page('/', { headers: { Range: 'bytes=0-9' } })
    expect(atOrigin?.headers.range).toBe('bytes=0-9')
  })
})

describe('an answer from the origin', () => {
  const answering = (answer: Record<string, string>, status = 200) => ({
    headers: { 'X-Answer-With': new URLSearchParams(answer).toString(), 'X-Answer-Status': String(status) },
  })

  it('keeps its own cookies beside ours', async () => {
    const { response } = await new Visitor('wide.test', newEdge()).page(
      '/',
      answering({ 'Set-Cookie': 'cart=1; Path=/' }),
    )
    expect(response.headers.getSetCookie()).toEqual(['cart=1; Path=/', expect.stringMatching(/^__Host-antesala-wide=/)])
  })

  it('is private and invisible to shared caches when it carries our cookie', async () => {
    const cacheable = {
      'Cache-Control': 'public, max-age=600, s-maxage=3600',
      'CDN-Cache-Control': 'max-age=600',
      'Cloudflare-CDN-Cache-Control': 'max-age=600',
      'Vercel-CDN-Cache-Control': 'max-age=600',
      'Netlify-CDN-Cache-Control': 'max-age=600',
      'Akamai-Cache-Control': 'max-age=600',
      'X-LiteSpeed-Cache-Control': 'public,max-age=600',
      'Nobody-Knows-It-Yet-Cache-Control': 'max-age=600',
      'Surrogate-Control': 'max-age=600',
      'Surrogate-Key': 'news',
      'X-Accel-Expires': '600',
      'Edge-Control': 'cache-maxage=600s',
      'Edge-Cache-Tag': 'news',
      'Cache-Tag': 'news',
      'Cache-Tags': 'news',
      'Netlify-Cache-Tag': 'news',
      'Netlify-Vary': 'query',
      'CDN-Tag': 'news',
      'X-LiteSpeed-Tag': 'news',
      'X-LiteSpeed-Vary': 'cookie=theme',
      'X-Cache-Tags': 'news',
      'X-Reverse-Proxy-TTL': '600',
      'X-VC-TTL': '600',
      'X-Cache-TTL': '600',
      xkey: 'news',
      Expires: 'Wed, 21 Oct 2026 07:28:00 GMT',
      Pragma: 'cache',
      Age: '5',
    }
    const visitor = new Visitor('wide.test', newEdge())
    const first = await visitor.page('/', answering(cacheable))
    expect(first.response.headers.get('Cache-Control')).toBe('private, no-store')
    for (const name of Object.keys(cacheable).slice(1)) expect(first.response.headers.has(name), name).toBe(false)
    await visitor.page()
    const later = await visitor.page('/', answering(cacheable))
    for (const [name, value] of Object.entries(cacheable)) expect(later.response.headers.get(name), name).toBe(value)
  })

  it('keeps its other headers when it carries our cookie', async () => {
    const other = { 'X-Accel-Buffering': 'no', ETag: '"1"', Vary: 'Accept', 'Content-Language': 'en' }
    const { response } = await new Visitor('wide.test', newEdge()).page('/', answering(other))
    for (const [name, value] of Object.entries(other)) expect(response.headers.get(name), name).toBe(value)
  })

  it('may be a redirect, which passes unchanged', async () => {
    const { status, response } = await new Visitor('wide.test', newEdge()).page(
      '/',
      answering({ Location: '/elsewhere' }, 302),
    )
    expect([status, response.headers.get('Location')]).toEqual([302, '/elsewhere'])
  })

  it('may be an error, which passes unchanged', async () => {
    expect((await new Visitor('wide.test', newEdge()).page('/', answering({}, 500))).status).toBe(500)
  })

  it('may carry a command that ends the session, which the visitor does not receive', async () => {
    const edge = newEdge()
    const visitor = new Visitor('wide.test', edge)
    await visitor.page()
    const sid = claimsOf(visitor.token).sub
    const { response } = await visitor.page('/', answering({ 'Waiting-Room-Command': 'revoke' }))
    expect(response.headers.has('Waiting-Room-Command')).toBe(false)
    await visitor.page()
    expect(claimsOf(visitor.token).sub).not.toBe(sid)
  })

  it("may carry Cloudflare's own command", async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    const sid = claimsOf(visitor.token).sub
    await visitor.page('/', answering({ 'Cf-Waiting-Room-Command': 'revoke' }))
    await visitor.page()
    expect(claimsOf(visitor.token).sub).not.toBe(sid)
  })

  it('may carry a command that extends the session', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    await visitor.page('/', answering({ 'Waiting-Room-Command': 'extend=3600' }))
    await visitor.page()
    const left = Number(claimsOf(visitor.token).exp) - Date.now() / 1_000
    expect(left).toBeGreaterThan(3_500)
  })
})

describe('a protected path', () => {
  it('keeps the session for as long as a payment takes, and always asks the door', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    await visitor.page()
    const { objectCalls } = await visitor.page('/pay/card', { method: 'POST', body: 'x' })
    expect(objectCalls).toBe(1)
    const left = Number(claimsOf(visitor.token).exp) - Date.now() / 1_000
    expect(left).toBeGreaterThan(14 * 60)
  })
})
