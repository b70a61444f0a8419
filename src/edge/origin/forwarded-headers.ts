/**
 * The headers that go on to the origin.
 *
 * A proxy describes a request to an origin in headers: the visitor, the requested host and path, the user who has
 * logged in. Origins trust those headers, so a visitor must not be able to set them. Servers that pass headers on as
 * variables (CGI, WSGI, PHP) read `_` as `-`, so both spellings are dropped.
 */
import type { Deployment } from '../../settings/deployment.ts'
import { isNamedHeader, SPOKEN_BY_PROXIES, type SpokenByProxies } from '../../settings/origin-headers.ts'
import { withoutOurs } from '../request/cookies.ts'
import { cookiesAsTheyCame } from '../request/sent-form.ts'
import type { SentForm, Visit } from '../request/visit.ts'

/** These headers are about one connection (RFC 9110 section 7.6.1). `Upgrade` goes on only for a WebSocket. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** The headers of a WebSocket handshake (RFC 6455 section 4.1). */
const HANDSHAKE = new Set([
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
])
/**
 * The headers of a CORS preflight (Fetch Standard, section 4.8) and those that browsers add to every request. A
 * preflight carries no credentials. So nothing else goes on: no cookie, no Authorization, no key in a custom header.
 */
const OF_PREFLIGHTS =
  /^(access-control-request-[a-z-]+|accept(-language|-encoding)?|cache-control|host|origin|pragma|priority|referer|user-agent|sec-fetch-[a-z]+|sec-ch-[a-z-]+)$/
/** The most header names for which the decision is remembered. Visitors can invent any number of names. */
const NAMES_MAX = 500

type Fate = 'forward' | 'drop' | 'drop from self-hosted' | 'hop-by-hop' | 'cookie' | 'length'

const fates = new Map<string, Fate>()

/** Returns the visitor's headers, except those that a visitor must not set. Keys are in lower case. */
export function forwardedHeaders(visit: Visit, named: readonly string[]): Record<string, string> {
  const { headers } = visit.request
  const forwarded: Record<string, string> = Object.create(null)
  const upgrades = visit.isWebSocket
  const { hops } = visit
  const isCloudflare = isOnCloudflare(visit.deployment)
  for (const [name, value] of headers) {
    const fate = headerFate(name)
    if (fate === 'forward' ? hops.includes(name) : fate !== 'cookie') {
      const goesOn =
        (upgrades && HANDSHAKE.has(name)) ||
        (fate === 'drop' && named.includes(name)) ||
        (fate === 'drop from self-hosted' && (isCloudflare || named.includes(name))) ||
        (fate === 'length' && !visit.isSafe)
      if (!goesOn) continue
    }
    const rest = fate === 'cookie' ? withoutOurs(value) : undefined
    if (rest !== null) forwarded[name] = rest ?? value
  }
  if (visit.form) restore(visit.form, forwarded)
  return forwarded
}

/** Gives a form that was sent again the headers of its first request. */
function restore({ origin, referer, site, cookies }: SentForm, forwarded: Record<string, string>): void {
  const { cookie } = forwarded
  const came = { origin, referer, 'sec-fetch-site': site }
  const kept = cookies && cookie !== undefined ? { cookie: cookiesAsTheyCame(cookie, cookies) } : {}
  for (const [name, value] of Object.entries({ ...came, ...kept })) {
    if (value === null) delete forwarded[name]
    else forwarded[name] = value
  }
}

/** Returns the headers of a preflight for the origin. The body and the credentials are left out. */
export function preflightHeaders(visit: Visit): Record<string, string> {
  const forwarded: Record<string, string> = Object.create(null)
  for (const [name, value] of visit.request.headers) if (OF_PREFLIGHTS.test(name)) forwarded[name] = value
  return forwarded
}

/** Returns what becomes of a header with this name, in lower case. */
export function headerFate(name: string): Fate {
  const known = fates.get(name)
  if (known) return known
  const fate = judged(name)
  if (fates.size < NAMES_MAX) fates.set(name, fate)
  return fate
}

function judged(name: string): Fate {
  if (name === 'cookie') return 'cookie'
  if (name === 'content-length') return 'length'
  const meant = name.replaceAll('_', '-')
  if (HOP_BY_HOP.has(meant)) return 'hop-by-hop'
  const spoken: SpokenByProxies | undefined = SPOKEN_BY_PROXIES.find(kind => isNamedHeader(kind, meant))
  if (!spoken) return 'forward'
  return spoken.isCloudflares && name === meant ? 'drop from self-hosted' : 'drop'
}

/**
 * True if the operator trusts Cloudflare's own header, and so runs behind Cloudflare. Cloudflare overwrites its own
 * headers. Elsewhere a visitor could set them.
 */
export function isOnCloudflare({ trustedIpHeader }: Deployment): boolean {
  return trustedIpHeader?.toLowerCase() === 'cf-connecting-ip'
}
