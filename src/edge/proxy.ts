/**
 * To the origin and back: bodies stream both ways untouched, and headers are copied only when one has to change, because
 * a copied request costs a tenth of a proxied one.
 */
import type { Deployment } from '../settings/deployment.ts'
import { withoutOurs } from './cookie.ts'
import type { Admitted } from './gate.ts'
import { isWebSocket, type Visit } from './visit.ts'

/** What the origin learns of an admitted visitor. */
const PASS_HEADER = 'Waiting-Room-Pass'
const SESSION_HEADER = 'Waiting-Room-Session'
/** Headers by which some servers take another path or method than the one that was matched. */
const OVERRIDES = new Set([
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
])
/** A visitor's own word about where a request comes from is worth nothing. */
const CLAIMS = new Set([
  'x-forwarded-for',
  'x-real-ip',
  'true-client-ip',
  'x-client-ip',
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-proto',
])
/** RFC 9110 section 7.6.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
])

export type ProxyOutcome =
  | { readonly kind: 'answered'; readonly response: Response }
  | { readonly kind: 'failed'; readonly why: 'timeout' | 'unreachable' }

/** Sends a visit on, and waits for the first byte at most `timeoutMs`. */
export async function proxy(
  visit: Visit,
  admissions: readonly Admitted[],
  allowedOverrides: readonly string[],
  timeoutMs: number,
): Promise<ProxyOutcome> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), timeoutMs)
  try {
    const response = await send(visit, outgoing(visit, admissions, allowedOverrides, abort.signal))
    return { kind: 'answered', response }
  } catch (error) {
    if (abort.signal.aborted) return { kind: 'failed', why: 'timeout' }
    console.warn(`origin: ${String(error)}`)
    return { kind: 'failed', why: 'unreachable' }
  } finally {
    clearTimeout(timer)
  }
}

function send(visit: Visit, request: Request): Promise<Response> {
  const { env, deployment } = visit
  if (deployment.originHostHeader === 'visitor' && env.ORIGIN_SERVICE) return env.ORIGIN_SERVICE.fetch(request)
  return fetch(request)
}

/** The request as the origin gets it: made once, with its headers written once. */
function outgoing(
  visit: Visit,
  admissions: readonly Admitted[],
  allowedOverrides: readonly string[],
  signal: AbortSignal,
): Request {
  const { request, deployment } = visit
  const headers = forwardedHeaders(visit, allowedOverrides)
  for (const { pass, sid } of admissions) headers.push([PASS_HEADER, pass], [SESSION_HEADER, sid])
  if (visit.address !== null) headers.push(['X-Forwarded-For', visit.address])
  headers.push(['X-Forwarded-Proto', visit.url.protocol.slice(0, -1)])
  const target = targetOf(request.url, deployment)
  // On the zone's own origin the request goes on as it is, with everything the platform knows of it.
  if (target === request.url) return new Request(request, { headers, redirect: 'manual', signal })
  headers.push(['X-Forwarded-Host', visit.url.host])
  return new Request(target, { method: request.method, headers, body: request.body, redirect: 'manual', signal })
}

/**
 * The visitor's headers without anything by which a visitor could pass for somebody else, or for another request, and without our
 * cookie. Servers that hand headers on as variables (CGI, WSGI, PHP) read `_` as `-`: both spellings are looked at.
 */
function forwardedHeaders(visit: Visit, allowedOverrides: readonly string[]): [name: string, value: string][] {
  const { headers } = visit.request
  const kept: [name: string, value: string][] = []
  const upgrades = isWebSocket(visit.request)
  const connection = upgrades ? null : headers.get('Connection')
  const hops = connection === null ? [] : connection.split(',').map(name => name.trim().toLowerCase())
  const untrusted = visit.deployment.trustedIpHeader === null
  for (const [name, value] of headers) {
    const meant = name.includes('_') ? name.replaceAll('_', '-') : name
    if (meant.startsWith('waiting-room-') || CLAIMS.has(meant)) continue
    if (OVERRIDES.has(meant) && !allowedOverrides.includes(meant)) continue
    if (!upgrades && (HOP_BY_HOP.has(meant) || hops.includes(meant))) continue
    if (untrusted && meant === 'cf-connecting-ip') continue
    const rest = name === 'cookie' ? withoutOurs(value) : value
    if (rest !== null) kept.push([name, rest ?? value])
  }
  return kept
}

/** The request's URL at the origin: the path and query as they came. */
function targetOf(url: string, deployment: Deployment): string {
  if (deployment.origin === null || deployment.originHostHeader === 'visitor') return url
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start < 0 ? deployment.origin : deployment.origin + url.slice(start)
}
