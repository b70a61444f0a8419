/**
 * To the origin and back: bodies stream both ways untouched, and headers are copied only when one has to change, because
 * a copied request costs a tenth of a proxied one.
 */
import { atOrigin } from '../../settings/deployment.ts'
import { type Upload, uploadOf } from '../request/upload.ts'
import type { Visit } from '../request/visit.ts'
import { forwardedHeaders, preflightHeaders } from './forwarded-headers.ts'
import type { Onward } from './onward.ts'
import { noteRedirect } from './own-redirect.ts'

/** What the origin learns of an admitted visitor. */
const PASS_HEADER = 'Waiting-Room-Pass'
const SESSION_HEADER = 'Waiting-Room-Session'
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
export function proxy(visit: Visit, onward: Onward, patience: Patience): Promise<ProxyOutcome> {
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
    const upload = onward.isPreflight ? null : uploadOf(visit.request)
    if (upload) {
      setTimeout(giveUp, timeoutMs + upload.withinMs)
      upload.through.then(begin, () => undefined)
    } else begin()
    send(visit, headersFor(visit, onward), upload).then(
      response => {
        waits = false
        noteRedirect(visit, response)
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
    if (fixed) headers['X-Forwarded-Host'] = visit.url.host
    return fixed ? fixed.fetch(request, init) : fetch(request, init)
  }
  headers['X-Forwarded-Host'] = visit.url.host
  return fetch(target, { method: request.method, headers, body: upload?.body ?? null, redirect: 'manual' })
}

/** The headers for the origin: the visitor's, and what the edge says of the visitor. */
function headersFor(visit: Visit, { admissions, overrides, isPreflight }: Onward): Record<string, string> {
  const headers = isPreflight ? preflightHeaders(visit) : forwardedHeaders(visit, overrides)
  if (admissions.length > 0) {
    headers[PASS_HEADER] = admissions.map(({ pass }) => pass).join(', ')
    headers[SESSION_HEADER] = admissions.map(({ sid }) => sid).join(', ')
  }
  if (visit.address !== null) headers['X-Forwarded-For'] = visit.address
  headers['X-Forwarded-Proto'] = visit.url.protocol === 'https:' ? 'https' : 'http'
  return headers
}
