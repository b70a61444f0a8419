/** The shop's counter: which request gets which page, and what it costs. */
import { randomInt } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bankAt } from './bank.ts'
import type { Faults } from './faults.ts'
import { formOf } from './form.ts'
import { addTo, type Cart, Carts, productOf, totalEuros } from './goods.ts'
import type { Ledger } from './ledger.ts'
import {
  type AtBank,
  cartPage,
  checkoutPage,
  configuratorPage,
  homePage,
  notePage,
  orderPage,
  productPage,
} from './pages.ts'
import { ASSETS } from './pictures.ts'
import { echo, events } from './probes.ts'
import type { Threads } from './threads.ts'

const CART_COOKIE = 'shop_cart'
/** An order costs as much as three pages, because it needs the stock, the payment and a mail. */
const ORDER_COST = 3
const FORM_BYTES_MAX = 16_384
/** The shop waits for its payment provider as long as many shops do: a minute. */
const PAYMENT_WITHIN_MS = 60_000
/** Bounds the memory that begun payments can take. */
const UNPAID_MAX = 10_000
/** A visit costs this much when the configurator is broken, because it searches every order of the shop. */
const BROKEN_COST = 25

interface Page {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

/** The work of a request. It is decided first, so that only real pages wait for a thread. */
type Work = { readonly cost: number; readonly page: () => Page | Promise<Page> }

export class Counter {
  readonly #carts = new Carts()
  readonly #threads: Threads
  readonly #ledger: Ledger
  readonly #faults: Faults
  /** Null without a bank. */
  readonly #bankPort: number | null
  /** Carts that are being paid for at the bank, by order. The bank's form comes back without the cart's cookie. */
  readonly #unpaid = new Map<string, Cart>()

  constructor(threads: Threads, ledger: Ledger, faults: Faults, bankPort: number | null = null) {
    this.#threads = threads
    this.#ledger = ledger
    this.#faults = faults
    this.#bankPort = bankPort
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://shop')
    const asset = ASSETS.get(pathname)
    if (asset) {
      const headers = { 'Content-Type': asset.type, 'Cache-Control': 'public, max-age=31536000, immutable' }
      send(response, { status: 200, body: asset.body, headers })
    } else if (pathname === '/echo') await echo(request, response)
    else if (pathname === '/events') events(response)
    else {
      const work = this.#workFor(request, pathname)
      if ('status' in work) send(response, work)
      else await this.#work(response, work)
    }
  }

  async #work(response: ServerResponse, { cost, page }: Work): Promise<void> {
    const beganMs = performance.now()
    const outcome = await this.#threads.serve(cost)
    const nowMs = performance.now()
    if (outcome !== 'refused') this.#ledger.waited(nowMs - beganMs, nowMs)
    if (outcome === 'served') {
      this.#ledger.pagesServed++
      this.#ledger.workDone += cost
      send(response, await page())
    } else {
      const words = 'The shop has more visitors than it can serve. Please try again in a moment.'
      send(response, { status: 503, body: notePage('Too busy', words), headers: { 'Retry-After': '5' } })
    }
  }

