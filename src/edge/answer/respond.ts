/**
 * Turns verdicts into answers, as the only file that does. The verdict is precise, and the answer shows only what helps
 * a visitor.
 */

import { SHORT_RETRY_MS } from '../../core/place/step.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Texts } from '../../settings/texts/keys.ts'
import { toHttps } from '../gate/https-redirect.ts'
import { readsHeader, TOKEN_HEADER } from '../gate/presented-tokens.ts'
import {
  type Admitted,
  isFallback,
  needsInvitation,
  type Rejected,
  type Verdict,
  type Waiting,
} from '../gate/verdict.ts'
import { carryOutDirective, withheldHeaders } from '../origin/directives.ts'
import { customRejectedPage, customWaitingPage } from '../pages/custom.ts'
import type { Page } from '../pages/page.ts'
import { placeJson, rejectedJson } from '../pages/place-json.ts'
import { rejectedPage } from '../pages/rejected.ts'
import { resubmitPage } from '../pages/resubmit.ts'
import { waitingPage } from '../pages/waiting.ts'
import { problemResponse, tryAgainShortly } from '../problem.ts'
import { setCookie } from '../request/cookies.ts'
import { giveCookie, mayGiveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { languageFor } from '../texts/choose.ts'
import { languageHeaders } from '../texts/language.ts'
import { exposeToken, sitePreflight } from './cors.ts'
import { chargeAfterwards, limitedResponse, needsLimitFields, setLimitFields } from './limited.ts'
import { endingStream, isForProgram, opensStream, outsideHeaders, outsideStatus } from './outside.ts'
import { makePrivate } from './private.ts'
import { withRealLoad } from './real-load.ts'
import { relay } from './websocket.ts'

const MODE_HEADER = 'Waiting-Room-Mode'

/** Returns the answer to a request that was not proxied. */
export function answerHere(
  visit: Visit,
  verdict: Exclude<Verdict, { kind: 'proxy' | 'admitted' }>,
): Response | Promise<Response> {
  switch (verdict.kind) {
    case 'waiting':
      return waitingResponse(visit, verdict).then(response => withRealLoad(visit, verdict.room, response))
    case 'rejected':
      return rejectedResponse(visit, verdict).then(response => withRealLoad(visit, verdict.room, response))
    case 'turned-away':
      return short(verdict.retryAfterMs)
    case 'limited':
      return limitedResponse(visit, verdict)
    case 'resubmit':
      return resubmitResponse(visit, verdict.room)
    case 'https':
      return toHttps(visit, verdict.room)
    case 'preflight':
      return sitePreflight(visit, verdict.room)
  }
}

/** Returns the origin's answer as the visitor gets it. Returns the same object if nothing has to change. */
export function passOn(
  visit: Visit,
  response: Response,
  admissions: readonly Admitted[],
  mode: string | null,
): Response {
  const withheld = withheldHeaders(response.headers)
  if (withheld.length > 0) carryOutDirective(visit, admissions, response.headers)
  chargeAfterwards(visit, admissions, response.headers)
  if (visit.isWebSocket && response.webSocket) return relay(visit, response, response.webSocket, admissions)
  const isFresh = admissions.some(admission => admission.isNew)
  const fallback = admissions.some(isFallback) ? 'fallback' : mode
  const isCopied = isFresh || fallback !== null || withheld.length > 0
  const needsFields = needsLimitFields(visit, response, admissions, isCopied)
  if (!isCopied && !needsFields) return response
  const answer = new Response(response.body, response)
  if (needsFields) setLimitFields(visit, answer.headers, admissions)
  for (const name of withheld) answer.headers.delete(name)
  addTokens(visit, answer.headers, admissions)
  if (fallback !== null) answer.headers.set(MODE_HEADER, fallback)
  return answer
}

/** Gives the visitor the new passes, and keeps them out of shared caches. */
export function addTokens(visit: Visit, headers: Headers, admissions: readonly Admitted[]): void {
  for (const { room, pass, isNew } of admissions) {
    if (!isNew) continue
    giveCookie(visit, room.settings.config, headers, pass)
    // The header has space for one token. If rooms overlap, the token to keep is the ticket for the room that makes the
    // visitor wait.
    if (readsHeader(visit, room) && !headers.has(TOKEN_HEADER)) {
      headers.set(TOKEN_HEADER, pass)
      exposeToken(visit, room, headers)
    }
    makePrivate(headers)
  }
}

function waitingResponse(visit: Visit, waiting: Waiting): Promise<Response> {
  const { config } = waiting.room.settings
  return outsideResponse(visit, config, {
    ...languageFor(visit, config).texts.problems.waiting,
    retryAfterMs: waiting.pollAfterMs,
    headers: waitingHeaders(visit, waiting),
    json: () => placeJson(visit, waiting),
    page: async () => (await customWaitingPage(visit, waiting)) ?? waitingPage(visit, waiting),
  })
}

function rejectedResponse(visit: Visit, rejected: Rejected): Promise<Response> {
  const { config } = rejected.room.settings
  const { problems, transfer } = languageFor(visit, config).texts
  return outsideResponse(visit, config, {
    ...problemOf(rejected, problems, transfer),
    retryAfterMs: rejected.retryAfterMs,
    headers: outsideHeaders(rejected.retryAfterMs),
    json: () => rejectedJson(visit, rejected),
    page: async () => (await customRejectedPage(visit, rejected)) ?? rejectedPage(visit, rejected),
  })
}

/** Returns the title and detail of a problem for a rejected visitor, with a status of its own for some. */
function problemOf({ why }: Rejected, { uninvited, noPlace }: Texts['problems'], { moved }: Texts['transfer']) {
  if (needsInvitation(why)) return { status: 403, ...uninvited }
  return why === 'transferred' ? { title: moved.headline, detail: moved.lead } : noPlace
}

interface Outside {
  /** Title and detail of the problem that answers a request with a change. */
  readonly title: string
  readonly detail: string
  /** A status for this answer. Without it the answer gets the status of all visitors outside. */
  readonly status?: number
  readonly retryAfterMs: number
  readonly headers: Record<string, string>
  readonly json: () => Readonly<Record<string, unknown>>
  readonly page: () => Promise<Page>
}

/** Returns the answer for a visitor outside: a page, JSON, or a problem if a change was not carried out. */
async function outsideResponse(visit: Visit, config: RoomConfig, outside: Outside): Promise<Response> {
  const { request } = visit
  const { title, detail, retryAfterMs, headers } = outside
  if (opensStream(visit)) return endingStream(outside.json(), retryAfterMs, headers)
  const forProgram = isForProgram(visit)
  if (forProgram && !visit.isSafe) {
    const type = outside.status === undefined ? 'temporary-reduced-capacity' : 'about:blank'
    const problem = problemResponse({
      status: outside.status ?? 503,
      type,
      title,
      detail,
      retryAfterMs,
      more: outside.json(),
      headers: languageHeaders(languageFor(visit, config)),
    })
    for (const [name, value] of Object.entries(headers)) problem.headers.set(name, value)
    return problem
  }
  const status = outside.status ?? outsideStatus(visit, config.queueing_status_code)
  const isHead = request.method === 'HEAD'
  if (forProgram) {
    const json = { ...headers, 'Content-Type': 'application/json', ...languageHeaders(languageFor(visit, config)) }
    return new Response(isHead ? null : JSON.stringify(outside.json()), { status, headers: json })
  }
  const page = await outside.page()
  return new Response(isHead ? null : page.html, { status, headers: { ...headers, ...page.headers } })
}

/** Returns the headers of every answer that shows a place. */
export function waitingHeaders(visit: Visit, waiting: Waiting): Record<string, string> {
  return { ...outsideHeaders(waiting.pollAfterMs), ...tokenHeaders(visit, waiting) }
}

/** Returns the headers that give a waiting visitor a new ticket. There are none if nothing has changed. */
export function tokenHeaders(visit: Visit, { room, token }: Waiting): Record<string, string> {
  if (token === null) return {}
  const headers: Record<string, string> = {}
  const { config } = room.settings
  if (mayGiveCookie(visit, config)) headers['Set-Cookie'] = setCookie(config, visit.url, token)
  if (readsHeader(visit, room)) headers[TOKEN_HEADER] = token
  return headers
}

/**
 * Returns the page that sends a form once more. For a browser's form its status is 200, because nothing has failed. The
 * sender of a webhook would take 200 for "done", so it gets 503.
 */
async function resubmitResponse(visit: Visit, room: RoomClient): Promise<Response> {
  const page = await resubmitPage(visit, room.settings.config)
  if (!page) return tryAgainShortly()
  const { html, headers } = page
  return new Response(html, {
    status: visit.isForm ? 200 : 503,
    headers: { ...outsideHeaders(SHORT_RETRY_MS), ...headers },
  })
}

function short(retryAfterMs: number): Response {
  return new Response(null, { status: 503, headers: outsideHeaders(retryAfterMs) })
}
