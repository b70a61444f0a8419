import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bank, startBank } from '../../tools/demo/bank.ts'
import { type Shop, type ShopOptions, startShop } from '../../tools/demo/shop.ts'
import { HEALTHY, slowedDown } from '../../tools/demo/slowdown.ts'

const shops: Shop[] = []

afterEach(async () => {
  await Promise.all(shops.splice(0).map(shop => shop.stop()))
})

async function shopWith(options: ShopOptions = {}): Promise<Shop> {
  const shop = await startShop({ capacity: 200, ...options })
  shops.push(shop)
  return shop
}

describe('the shop', () => {
  it('serves a home page, products and pictures, all with its mark', async () => {
    const { url } = await shopWith()
    const home = await fetch(`${url}/`)
    const html = await home.text()
    const [picture = ''] = html.match(/\/assets\/product-\d+\.svg/) ?? []
    const answers = [home, await fetch(`${url}/product/3`), await fetch(url + picture)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(answers.map(({ headers }) => headers.get('Demo-Shop'))).toEqual(['1', '1', '1'])
    expect(answers[2]?.headers.get('Cache-Control')).toContain('immutable')
    expect((await fetch(`${url}/product/99`)).status).toBe(404)
  })

  it('keeps a cart, and takes an order for it once', async () => {
    const shop = await shopWith()
    const added = await fetch(`${shop.url}/cart`, {
      method: 'POST',
      body: new URLSearchParams({ product: '3', quantity: '2' }),
      redirect: 'manual',
    })
    expect([added.status, added.headers.get('Location')]).toEqual([303, '/cart'])
    const headers = { Cookie: added.headers.get('Set-Cookie')?.split(';')[0] ?? '' }
    const cart = async () => (await fetch(`${shop.url}/cart`, { headers })).text()
    expect(await cart()).toContain('€128')
    expect(await (await fetch(`${shop.url}/cart`)).text()).toContain('cart is empty')
    const buy = () => fetch(`${shop.url}/checkout`, { method: 'POST', headers, redirect: 'manual' })
    expect(await (await buy()).text()).toMatch(/data-order="CP-\d+-1"/)
    expect(await cart()).toContain('cart is empty')
    expect((await buy()).status).toBe(303)
    expect(shop.stats()).toMatchObject({ orders: 1, carts: 1 })
  })

  it.each(['product=99', 'product=3&quantity=-1', 'product=3&quantity=x', ''])('does not add "%s"', async body => {
    const { url } = await shopWith()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await fetch(`${url}/cart`, { method: 'POST', body, headers, redirect: 'manual' })).status).toBe(400)
  })

  it('lists its visitors with their requests and their first session', async () => {
    const { url } = await shopWith()
    const come = (session: string) =>
      fetch(`${url}/`, { headers: { 'X-Crowd-Visitor': 'run-1', 'Waiting-Room-Session': session } })
    await (await come('a')).text()
    await (await come('b')).text()
    await (await fetch(`${url}/`)).text()
    const listed = await (await fetch(`${url}/stats?visitors=1`)).json()
    expect(listed.visitors['run-1']).toMatchObject({ requests: 2, session: 'a', firstAtMs: expect.any(Number) })
    expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ requests: 3, visitors: 1 })
    await fetch(`${url}/stats/reset`, { method: 'POST' })
    expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ requests: 0, visitors: 0, perStatus: {} })
  })

  it('echoes a request', async () => {
    const { url } = await shopWith()
    const headers = { 'X-Test': 'yes' }
    const told = await (await fetch(`${url}/echo?a=1`, { method: 'PUT', body: 'hello', headers })).json()
    expect(told).toMatchObject({ method: 'PUT', url: '/echo?a=1', bodyBytes: 5, headers: { 'x-test': 'yes' } })
    expect(told.bodySha256).toMatch(/^2cf24dba5fb0a30e/)
  })

  it('streams events as they happen', async () => {
    const { url } = await shopWith()
    const response = await fetch(`${url}/events`)
    const reader = response.body?.getReader()
    const first = new TextDecoder().decode((await reader?.read())?.value)
    expect(first).toContain('"tick":1')
    await reader?.cancel()
  })
})

describe('a payment at the demo bank', () => {
  let bank: Bank
  beforeAll(async () => {
    bank = await startBank()
  })
  afterAll(() => bank.stop())

  const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' })
  const fieldsOf = (html: string) =>
    Object.fromEntries([...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]))

  it.each([
    ['localhost:8787', '127.0.0.1'],
    ['127.0.0.1:8787', 'localhost'],
  ])('leads from the shop on %s to another site and back, and is taken once', async (host, bankHost) => {
    const shop = await shopWith({ bankPort: bank.port })
    const added = await post(`${shop.url}/cart`, { product: '3', quantity: '1' })
    const Cookie = added.headers.get('Set-Cookie')?.split(';')[0] ?? ''
    const checkout = await fetch(`${shop.url}/checkout`, { headers: { Cookie, 'X-Forwarded-Host': host } })
    const html = await checkout.text()
    expect(html).toContain(`action="http://${bankHost}:${bank.port}/pay"`)
    const asked = fieldsOf(html)
    expect(asked).toMatchObject({ euros: '64', back: `http://${host}/payment` })
    const asking = await (await fetch(`${bank.url}/pay?${new URLSearchParams(asked)}`)).text()
    expect(fieldsOf(asking)).toEqual(asked)
    const paid = await (await post(`${bank.url}/pay`, asked)).text()
    expect(paid).toContain(`<form method="post" action="http://${host}/payment">`)
    expect(await (await post(`${shop.url}/payment`, fieldsOf(paid))).text()).toContain(`data-order="${asked.order}-1"`)
    expect((await post(`${shop.url}/payment`, fieldsOf(paid))).status).toBe(400)
  })

  it.each(['https://shop.example/payment', 'javascript:alert(1)', 'nothing'])(
    'is refused by the bank when it would lead to %s',
    async back => {
      const query = new URLSearchParams({ order: 'CP-1', euros: '1', back })
      expect((await fetch(`${bank.url}/pay?${query}`)).status).toBe(400)
    },
  )
})

