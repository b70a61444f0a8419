import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { roomStub } from '../../src/settings/env.ts'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

/** A live change is in force within two seconds. */
const eventually = <Value>(look: () => Promise<Value>) => expect.poll(look, { timeout: 10_000 })

afterEach(settled)

const change = (set: object) => roomStub(env, 'undone').change({ set }, null, 'test')

/** Headers of a request, as browsers and programs send them. */
const KINDS = {
  'a browser without Fetch Metadata': { Accept: 'text/html,*/*;q=0.8' },
  'a page': { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' },
  'a frame': { Accept: 'text/html', 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Mode': 'navigate' },
  'a script': { Accept: '*/*', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors' },
  'a script that wants JSON': { Accept: 'application/json', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors' },
  'a program that wants JSON': { Accept: 'application/json' },
  'the sender of a webhook': { Accept: '*/*', 'Content-Type': 'application/json' },
  'the sender of a payment notice': { Accept: '*/*; q=0.5, application/xml' },
  'a program that says nothing': {},
  'a program in Java': { Accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' },
} as const

describe('a request that is not carried out', () => {
  beforeAll(async () => {
    await change({ queue_all: true })
  })
  afterAll(async () => {
    await roomStub(env, 'undone').change({ reset: 'all' }, null, 'test')
  })

  it.each([200, 202, 429, 503])(
    'gets a status of %i only as a page, an API read or a form in a browser',
    async code => {
      await change({ queueing_status_code: code })
      const edge = newEdge()
      const send = (method: string, headers: Record<string, string>) =>
        new Visitor('undone.test', edge).send('/order', {
          method,
          headers,
          ...(method === 'GET' ? {} : { body: 'x=1' }),
        })
      await eventually(async () => (await send('GET', KINDS['a page'])).status).toBe(code)
      const kind = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]))
      const method = fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')
      await fc.assert(
        fc.asyncProperty(kind, method, async (kind, method) => {
          const { status, atOrigin, response, text } = await send(method, KINDS[kind])
          const isForm = method === 'POST' && (kind === 'a page' || kind === 'a frame')
          expect([atOrigin, response.headers.has('Retry-After')]).toEqual([null, true])
          expect(status).toBe(isForm ? code : 503)
          const type = response.headers.get('Content-Type')
          if (kind.includes('webhook') || kind.includes('payment')) expect(type).toBe('application/problem+json')
          if (isForm) expect(text).toContain('<html')
        }),
        { numRuns: 40 },
      )
    },
  )

  it('gets a 503 during an outage, too, unless it is a page or a form in a browser', async () => {
    await change({ queue_all: false, queueing_status_code: 200 })
    const visitor = new Visitor('undone.test', newEdge())
    await eventually(async () => (await visitor.page()).status).toBe(200)
    await visitor.page()
    await change({ health_pins: { breakers: { origin: 'open' } } })
    await eventually(async () => (await visitor.page()).atOrigin).toBe(null)
    const post = (headers: Record<string, string>) => visitor.send('/order', { method: 'POST', headers, body: 'x=1' })
    expect((await visitor.page()).status).toBe(200)
    expect((await post(KINDS['a page'])).status).toBe(200)
    expect((await post(KINDS['the sender of a webhook'])).status).toBe(503)
    expect((await visitor.send('/order', { method: 'DELETE' })).status).toBe(503)
  })
})
