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

function outgoing(
  visit: Visit,
  admissions: readonly Admitted[],
  allowedOverrides: readonly string[],
  signal: AbortSignal,
): Request {
  const { request, deployment } = visit
  const headers = new Headers(request.headers)
  removeClaims(headers, visit, allowedOverrides)
  const cookie = headers.get('Cookie')
  const rest = cookie === null ? undefined : withoutOurs(cookie)
  if (rest === null) headers.delete('Cookie')
  else if (rest !== undefined) headers.set('Cookie', rest)
  for (const { pass, sid } of admissions) {
    headers.append(PASS_HEADER, pass)
    headers.append(SESSION_HEADER, sid)
  }
  if (visit.address !== null) headers.set('X-Forwarded-For', visit.address)
  headers.set('X-Forwarded-Proto', visit.url.protocol.slice(0, -1))
  const target = targetOf(request.url, deployment)
  if (target !== request.url) headers.set('X-Forwarded-Host', visit.url.host)
  return new Request(target, new Request(request, { headers, redirect: 'manual', signal }))
}

/**
 * Everything by which a visitor could pass for somebody else, or for another request. Servers that hand headers on as variables
 * (CGI, WSGI, PHP) read `_` as `-`: both spellings are looked at.
 */
function removeClaims(headers: Headers, visit: Visit, allowedOverrides: readonly string[]): void {
  const upgrades = isWebSocket(visit.request)
  const hops = upgrades ? [] : (headers.get('Connection') ?? '').split(',').map(name => name.trim().toLowerCase())
  for (const name of [...headers.keys()]) {
    const meant = name.includes('_') ? name.replaceAll('_', '-') : name
    const claims = meant.startsWith('waiting-room-') || CLAIMS.has(meant)
    const overrides = OVERRIDES.has(meant) && !allowedOverrides.includes(meant)
    const hopByHop = !upgrades && (HOP_BY_HOP.has(meant) || hops.includes(meant))
    if (claims || overrides || hopByHop) headers.delete(name)
  }
  if (visit.deployment.trustedIpHeader === null) headers.delete('CF-Connecting-IP')
}

/** The request's URL at the origin: the path and query as they came. */
function targetOf(url: string, deployment: Deployment): string {
  if (deployment.origin === null || deployment.originHostHeader === 'visitor') return url
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start < 0 ? deployment.origin : deployment.origin + url.slice(start)
}
