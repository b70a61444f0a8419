/** What every answer to somebody who is not inside has in common. */
import { OWN_HEADERS, seconds } from '../problem.ts'
import { acceptsHtml, acceptsJson, type Visit } from '../request/visit.ts'

/** Headers of every answer to somebody who is not inside. */
export function outsideHeaders(retryAfterMs: number): Record<string, string> {
  return {
    'Cache-Control': 'no-store',
    'Retry-After': String(seconds(retryAfterMs)),
    'X-Robots-Tag': 'noindex',
    ...OWN_HEADERS,
  }
}

/**
 * The status of a request that was not carried out. The sender of a webhook takes any 2xx for "done" and never sends it again, so only a
 * request that asks for a page, or a form that a browser shows the answer of, gets the operator's own status.
 */
export function outsideStatus(visit: Visit, configured: number): number {
  return visit.isSafe || visit.isForm ? configured : 503
}

/** Whether the answer is for a program: JSON for what asks for it, and for changes that no person has sent. */
export function isForProgram(visit: Visit): boolean {
  if (visit.isSafe) return visit.kind === 'api'
  const { headers } = visit.request
  return acceptsJson(headers) || !(visit.isForm || acceptsHtml(headers))
}
