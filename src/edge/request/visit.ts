/** One request as the gate sees it: its kind, and what the visitor carries. This file decides nothing. */
import { type Readings, readingsOf } from '../../core/path.ts'
import { rawQueryOf } from '../../core/query.ts'
import { isWellKnownFile } from '../../settings/bypass/well-known.ts'
import type { BypassFacts } from '../../settings/compiled/bypass.ts'
import type { Deployment } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import { addressIn, addressOf, networkOf, widerNetworkOf } from './address.ts'
import { cookiesOf } from './cookies.ts'
import { type Kind, kindOf } from './kind.ts'
import { Trace } from './trace.ts'

/** Longer headers are cut: no browser sends one, and such headers would fill the memory. */
const WISH_MAX = 200

/** The language that a visitor wants to read. */
export interface LanguageWish {
  /** The language that the address asks for with `?lang`. */
  readonly asked: string | null
  readonly accepts: string
}

/** The first request of a form that a page of ours sends again. */
export interface SentForm {
  readonly type: string
  readonly origin: string | null
  readonly referer: string | null
  readonly site: string | null
  /** The names of the cookies that came with a form of another site. Null for a form of this site. */
  readonly cookies: readonly string[] | null
}

/** The number of calls that one request has made, counted where they are made (I9). */
export interface CallCount {
  /** The number of calls to doors, except syncs. */
  object: number
  /** The number of syncs that this request began. Other requests may share them. */
  sync: number
}

/** The part of the runtime that goes on with work after the answer. */
interface Background {
  waitUntil(promise: Promise<unknown>): void
}

/** One request. A property that is costly is computed once, when it is first read. */
export class Visit {
  readonly request: Request
  readonly url: Readonly<URL>
  /** The form's first request. Null if no page of ours has sent this request again. */
  readonly form: SentForm | null
  /** When the request came. After a wait for a turn, when the wait ended. */
  nowMs: number
  readonly env: Env
  readonly deployment: Deployment
  readonly calls: CallCount = { object: 0, sync: 0 }
  /** Null without the variable DEBUG. */
  readonly trace: Trace | null
  readonly #background: Background
  #readings: Readings | undefined
  #kind: Kind | undefined
  #isWebSocket: boolean | undefined
  #cookies: ReadonlyMap<string, readonly string[]> | undefined
  #wish: LanguageWish | undefined
  #address: string | null | undefined
  #platform: PlatformProperties | undefined

  constructor(
    {
      request,
      url,
      nowMs,
      form = null,
    }: { request: Request; url: Readonly<URL>; nowMs: number; form?: SentForm | null },
    { env, deployment, background }: { env: Env; deployment: Deployment; background: Background },
  ) {
    this.request = request
    this.url = url
    this.form = form
    this.nowMs = nowMs
    this.env = env
    this.deployment = deployment
    this.trace = deployment.debug === 'off' ? null : new Trace()
    this.#background = background
  }

  /** Every meaning that the path may have. Computed from the path exactly as it came. */
  get readings(): Readings {
    this.#readings ??= readingsOf(rawPathOf(this.request.url))
    return this.#readings
  }

  get kind(): Kind {
    this.#kind ??= this.#findKind()
    return this.#kind
  }

  /** True if the request changes nothing (RFC 9110 section 9.2.1), so that it may be repeated. */
  get isSafe(): boolean {
    const { method } = this.request
    return method === 'GET' || method === 'HEAD'
  }

  /**
   * True if a browser has submitted a form and shows the answer, by Fetch Metadata. The Accept header would not
   * distinguish programs.
   */
  get isForm(): boolean {
    const { method, headers } = this.request
    return method === 'POST' && headers.get('Sec-Fetch-Mode') === 'navigate'
  }

  get cookies(): ReadonlyMap<string, readonly string[]> {
    this.#cookies ??= cookiesOf(this.request.headers.get('Cookie'))
    return this.#cookies
  }

