/** The answers to requests that were blocked. */

import type { Blocked } from '../origin/block.ts'
import { blockedPage } from '../pages/blocked.ts'
import { problemResponse } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor, ownTextIn } from '../texts/choose.ts'
import { languageHeaders } from '../texts/language.ts'
import { statusOf } from './mark.ts'
import { endingStream, isForProgram, opensStream, outsideHeaders, outsideStatus } from './outside.ts'

/** A random part of the time to wait, so that visitors who were blocked together do not come back together. */
const JITTER = 0.3

export async function blockedResponse(visit: Visit, blocked: Blocked): Promise<Response> {
  const { upstream, why, room } = blocked
  const retryAfterMs = blocked.retryAfterMs * (1 - JITTER + 2 * JITTER * Math.random())
  const headers = outsideHeaders(retryAfterMs)
  const { fallback } = upstream
  if (visit.kind === 'subresource') return new Response(null, { status: 503, headers })
  if (opensStream(visit)) return endingStream(problemOf(visit, blocked), retryAfterMs, headers)
  const forProgram = isForProgram(visit)
  if (why === 'blocked' && fallback.answer === 'redirect' && visit.kind === 'navigation' && !forProgram)
    return new Response(null, { status: 303, headers: { ...headers, Location: fallback.to } })
  if (forProgram || (why === 'blocked' && fallback.answer === 'problem')) {
    const language = languageFor(visit, room.settings.config)
    const { problems } = language.texts
    const problem = problemResponse({
      status: 503,
      type: 'temporary-reduced-capacity',
      ...(blocked.isInside || why !== 'outage' ? problems[why] : problems.outageOutside),
      retryAfterMs,
      headers: languageHeaders(language),
      more: problemOf(visit, blocked),
    })
    problem.headers.set('X-Robots-Tag', 'noindex')
    return problem
  }
  const page = await blockedPage(visit, blocked, messageOf(visit, blocked), retryAfterMs)
  const status = why === 'outage' ? outsideStatus(visit, room.settings.config.queueing_status_code) : 503
  const body = visit.request.method === 'HEAD' ? null : page.html
  return new Response(body, { status, headers: { ...headers, ...page.headers } })
}

function problemOf(visit: Visit, blocked: Blocked) {
  const { room, why, upstream } = blocked
  return { ...statusOf(visit, room, why), upstream: upstream.name, message: messageOf(visit, blocked).text }
}

function messageOf(visit: Visit, { upstream, room, why }: Blocked) {
  const { config } = room.settings.at(visit.nowMs)
  const language = languageFor(visit, room.settings.config)
  const own = why === 'blocked' && upstream.fallback.answer === 'page' ? upstream.fallback.message : ''
  const ofUpstream = ownTextIn(own, language, config)
  return ofUpstream.text === '' ? ownTextIn(config.message, language, config) : ofUpstream
}
