import { afterEach, describe, expect, it, vi } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

afterEach(async () => {
  vi.useRealTimers()
  await roomStub(env, 'wide').change({ reset: 'all' }, null, 'test')
  await settled()
})

const CORS = { Origin: 'https://app.test', 'Access-Control-Request-Method': 'PUT' }

describe('a CORS preflight', () => {
  it('is forwarded without a body and without credentials', async () => {
    const headers = {
      ...CORS,
      'Access-Control-Request-Headers': 'x-api-key',
      'User-Agent': 'a browser',
      Cookie: 'cart=1',
      Authorization: 'Basic eA==',
      'X-Api-Key': 'a key',
      'Content-Type': 'text/plain',
      Upgrade: 'websocket',
      Connection: 'Upgrade',
    }
    const { atOrigin } = await new Visitor('wide.test', newEdge()).send('/api', {
      method: 'OPTIONS',
      headers,
      body: 'an order',
    })
    expect([atOrigin?.method, atOrigin?.url, atOrigin?.body]).toEqual(['OPTIONS', 'http://origin.test/api', ''])
    expect(atOrigin?.headers).toMatchObject({
      origin: 'https://app.test',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-api-key',
      'user-agent': 'a browser',
    })
    for (const name of ['cookie', 'authorization', 'x-api-key', 'content-type', 'upgrade', 'waiting-room-pass'])
      expect(atOrigin?.headers[name], name).toBeUndefined()
  })

  it('costs a visitor inside no call, and looks the same as from a stranger', async () => {
    const visitor = new Visitor('wide.test', newEdge())
    await visitor.page()
    await visitor.page()
    const { atOrigin, objectCalls } = await visitor.send('/api', { method: 'OPTIONS', headers: CORS })
    expect([atOrigin?.headers['waiting-room-pass'], atOrigin?.headers.cookie, objectCalls]).toEqual([
      undefined,
      undefined,
      0,
    ])
  })
})

describe('many CORS preflights', () => {
  const statuses = async (addresses: readonly (string | null)[]) => {
    vi.setSystemTime(Date.now())
    const edge = newEdge()
    const answers = addresses.map(address => {
      const visitor = new Visitor('wide.test', edge)
      const from: Record<string, string> = address === null ? {} : { 'CF-Connecting-IP': address }
      return visitor.send('/api', { method: 'OPTIONS', headers: { ...CORS, ...from } })
    })
    return (await Promise.all(answers)).map(({ status }) => status)
  }
  const passed = (all: readonly number[]) => all.filter(status => status === 200).length

  it('from one IPv4 network pass up to a burst', async () => {
    expect(passed(await statuses(Array.from({ length: 1_200 }, (_, i) => `81.2.69.${i % 250}`)))).toBe(1_000)
  })

  it('from one IPv6 /64 pass up to a burst', async () => {
    const addresses = Array.from({ length: 1_200 }, (_, i) => `2a02:db8:1:2::${(i + 1).toString(16)}`)
    expect(passed(await statuses(addresses))).toBe(1_000)
  })

  it('do not hold up those from another network', async () => {
    const flood = Array.from({ length: 1_100 }, () => '81.2.69.9')
    expect((await statuses([...flood, '81.2.70.9'])).at(-1)).toBe(200)
  })

  it('from visitors without an address are not counted together', async () => {
    expect(passed(await statuses(Array(1_200).fill(null)))).toBe(1_200)
    expect(passed(await statuses(Array(1_200).fill('10.0.0.1')))).toBe(1_200)
  })
})

describe('preflights = "answer"', () => {
  const preflight = async (headers: Record<string, string>) => {
    const edge = await answering()
    return new Visitor('wide.test', edge).send('/api', { method: 'OPTIONS', headers })
  }

  /** An edge at which the setting is in force. */
  const answering = async () => {
    await roomStub(env, 'wide').change({ set: { preflights: 'answer' } }, null, 'test')
    const edge = newEdge()
    const status = async () => {
      const answer = await new Visitor('wide.test', edge).send('/api', { method: 'OPTIONS', headers: CORS })
      return answer.status
    }
    await expect.poll(status, { timeout: 10_000 }).toBe(204)
    return edge
  }

  it('answers an allowed origin at the edge', async () => {
    const { status, atOrigin, response } = await preflight({ ...CORS, 'Access-Control-Request-Headers': 'x-api-key' })
    expect([status, atOrigin]).toEqual([204, null])
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-api-key',
      'access-control-allow-credentials': 'true',
    })
  })

  it('allows another origin nothing', async () => {
    const { status, atOrigin, response } = await preflight({ ...CORS, Origin: 'https://evil.test' })
    expect([status, atOrigin]).toEqual([204, null])
    expect([...response.headers.keys()].filter(name => name.startsWith('access-control-'))).toEqual([])
  })

  it('leaves bypassed paths to the origin', async () => {
    const { atOrigin } = await new Visitor('wide.test', await answering()).send('/webhooks/x', {
      method: 'OPTIONS',
      headers: CORS,
    })
    expect(atOrigin?.method).toBe('OPTIONS')
  })
})