  #workFor(request: IncomingMessage, pathname: string): Work | Page {
    const route = `${request.method === 'HEAD' ? 'GET' : request.method} ${pathname.replace(/^(\/product\/).+/, '$1')}`
    const cart = this.#carts.of(cookieOf(request, CART_COOKIE))
    switch (route) {
      case 'GET /':
        return { cost: 1, page: () => ({ status: 200, body: homePage() }) }
      case 'GET /product/': {
        const product = productOf(pathname.slice('/product/'.length))
        if (product) return { cost: 1, page: () => ({ status: 200, body: productPage(product) }) }
        return { status: 404, body: notePage('Not found', 'We have never made this one.') }
      }
      case 'GET /configurator': {
        const isBroken = this.#faults.configurator === 'broken'
        if (isBroken) this.#ledger.spoiled++
        return { cost: isBroken ? BROKEN_COST : 1, page: () => ({ status: 200, body: configuratorPage() }) }
      }
      case 'GET /cart':
        return { cost: 1, page: () => ({ status: 200, body: cartPage(cart) }) }
      case 'POST /cart':
        return { cost: 1, page: () => this.#add(request) }
      case 'GET /checkout':
        if (!cart || cart.size === 0) return seeOther('/cart')
        return { cost: 1, page: () => ({ status: 200, body: checkoutPage(cart, this.#atBank(request, cart)) }) }
      case 'POST /checkout':
        if (!cart || cart.size === 0) return seeOther('/cart')
        return { cost: ORDER_COST, page: () => this.#order(cart) }
      case 'POST /payment':
        return { cost: ORDER_COST, page: () => this.#paid(request) }
      default:
        return { status: 404, body: notePage('Not found', 'There is no such page.') }
    }
  }

  async #add(request: IncomingMessage): Promise<Page> {
    const form = await formOf(request, FORM_BYTES_MAX)
    const product = productOf(form?.get('product'))
    if (!form || !product) return { status: 400, body: notePage('Not added', 'We did not understand what to add.') }
    const session = cookieOf(request, CART_COOKIE)
    const known = this.#carts.of(session)
    const opened = known ? null : this.#carts.open()
    if (opened) this.#ledger.carts++
    const cart = known ?? opened?.cart
    if (!cart || !addTo(cart, product, Number(form.get('quantity') ?? 1))) {
      return { status: 400, body: notePage('Not added', 'How many should it be?') }
    }
    const cookie = opened && { 'Set-Cookie': `${CART_COOKIE}=${opened.session}; Path=/; HttpOnly; SameSite=Lax` }
    return { ...seeOther('/cart'), headers: { Location: '/cart', ...cookie } }
  }

  /** Begins a payment at the bank. */
  #atBank({ headers }: IncomingMessage, cart: Cart): AtBank | null {
    const shop = URL.parse(`http://${headers['x-forwarded-host'] ?? headers.host}`)
    if (this.#bankPort === null || !shop) return null
    const order = `CP-${randomInt(100_000, 1_000_000)}`
    const [oldest] = this.#unpaid.keys()
    if (this.#unpaid.size >= UNPAID_MAX && oldest !== undefined) this.#unpaid.delete(oldest)
    this.#unpaid.set(order, cart)
    const bankUrl = bankAt(this.#bankPort, shop.hostname)
    return { bankUrl, order, euros: totalEuros(cart), backTo: `http://${shop.host}/payment` }
  }

  /** The form of the bank. A real shop would check its signature. */
  async #paid(request: IncomingMessage): Promise<Page> {
    const order = (await formOf(request, FORM_BYTES_MAX))?.get('order') ?? ''
    const cart = this.#unpaid.get(order)
    if (!cart) return { status: 400, body: notePage('Not known', 'We do not wait for such a payment.') }
    this.#unpaid.delete(order)
    cart.clear()
    this.#ledger.orders++
    return { status: 200, body: orderPage(`${order}-${this.#ledger.orders}`) }
  }

  async #order(cart: Map<number, number>): Promise<Page> {
    if (this.#faults.payment === 'hangs') {
      await this.#threads.hold(PAYMENT_WITHIN_MS)
      return { status: 502, body: notePage('Not paid', 'Our payment provider does not answer. Nothing was charged.') }
    }
    if (cart.size === 0) return seeOther('/cart')
    cart.clear()
    this.#ledger.orders++
    return { status: 200, body: orderPage(`CP-${randomInt(100_000, 1_000_000)}-${this.#ledger.orders}`) }
  }
}

function send(response: ServerResponse, { status, body, headers }: Page): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'private, no-cache',
    ...headers,
  })
  response.end(body)
}

function seeOther(path: string): Page {
  return { status: 303, body: '', headers: { Location: path } }
}

export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map(pair => pair.trim())
  return pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}
