/** One request as the gate sees it: what kind it is, and what the visitor carries. Nothing here decides. */
import { type Readings, readingsOf } from '../../core/path.ts'
import type { BypassFacts } from '../../settings/compiled/room.ts'
import type { Deployment } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import { addressIn, addressOf, networkOf } from './address.ts'
import { cookiePairs } from './cookies.ts'

/**
 * `navigation`: a person looks at a page. `api`: a program asks for data. `subresource`: a part of a page, which nobody
 * reads by itself.
 */
export type Kind = 'navigation' | 'api' | 'subresource'

/** Calls that one request has made, counted where they are made (I9). */
export interface CallCount {
  /** Claims and touches. */
  object: number
  /** Coalesced syncs that this request set off. */
  sync: number
}

/** What the runtime gives for work that goes on after the answer. */
interface Background {
  waitUntil(promise: Promise<unknown>): void
}

/** One request. What costs something to find out is found out when it is asked for, once. */
export class Visit {
  readonly request: Request
  readonly url: URL
  /** When it came, or when it had waited for its turn. */
  nowMs: number
  readonly env: Env
  readonly deployment: Deployment
  readonly calls: CallCount = { object: 0, sync: 0 }
  readonly #background: Background
  #readings: Readings | undefined
  #kind: Kind | undefined
  #isWebSocket: boolean | undefined
  #cookies: ReadonlyMap<string, readonly string[]> | undefined
  #address: string | null | undefined
  #platform: PlatformProperties | undefined

  constructor(
    { request, url, nowMs }: { request: Request; url: URL; nowMs: number },
    { env, deployment, background }: { env: Env; deployment: Deployment; background: Background },
  ) {
    this.request = request
    this.url = url
    this.nowMs = nowMs
    this.env = env
    this.deployment = deployment
    this.#background = background
  }

  /** Everything the path can mean, as it came. */
  get readings(): Readings {
    this.#readings ??= readingsOf(rawPathOf(this.request.url))
    return this.#readings
  }

  get kind(): Kind {
    this.#kind ??= kindOf(this.request.headers)
    return this.#kind
  }

  /** Asks for something, and changes nothing (RFC 9110 section 9.2.1): it may be asked again. */
  get isSafe(): boolean {
    const { method } = this.request
    return method === 'GET' || method === 'HEAD'
  }

  /** A browser has submitted a form and shows the answer (Fetch Metadata). Programs cannot be told by their Accept header. */
  get isForm(): boolean {
    const { method, headers } = this.request
    return method === 'POST' && headers.get('Sec-Fetch-Mode') === 'navigate'
  }

  get cookies(): ReadonlyMap<string, readonly string[]> {
    this.#cookies ??= cookiesOf(this.request.headers.get('Cookie'))
    return this.#cookies
  }

  /** The visitor's address: from the header the operator trusts, else from the connection where the runtime tells it. */
  get address(): string | null {
    if (this.#address === undefined) this.#address = this.#findAddress()
    return this.#address
  }

  /** The /24 or /64 of the address; null when there is none, or when it tells nothing. */
  get network(): string | null {
    return networkOf(this.address)
  }

  /** The request opens a WebSocket. Any other upgrade is ignored, as RFC 9110 section 7.8 allows. */
  get isWebSocket(): boolean {
    this.#isWebSocket ??= opensWebSocket(this.request)
    return this.#isWebSocket
  }

  /** Names of headers that belong to the connection alone (RFC 9110 section 7.6.1), in lower case. */
  get hops(): readonly string[] {
    const connection = this.request.headers.get('Connection')
    return connection === null ? [] : connection.split(',').map(name => name.trim().toLowerCase())
  }

  get continent(): string | undefined {
    return this.platform.continent
  }

  /** Properties the platform adds to a request. */
  get platform(): PlatformProperties {
    this.#platform ??= (this.request.cf ?? {}) as PlatformProperties
    return this.#platform
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#background.waitUntil(promise)
  }

  #findAddress(): string | null {
    const { trustedIpHeader } = this.deployment
    if (trustedIpHeader !== null) return addressIn(this.request.headers.get(trustedIpHeader))
    return addressOf(this.platform.clientIp ?? '')
  }
}

