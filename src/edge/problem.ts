/** Refusals for programs: problem details (RFC 9457) with the types registered for quotas and reduced capacity. */

/**
 * The headers of every answer of our own. The address of a page may contain an invitation, or data from a form. So its
 * path and query are not sent as a `Referer`. Its host may be sent, because servers of pictures and forms need it.
 */
export const OWN_HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'strict-origin' } as const

const SHORTLY_MS = 5_000
const TYPES = 'https://iana.org/assignments/http-problem-types'

export interface Problem {
  readonly status: number
  readonly type: 'quota-exceeded' | 'temporary-reduced-capacity' | 'about:blank'
  readonly title: string
  readonly detail?: string
  /** It is rounded up to whole seconds, because a client that comes earlier is refused again. */
  readonly retryAfterMs?: number
  readonly more?: Readonly<Record<string, unknown>>
  /** Further headers, such as the language of title and detail if it was chosen for the client. */
  readonly headers?: Readonly<Record<string, string>>
}

export function problemResponse(problem: Problem): Response {
  const { status, type, title, detail, retryAfterMs, more } = problem
  const body = {
    type: type === 'about:blank' ? type : `${TYPES}#${type}`,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...more,
  }
  const headers = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...OWN_HEADERS,
    ...problem.headers,
    ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(seconds(retryAfterMs)) }),
  }
  return new Response(JSON.stringify(body), { status, headers })
}

/** Returns the answer of an isolate that cannot decide now, but perhaps in a few seconds. */
export function tryAgainShortly(): Response {
  const problem = { status: 503, type: 'temporary-reduced-capacity', title: 'Try again shortly' } as const
  const detail = 'This request was not carried out. Send it again in a few seconds.'
  return problemResponse({ ...problem, detail, retryAfterMs: SHORTLY_MS })
}

/** Returns the answer to a client that has used up a quota of the edge. */
export function tooMany(title: string, retryAfterMs: number): Response {
  return problemResponse({ status: 429, type: 'quota-exceeded', title, retryAfterMs })
}

/**
 * Returns a time in whole seconds, rounded up, and never 0: a visitor who comes back at once would be refused again.
 */
export function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000))
}
