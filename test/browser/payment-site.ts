/**
 * A shop behind the built Worker in plain workerd, and a bank on another site that sends its visitors back by forms.
 */
import type { IncomingMessage } from 'node:http'
import { serveLocally, startRooms } from './served-site.ts'

/** A form that has reached a server. */
export interface Received {
  readonly path: string
  readonly type: string
  /** The body, byte by byte in hexadecimal digits. */
  readonly body: string
  readonly session: string | null
  readonly origin: string | null
  readonly cookie: string | null
}

function receivedBy(request: IncomingMessage, body: Buffer): Received {
  const { headers, url = '' } = request
  const session = headers['waiting-room-session']
  return {
    path: url,
    type: String(headers['content-type']),
    body: body.toString('hex'),
    session: session === undefined ? null : String(session),
    origin: headers.origin ?? null,
    cookie: headers.cookie ?? null,
  }
}

export async function startPaymentSite() {
  /** Forms that reached the shop, and the bank. */
  const paid: Received[] = []
  const own: Received[] = []
  const shop = await serveLocally((request, body, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://shop')
    // The shop has a policy of its own, and allows the bank only as a frame.
    response.setHeader('Content-Security-Policy', `default-src 'self'; frame-src 'self' ${bankUrl}; form-action 'self'`)
    if (request.method === 'POST') {
      paid.push(receivedBy(request, body))
      const to = searchParams.get('then')
      if (to !== null) response.writeHead(303, { Location: to })
      response.end(`<!doctype html><title>Shop</title><h1>Thank you</h1>`)
      return
    }
    const frame = searchParams.get('frame')
    response.setHeader('Set-Cookie', 'basket=7; SameSite=Lax')
    response.end(
      `<!doctype html><title>Shop</title><h1>Welcome</h1>${frame === null ? '' : `<iframe src="${frame.replaceAll('"', '&quot;')}"></iframe>`}`,
    )
  })
  const bank = await serveLocally((request, body, response) => {
    if (request.method === 'POST') {
      own.push(receivedBy(request, body))
      response.end('<!doctype html><title>Bank</title><h1>Noted</h1>')
      return
    }
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://bank')
    const html = searchParams.get('html') ?? ''
    response.setHeader('Content-Type', `text/html; charset=${searchParams.get('charset') ?? 'utf-8'}`)
    // The bank may show its form in a sandboxed frame of its own.
    const inner = html.replaceAll('"', '&quot;')
    const shown =
      pathname === '/sandbox' ? `<iframe sandbox="allow-forms allow-scripts" srcdoc="${inner}"></iframe>` : html
    response.end(Buffer.from(`<!doctype html><title>Bank</title>${shown}`, 'latin1'))
  })
  const bankUrl = `http://localhost:${bank.port}`
  const served = await startRooms({ open: { origin_timeout: 30 }, held: { queue_all: true } }, shop.port)
  return {
    // Another site than the bank's.
    url: served.url.replace('localhost', '127.0.0.1'),
    bankUrl,
    paid,
    own,
    /** The address of a page of the bank with this markup. */
    bankPage: (html: string, { path = '/', charset = 'utf-8' } = {}) =>
      `${bankUrl}${path}?charset=${charset}&html=${encodeURIComponent(html)}`,
    async stop(): Promise<void> {
      await served.stop()
      await Promise.all([shop.stop(), bank.stop()])
    },
  }
}