/** Plain workerd knows the address only. */
interface PlatformProperties {
  readonly continent?: string
  readonly country?: string
  readonly clientIp?: string
  readonly verifiedBotCategory?: string
  readonly botManagement?: { readonly verifiedBot?: boolean }
}

export function bypassFacts(visit: Visit): BypassFacts {
  const { country, verifiedBotCategory, botManagement } = visit.platform
  return {
    method: visit.request.method,
    // A header that belongs to the connection does not reach the origin, so a rule must not go by it.
    header: name => (visit.hops.includes(name.toLowerCase()) ? null : visit.request.headers.get(name)),
    cookies: visit.cookies,
    address: visit.address,
    country: country ?? null,
    verifiedCrawler: botManagement?.verifiedBot === true || (verifiedBotCategory ?? '') !== '',
  }
}

/** A browser fetching ahead of its user (Fetch Metadata, `Sec-Purpose`): nobody waits for the answer. */
export function isPrefetch(headers: Headers): boolean {
  return /\bprefetch\b/i.test(headers.get('Sec-Purpose') ?? headers.get('Purpose') ?? '')
}

/**
 * The handshake of a WebSocket (RFC 6455 section 4.1). The runtime sends any request with `Upgrade: websocket` on as a GET, so a POST or a
 * preflight with that header would reach the origin as another request than the one that was judged.
 */
function opensWebSocket({ method, headers }: Request): boolean {
  return (
    method === 'GET' &&
    headers.get('Upgrade')?.toLowerCase() === 'websocket' &&
    // A platform that ends connections itself may leave this header out.
    /(^|,)\s*upgrade\s*(,|$)/i.test(headers.get('Connection') ?? 'upgrade') &&
    headers.has('Sec-WebSocket-Key') &&
    headers.get('Sec-WebSocket-Version') === '13'
  )
}

/** A CORS preflight (Fetch Standard): it carries no cookies and changes nothing. */
export function isPreflight(request: Request): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.has('Origin') &&
    request.headers.has('Access-Control-Request-Method')
  )
}

/** Asks for JSON: any media type of that kind in the list, whatever its q-value and case. */
export function acceptsJson(headers: Headers): boolean {
  return /\bapplication\/([\w.-]+\+)?json\b/i.test(headers.get('Accept') ?? '')
}

/** Asks for HTML by name: a browser, or a program that shows pages. */
export function acceptsHtml(headers: Headers): boolean {
  return /\b(text\/html|application\/xhtml)/i.test(headers.get('Accept') ?? '')
}

/** All values of each cookie, in order. Broken pairs are skipped, nothing is decoded. */
export function cookiesOf(header: string | null): ReadonlyMap<string, readonly string[]> {
  const cookies = new Map<string, string[]>()
  for (const pair of cookiePairs(header ?? '')) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const name = pair.slice(0, equals).trim()
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1')
    const values = cookies.get(name)
    if (values) values.push(value)
    else cookies.set(name, [value])
  }
  return cookies
}

function kindOf(headers: Headers): Kind {
  const destination = headers.get('Sec-Fetch-Dest')
  const accept = headers.get('Accept') ?? ''
  if (destination !== null) {
    if (/^(document|iframe|frame|embed|object)$/.test(destination)) return 'navigation'
    return acceptsJson(headers) ? 'api' : 'subresource'
  }
  if (acceptsHtml(headers)) return 'navigation'
  if (acceptsJson(headers)) return 'api'
  // Programs that say nothing of what they want (curl) get the page; a list without pages in it is part of one.
  return accept === '' || accept.startsWith('*/*') ? 'navigation' : 'subresource'
}

/** `https://host/a/%2e%2e/b?c` gives `/a/%2e%2e/b`: URL would resolve it, and a server behind us might not. */
function rawPathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return '/'
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}
