/**
 * To the origin and back: bodies stream both ways untouched, and headers are copied only when one has to change, because
 * a copied request costs a tenth of a proxied one.
 */
import { atOrigin } from '../settings/deployment.ts'
import { withoutOurs } from './cookie.ts'
import { type Upload, uploadOf } from './upload.ts'
import type { Admitted } from './verdict.ts'
import type { Visit } from './visit.ts'

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

/** How long an answer is waited for, and who must know when it is late. */
export interface Patience {
  readonly timeoutMs: number
  /** The wait after which `overdue` is called, once. */
  readonly overdueMs: number
  /** All of the request is on its way: from now on it is waited for the origin, and not for the visitor. */
  began(): void
  overdue(): void
}

/**
 * Sends a visit on, and waits for the first byte within its patience, which begins when all of the request is sent. A request that
 * took longer is left to the runtime, which ends it with the visitor's own: an abort signal for it would cost every request as much as the
 * timer does.
 */
export function proxy(
  visit: Visit,
  admissions: readonly Admitted[],
  allowedOverrides: readonly string[],
  patience: Patience,
): Promise<ProxyOutcome> {
  return new Promise(resolve => {
    let waits = true
    const { timeoutMs, overdueMs } = patience
    const giveUp = () => resolve({ kind: 'failed', why: 'timeout' })
    const begin = () => {
      if (!waits) return
      patience.began()
      // They end with the request: to clear one would cost as much as to set it, and the second is rarely set.
      if (overdueMs >= timeoutMs) setTimeout(giveUp, timeoutMs)
      else {
        setTimeout(() => {
          if (!waits) return
          setTimeout(giveUp, timeoutMs - overdueMs)
          patience.overdue()
        }, overdueMs)
      }
    }
    const upload = uploadOf(visit.request)
    if (upload) {
      setTimeout(giveUp, timeoutMs + upload.withinMs)
      upload.through.then(begin, () => undefined)
    } else begin()
    send(visit, forwardedHeaders(visit, admissions, allowedOverrides), upload).then(
      response => {
        waits = false
        resolve({ kind: 'answered', response })
      },
      (error: unknown) => {
        waits = false
        console.warn(`origin: ${String(error)}`)
        resolve({ kind: 'failed', why: 'unreachable' })
      },
    )
  })
}

/** The request is made once, by fetch itself: a Request made before it would cost a tenth of the whole. */
async function send(visit: Visit, headers: Record<string, string>, upload: Upload | null): Promise<Response> {
  const { request, env, deployment } = visit
  const target = atOrigin(request.url, deployment)
  // On the zone's own origin the request goes on as it is, with everything the platform knows of it.
  if (target === request.url) {
    const init = { headers, redirect: 'manual', ...(request.body ? { body: upload?.body ?? null } : {}) } as const
    const fixed = deployment.originHostHeader === 'visitor' ? env.ORIGIN_SERVICE : undefined
    return fixed ? fixed.fetch(request, init) : fetch(request, init)
  }
  headers['X-Forwarded-Host'] = visit.url.host
  return fetch(target, { method: request.method, headers, body: upload?.body ?? null, redirect: 'manual' })
}

/**
 * The visitor's headers, and who the visitor is. Left out is everything by which a visitor could pass for somebody else, or for another
 * request, and our cookie. Servers that hand headers on as variables (CGI, WSGI, PHP) read `_` as `-`: both spellings are looked at.
 */
function forwardedHeaders(
  visit: Visit,
  admissions: readonly Admitted[],
  allowedOverrides: readonly string[],
): Record<string, string> {
  const { headers } = visit.request
  const forwarded: Record<string, string> = Object.create(null)
  const upgrades = visit.isWebSocket
  const connection = upgrades ? null : headers.get('Connection')
  const hops = connection === null ? [] : connection.split(',').map(name => name.trim().toLowerCase())
  const untrusted = visit.deployment.trustedIpHeader === null
  const { isSafe } = visit
  for (const [name, value] of headers) {
    const meant = name.includes('_') ? name.replaceAll('_', '-') : name
    if (meant.startsWith('waiting-room-') || CLAIMS.has(meant)) continue
    if (OVERRIDES.has(meant) && !allowedOverrides.includes(meant)) continue
    if (!upgrades && (HOP_BY_HOP.has(meant) || hops.includes(meant))) continue
    if (isSafe && name === 'content-length') continue
    if (untrusted && meant === 'cf-connecting-ip') continue
    const rest = name === 'cookie' ? withoutOurs(value) : undefined
    if (rest !== null) forwarded[name] = rest ?? value
  }
  if (admissions.length > 0) {
    forwarded[PASS_HEADER] = admissions.map(({ pass }) => pass).join(', ')
    forwarded[SESSION_HEADER] = admissions.map(({ sid }) => sid).join(', ')
  }
  if (visit.address !== null) forwarded['X-Forwarded-For'] = visit.address
  forwarded['X-Forwarded-Proto'] = visit.url.protocol === 'https:' ? 'https' : 'http'
  return forwarded
}
