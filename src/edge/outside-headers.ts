import { seconds } from './problem.ts'

/** Headers of every answer to somebody who is not inside. */
export function outsideHeaders(retryAfterMs: number): Record<string, string> {
  return { 'Cache-Control': 'no-store', 'Retry-After': String(seconds(retryAfterMs)), 'X-Robots-Tag': 'noindex' }
}