describe('the shop under load', () => {
  it('serves a few visitors quickly', async () => {
    const shop = await shopWith({ capacity: 100 })
    await Promise.all(Array.from({ length: 10 }, () => fetch(`${shop.url}/`)))
    expect(shop.stats()).toMatchObject({ perStatus: { 200: 10 }, slowdown: 1 })
  })

  it('serves fewer pages than it could, refuses the rest, and stays slow until its queue has drained', async () => {
    // One thread serves ten pages a second and queues eighty. It could serve fifty in the five seconds that they wait.
    const shop = await shopWith({ capacity: 10 })
    const pages = Array.from({ length: 100 }, async () => (await fetch(`${shop.url}/`)).status)
    await expect.poll(() => shop.stats().queued).toBeGreaterThan(0)
    // Requests other than pages do not wait in that queue.
    await fetch(`${shop.url}/assets/shop.css`)
    expect(shop.stats().queued).toBeGreaterThan(0)
    const statuses = await Promise.all(pages)
    const { pagesServed, perStatus, latencyP95Ms, slowdown } = shop.stats()
    expect(statuses.filter(status => status === 503).length).toBe(100 - pagesServed)
    expect(pagesServed).toBeLessThan(25)
    expect(perStatus[503]).toBeGreaterThan(75)
    expect(latencyP95Ms).toBeGreaterThan(4_000)
    expect(slowdown).toBeGreaterThan(2)
  }, 15_000)

  it('is not slowed by up to half a second of queue, and is five times slower at worst', () => {
    expect(slowedDown(HEALTHY, 0.5, 0).factor).toBe(1)
    expect(slowedDown(HEALTHY, 1, 0).factor).toBe(2)
    expect(slowedDown(HEALTHY, 60, 0).factor).toBe(5)
  })

  it('loses half of its slowdown every two seconds once the queue is empty', () => {
    const worst = slowedDown(HEALTHY, 60, 0)
    const still = slowedDown(worst, 0.1, 60_000)
    expect(still.factor).toBe(5)
    expect(slowedDown(still, 0, 62_000).factor).toBe(3)
    expect(slowedDown(still, 0, 90_000).factor).toBeCloseTo(1, 3)
  })
})

describe('the WebSocket', () => {
  it('echoes text and bytes', async () => {
    const { port } = await shopWith()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    socket.binaryType = 'arraybuffer'
    await new Promise(resolve => socket.addEventListener('open', resolve))
    const next = () =>
      new Promise(resolve => socket.addEventListener('message', ({ data }) => resolve(data), { once: true }))
    for (const text of ['hello', 'ñ'.repeat(30_000), '']) {
      const heard = next()
      socket.send(text)
      expect(await heard).toBe(text)
    }
    const heard = next()
    socket.send(new Uint8Array([1, 2, 3]))
    expect(new Uint8Array((await heard) as ArrayBuffer)).toEqual(new Uint8Array([1, 2, 3]))
    const closed = new Promise<CloseEvent>(resolve => socket.addEventListener('close', resolve))
    socket.close(1000)
    expect((await closed).code).toBe(1000)
  })

  it('closes with code 1009 after a frame that is too long', async () => {
    const { port } = await shopWith()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    await new Promise(resolve => socket.addEventListener('open', resolve))
    const closed = new Promise<CloseEvent>(resolve => socket.addEventListener('close', resolve))
    socket.send('x'.repeat(70_000))
    expect((await closed).code).toBe(1009)
  })

  it('answers a ping that comes in pieces', async () => {
    const { port } = await shopWith()
    const socket = connect(port, '127.0.0.1')
    const heard: Buffer[] = []
    socket.on('data', chunk => heard.push(chunk))
    const until = async (bytes: string) => {
      while (!Buffer.concat(heard).includes(bytes, 0, 'latin1'))
        await new Promise(resolve => socket.once('data', resolve))
    }
    const fields = [
      'Host: shop',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    socket.write(['GET /ws HTTP/1.1', ...fields, 'Sec-WebSocket-Version: 13', '', ''].join('\r\n'))
    await until('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=') // The example of RFC 6455, section 1.3.
    socket.write(Buffer.from([0x89, 0x82, 0, 0]))
    await new Promise(resolve => setTimeout(resolve, 20))
    socket.write(Buffer.from([0, 0, 0x68, 0x69]))
    await until('\x8a\x02hi')
    socket.destroy()
  })
})