  /** Read once, because several parts of an answer are in the language of its visitor. */
  get languageWish(): LanguageWish {
    this.#wish ??= {
      asked: this.url.search === '' ? null : (this.url.searchParams.get('lang')?.slice(0, WISH_MAX) ?? null),
      accepts: (this.request.headers.get('Accept-Language') ?? '').slice(0, WISH_MAX),
    }
    return this.#wish
  }

  /**
   * The visitor's address: from the header that the operator trusts, else from the connection, where the runtime
   * reports it.
   */
  get address(): string | null {
    if (this.#address === undefined) this.#address = this.#findAddress()
    return this.#address
  }

  /** The /24 or /64 of the address. Null when there is no address, or when it does not distinguish visitors. */
  get network(): string | null {
    return networkOf(this.address)
  }

  /** The /48 of an IPv6 address. Null for any other address. */
  get widerNetwork(): string | null {
    return widerNetworkOf(this.address)
  }

  /** True if the request opens a WebSocket. Any other upgrade is ignored, as RFC 9110 section 7.8 allows. */
  get isWebSocket(): boolean {
    this.#isWebSocket ??= opensWebSocket(this.request)
    return this.#isWebSocket
  }

  /** The names of headers that belong to the connection alone (RFC 9110 section 7.6.1), in lower case. */
  get hops(): readonly string[] {
    const connection = this.request.headers.get('Connection')
    return connection === null ? [] : connection.split(',').map(name => name.trim().toLowerCase())
  }

  /** The time zone of the visitor (IANA), as the platform guesses it from the address. UTC if the platform does not. */
  get timeZone(): string {
    return this.platform.timezone ?? 'UTC'
  }

  get continent(): string | undefined {
    return this.platform.continent
  }

  /** The properties that the platform adds to a request. */
  get platform(): PlatformProperties {
    this.#platform ??= (this.request.cf ?? {}) as PlatformProperties
    return this.#platform
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#background.waitUntil(promise)
  }

  #findKind(): Kind {
    // No script can read the body of a refused handshake. And a crawler would obey any page that it gets for
    // `/robots.txt`.
    return this.isWebSocket || isWellKnownFile(this.readings) ? 'subresource' : kindOf(this.request.headers)
  }

  #findAddress(): string | null {
    const { trustedIpHeader } = this.deployment
    if (trustedIpHeader !== null) return addressIn(this.request.headers.get(trustedIpHeader))
    return addressOf(this.platform.clientIp ?? '')
  }
}

/** The properties that Cloudflare adds. Plain workerd has only the address. */
interface PlatformProperties {
  readonly continent?: string
  readonly country?: string
  readonly clientIp?: string
  readonly timezone?: string
  readonly verifiedBotCategory?: string
}

export function bypassFacts(visit: Visit): BypassFacts {
  const { country, verifiedBotCategory } = visit.platform
  return {
    method: visit.request.method,
    readings: visit.readings,
    query: rawQueryOf(visit.request.url),
    // A header of the connection does not reach the origin, so a rule must not rely on it.
    header: name => (visit.hops.includes(name.toLowerCase()) ? null : visit.request.headers.get(name)),
    sentHeader: name => visit.request.headers.get(name),
    cookies: visit.cookies,
    address: visit.address,
    country: country ?? null,
    botCategory: verifiedBotCategory ?? null,
  }
}

/**
 * True if the request is the handshake of a WebSocket (RFC 6455 section 4.1). The runtime sends any request with
 * `Upgrade: websocket` on as a GET. So a POST or a preflight with that header would reach the origin as a different
 * request from the one that was checked.
 */
function opensWebSocket({ method, headers }: Request): boolean {
  return (
    method === 'GET' &&
    headers.get('Upgrade')?.toLowerCase() === 'websocket' &&
    // A platform that ends connections by itself may leave this header out.
    /(^|,)\s*upgrade\s*(,|$)/i.test(headers.get('Connection') ?? 'upgrade') &&
    headers.has('Sec-WebSocket-Key') &&
    headers.get('Sec-WebSocket-Version') === '13'
  )
}

/** True if the request is a CORS preflight (Fetch Standard), which carries no cookies and changes nothing. */
export function isPreflight(request: Request): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.has('Origin') &&
    request.headers.has('Access-Control-Request-Method')
  )
}

/**
 * Returns the path as it came: `https://host/a/%2e%2e/b?c` gives `/a/%2e%2e/b`. URL would resolve it, but a server
 * behind us might not.
 */
function rawPathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return '/'
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}
