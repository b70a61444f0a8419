/**
 * The demo bank: a site of its own, at which a visitor of the demo shop pays. It sends its visitor back as banks do, by
 * a form that the browser posts to the shop from another site.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formOf } from './form.ts'

export interface Bank {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/** A payment that a shop asks for. */
export interface Payment {
  readonly order: string
  readonly euros: number
  /** Where the bank posts the outcome. */
  readonly backTo: string
}

const FORM_BYTES_MAX = 4_096
const THIS_MACHINE = /^(localhost|127\.0\.0\.1|\[::1\])$/

export async function startBank(): Promise<Bank> {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Returns the address of the bank as another site than the shop's. Browsers count `localhost` and `127.0.0.1` as two
 * sites, whatever the ports are.
 */
export function bankAt(port: number, shopHost: string): string {
  return `http://${/^127\./.test(shopHost) ? 'localhost' : '127.0.0.1'}:${port}`
}

/** Returns the fields of a form that asks for a payment. */
export function paymentFields({ order, euros, backTo }: Payment): string {
  return [field('order', order), field('euros', String(euros)), field('back', backTo)].join('')
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bank')
  const isPaid = request.method === 'POST'
  const payment = pathname === '/pay' ? paymentIn(isPaid ? await formOf(request, FORM_BYTES_MAX) : searchParams) : null
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  if (!payment) {
    response.statusCode = pathname === '/' ? 200 : 400
    response.end(
      page('Demo bank', '<p>Start a payment in the demo shop. This bank knows shops on this machine only.</p>'),
    )
  } else response.end(isPaid ? paidPage(payment) : askingPage(payment))
}

/** Returns the payment that a shop asks for. Returns null for a shop on another machine. */
function paymentIn(fields: URLSearchParams | null): Payment | null {
  const order = fields?.get('order') ?? ''
  const euros = Number(fields?.get('euros'))
  const back = URL.parse(fields?.get('back') ?? '')
  if (!/^[\w-]{1,40}$/.test(order) || !Number.isInteger(euros) || euros < 0) return null
  if (!back || !/^https?:$/.test(back.protocol) || !THIS_MACHINE.test(back.hostname)) return null
  return { order, euros, backTo: back.href }
}

function askingPage(payment: Payment): string {
  return page(
    'Pay',
    `<p>Corner Pottery asks for <strong>€${payment.euros}</strong>, for order ${payment.order}. No money is moved.</p>
<p>Before you pay, hold the line in the dashboard of the waiting room: you will come back to the shop all the same.</p>
<form method="post" action="/pay">${paymentFields(payment)}<button>Pay</button></form>`,
  )
}

function paidPage({ order, backTo }: Payment): string {
  return page(
    'Paid',
    `<p>Thank you. You are on your way back to the shop.</p>
<form method="post" action="${escaped(backTo)}">${field('order', order)}${field('outcome', 'paid')}<button>Back to the shop</button></form>
<script>document.forms[0].submit()</script>`,
  )
}

function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Demo bank</title>
<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}
button{font:inherit;padding:.6rem 1.2rem}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>
`
}

function field(name: string, value: string): string {
  return `<input type="hidden" name="${name}" value="${escaped(value)}">`
}

function escaped(text: string): string {
  return text.replace(/[&"<>]/g, character => `&#${character.charCodeAt(0)};`)
}
