/** The parts that all answers to visitors outside have in common. */
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
 * Returns the status for a request that was not carried out. The sender of a webhook takes any 2xx for "done" and never
 * sends it again. So the operator's own status is only for pages, and for forms whose answer a browser shows.
 */
export function outsideStatus(visit: Visit, configured: number): number {
  return visit.isSafe || visit.isForm ? configured : 503
}

/** True if the request opens an event stream. */
export function opensStream(visit: Visit): boolean {
  return visit.isSafe && visit.kind === 'api' && acceptsEvents(visit.request.headers)
}

/**
 * Returns an event stream that ends after one event. After any status but 200 a browser gives up a stream for good.
 * After this one it connects again by itself, and finds its place or the stream of the site. No body is held open.
 */
export function endingStream(state: object, retryAfterMs: number, headers: Record<string, string>): Response {
  const event = `event: waiting-room\ndata: ${JSON.stringify(state)}\n\n`
  const body = `${event}retry: ${Math.ceil(retryAfterMs)}\n\n`
  return new Response(body, { headers: { ...headers, 'Content-Type': 'text/event-stream' } })
}

/**
 * True for a request by a program: one that asks for JSON, or a POST, PUT, PATCH or DELETE that no page in a browser
 * has sent.
 */
export function isForProgram(visit: Visit): boolean {
  if (visit.isSafe) return visit.kind === 'api'
  const { headers } = visit.request
  return acceptsJson(headers) || !(visit.isForm || acceptsHtml(headers))
}
