/** Verdicts become answers here, and nowhere else. Precise inside, dull outside. */

import { makePrivate } from './cache.ts'
import { readsHeader, TOKEN_HEADER } from './carried.ts'
import { commandHeaders, obey } from './commands.ts'
import { setCookie } from './cookie.ts'
import type { Admitted, Verdict, Waiting } from './gate.ts'
import { waitingPage, waitingPagePolicy } from './page.ts'
import { placeJson } from './place-json.ts'
import { problemResponse, seconds } from './problem.ts'
import type { ProxyOutcome } from './proxy.ts'
import { acceptsJson, type Visit } from './visit.ts'
import { relay } from './websocket.ts'

export const MODE_HEADER = 'Waiting-Room-Mode'

/** The answer to a request that was not proxied. */
export function turnAway(
  visit: Visit,
  verdict: Exclude<Verdict, { kind: 'proxy' | 'admitted' }>,
): Response | Promise<Response> {
  switch (verdict.kind) {
    case 'waiting':
      return waitingResponse(visit, verdict)
    case 'turned-away':
      return short(verdict.retryAfterMs)
    case 'limited':
      return problemResponse({
        status: 429,
        type: 'quota-exceeded',
        title: 'Too many requests',
        retryAfterMs: verdict.retryAfterMs,
      })
  }
}

/** The origin's answer as the visitor gets it; the very same object when nothing has to change. */
export function passOn(
  visit: Visit,
  outcome: ProxyOutcome,
  admissions: readonly Admitted[],
  mode: string | null,
): Response {
  if (outcome.kind === 'failed') return originFailed(visit, outcome.why, admissions)
  const { response } = outcome
  const commands = commandHeaders(response.headers)
  if (commands.length > 0) obey(visit, admissions, response.headers)
  if (visit.isWebSocket && response.webSocket) return relay(visit, response, response.webSocket, admissions)
  const fresh = admissions.filter(admission => admission.isNew)
  const fallback = admissions.some(admission => admission.fallback) ? 'fallback' : mode
  if (fresh.length === 0 && fallback === null && commands.length === 0 && !visit.deployment.debug) return response
  const answer = new Response(response.body, response)
  for (const name of commands) answer.headers.delete(name)
  addTokens(visit, answer.headers, fresh)
  if (fallback !== null) answer.headers.set(MODE_HEADER, fallback)
  return answer
}

/** Adds what debugging needs: the object calls that this request has made (I9). */
export function withTiming(visit: Visit, response: Response): Response {
  if (!visit.deployment.debug) return response
  const { object, sync } = visit.calls
  const answer = new Response(response.body, response)
  answer.headers.append('Server-Timing', `object-calls;desc="${object}", syncs;desc="${sync}"`)
  return answer
}

/** Gives the visitor the new passes, and keeps them out of shared caches. */
export function addTokens(visit: Visit, headers: Headers, admissions: readonly Admitted[]): void {
  for (const { room, pass } of admissions) {
    headers.append('Set-Cookie', setCookie(room.settings.config, visit.url, pass))
    if (readsHeader(visit)) headers.set(TOKEN_HEADER, pass)
  }
  if (admissions.length > 0) makePrivate(headers)
}

async function waitingResponse(visit: Visit, waiting: Waiting): Promise<Response> {
  const { request, nowMs } = visit
  const { config } = waiting.room.settings
  const safe = request.method === 'GET' || request.method === 'HEAD'
  const wantsJson = visit.kind === 'api' || (!safe && acceptsJson(request.headers))
  const headers = waitingHeaders(visit, waiting)
  if (wantsJson && !safe) {
    const problem = problemResponse({
      status: 503,
      type: 'temporary-reduced-capacity',
      title: 'Waiting for a place',
      detail: 'This request was not carried out. Wait for admission, then send it again.',
      retryAfterMs: waiting.pollAfterMs,
      more: placeJson(waiting, nowMs),
    })
    for (const [name, value] of Object.entries(headers)) problem.headers.set(name, value)
    return problem
  }
  const status = config.queueing_status_code
  const body = wantsJson ? JSON.stringify(placeJson(waiting, nowMs)) : waitingPage(visit, waiting)
  if (!wantsJson) headers['Content-Security-Policy'] = await waitingPagePolicy()
  headers['Content-Type'] = wantsJson ? 'application/json' : 'text/html; charset=utf-8'
  return new Response(request.method === 'HEAD' ? null : body, { status, headers })
}

/** Headers of every answer that tells a place. */
export function waitingHeaders(visit: Visit, waiting: Waiting): Record<string, string> {
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store',
    'Retry-After': String(seconds(waiting.pollAfterMs)),
    'X-Robots-Tag': 'noindex',
  }
  if (waiting.token !== null) {
    headers['Set-Cookie'] = setCookie(waiting.room.settings.config, visit.url, waiting.token)
    if (readsHeader(visit)) headers[TOKEN_HEADER] = waiting.token
  }
  return headers
}

function short(retryAfterMs: number): Response {
  return new Response(null, {
    status: 503,
    headers: { 'Cache-Control': 'no-store', 'Retry-After': String(seconds(retryAfterMs)), 'X-Robots-Tag': 'noindex' },
  })
}

/** The origin gave no answer. The session keeps its place. */
function originFailed(visit: Visit, why: 'timeout' | 'unreachable', admissions: readonly Admitted[]): Response {
  const status = why === 'timeout' ? 504 : 502
  const response = problemResponse({
    status,
    type: 'temporary-reduced-capacity',
    title: why === 'timeout' ? 'The site took too long to answer' : 'The site cannot be reached',
    retryAfterMs: 5_000,
  })
  addTokens(
    visit,
    response.headers,
    admissions.filter(admission => admission.isNew),
  )
  return response
}
