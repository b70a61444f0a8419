/**
 * Sends a request to the origin and returns its answer. Bodies are streamed both ways unchanged. Headers are copied
 * only if one has to change, because a copied request costs a tenth of a proxied one.
 */

import { seldom } from '../../runtime/log.ts'
import { atOrigin } from '../../settings/deployment.ts'
import { type Upload, uploadOf } from '../request/upload.ts'
import type { Visit } from '../request/visit.ts'
import { goesAsItCame } from './as-it-came.ts'
import { forwardedHeaders, preflightHeaders } from './forwarded-headers.ts'
import type { Onward } from './onward.ts'
import { noteRedirect } from './own-redirect.ts'

/** The headers that describe an admitted visitor to the origin. */
const PASS_HEADER = 'Waiting-Room-Pass'
const SESSION_HEADER = 'Waiting-Room-Session'
const REFERRER_HEADER = 'Waiting-Room-Referrer'
export type ProxyOutcome =
  | { readonly kind: 'answered'; readonly response: Response }
  | { readonly kind: 'failed'; readonly why: 'timeout' | 'unreachable' }

/** How long to wait for an answer, and what to call when it is late. */
export interface Patience {
  readonly timeoutMs: number
  /** The milliseconds after which `overdue` is called, once. */
  readonly overdueMs: number
  /** Called when the whole request is sent. From then on the time is the origin's, not the visitor's. */
  began(): void
  overdue(): void
}

/**
 * Sends a request on, and waits for the first byte within its patience. The time begins when the whole request is sent.
 * A request that takes longer is not aborted: the runtime ends it together with the visitor's own. An abort signal
 * would cost every request as much as the timer does.
 */
export function proxy(visit: Visit, onward: Onward, patience: Patience): Promise<ProxyOutcome> {
  return new Promise(resolve => {
    let waits = true
    const { timeoutMs, overdueMs } = patience
    const giveUp = () => resolve({ kind: 'failed', why: 'timeout' })
    const begin = () => {
      if (!waits) return
      patience.began()
      // The timers end with the request. Clearing a timer costs as much as setting it, and the second timer is rarely
      // set.
      if (overdueMs >= timeoutMs) setTimeout(giveUp, timeoutMs)
      else {
        setTimeout(() => {
          if (!waits) return
          setTimeout(giveUp, timeoutMs - overdueMs)
          patience.overdue()
        }, overdueMs)
      }
    }
    const upload = onward.isPreflight ? null : uploadOf(visit.request)
    if (upload) {
      setTimeout(giveUp, timeoutMs + upload.withinMs)
      upload.through.then(begin, () => undefined)
    } else begin()
    send(visit, onward, upload).then(
      response => {
        waits = false
        noteRedirect(visit, response)
        resolve({ kind: 'answered', response })
      },
      (error: unknown) => {
        waits = false
        seldom.note('origin-unreachable', { detail: String(error) }, visit.nowMs)
        resolve({ kind: 'failed', why: 'unreachable' })
      },
    )
  })
}

/** Sends the request directly by `fetch`. Building a Request first would cost a tenth of the whole. */
async function send(visit: Visit, onward: Onward, upload: Upload | null): Promise<Response> {
  const { request, env, deployment } = visit
  const target = atOrigin(request.url, deployment)
  const isOwn = target === request.url
  const fixed = isOwn && deployment.originHostHeader === 'visitor' ? env.ORIGIN_SERVICE : undefined
  if (!fixed && goesAsItCame(visit, onward)) return isOwn ? fetch(request) : fetch(target, request)
  const headers = headersFor(visit, onward)
  // If the target is the zone's own origin, the request goes on as it is, with all its properties of the platform.
  if (isOwn) {
    const init = { headers, redirect: 'manual', ...(request.body ? { body: upload?.body ?? null } : {}) } as const
    if (fixed) headers['X-Forwarded-Host'] = visit.url.host
    return fixed ? fixed.fetch(request, init) : fetch(request, init)
  }
  headers['X-Forwarded-Host'] = visit.url.host
  return fetch(target, { method: request.method, headers, body: upload?.body ?? null, redirect: 'manual' })
}

/** Returns the headers for the origin: the visitor's, and what the edge adds about the visitor. */
function headersFor(visit: Visit, { admissions, overrides, isPreflight }: Onward): Record<string, string> {
  const headers = isPreflight ? preflightHeaders(visit) : forwardedHeaders(visit, overrides)
  if (admissions.length > 0) {
    headers[PASS_HEADER] = admissions.map(({ pass }) => pass).join(', ')
    headers[SESSION_HEADER] = admissions.map(({ sid }) => sid).join(', ')
    const referrer = admissions.find(admission => admission.referrer !== null)?.referrer
    if (referrer) headers[REFERRER_HEADER] = referrer
  }
  if (visit.address !== null) headers['X-Forwarded-For'] = visit.address
  headers['X-Forwarded-Proto'] = visit.url.protocol === 'https:' ? 'https' : 'http'
  return headers
}
