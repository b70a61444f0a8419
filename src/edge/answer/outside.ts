/** The common parts of all answers to visitors outside. */
import { OWN_HEADERS, seconds } from '../problem.ts'
import { acceptsEvents, acceptsHtml, acceptsJson } from '../request/kind.ts'
import type { Visit } from '../request/visit.ts'

/** Returns the headers of every answer to a visitor outside. */
export function outsideHeaders(retryAfterMs: number): Record<string, string> {
  return {
    'Cache-Control': 'no-store',
    'Retry-After': String(seconds(retryAfterMs)),
    'X-Robots-Tag': 'noindex',
    ...OWN_HEADERS,
  }
}

/**
 * Returns the status of a request that was not carried out. The sender of a webhook takes any 2xx for "done" and never
 * sends it again. So only a request for a page, or a form whose answer a browser shows, gets the operator's own status.
 */
export function outsideStatus(visit: Visit, configured: number): number {
  return visit.isSafe || visit.isForm ? configured : 503
}

/** Whether the request opens an event stream. */
export function opensStream(visit: Visit): boolean {
  return visit.isSafe && visit.kind === 'api' && acceptsEvents(visit.request.headers)
}

/**
 * Returns an event stream with one event, which then ends. A browser gives up a stream for good after any status but
 * 200. After this one it comes again by itself, and finds its place or the stream of the site. No body is held open.
 */
export function endingStream(state: object, retryAfterMs: number, headers: Record<string, string>): Response {
  const event = `event: waiting-room\ndata: ${JSON.stringify(state)}\n\n`
  const body = `${event}retry: ${Math.ceil(retryAfterMs)}\n\n`
  return new Response(body, { headers: { ...headers, 'Content-Type': 'text/event-stream' } })
}

/**
 * True for a request that asks for JSON, and for a POST, PUT, PATCH or DELETE that no page in a browser has sent.
 * Programs send these.
 */
export function isForProgram(visit: Visit): boolean {
  if (visit.isSafe) return visit.kind === 'api'
  const { headers } = visit.request
  return acceptsJson(headers) || !(visit.isForm || acceptsHtml(headers))
}
