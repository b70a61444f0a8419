/** Access for operators and readers of metrics: bearer tokens, compared in constant time; wrong ones are throttled. */
import { LRUCache } from 'lru-cache'
import { spend } from '../core/gcra.ts'
import { TOKEN_MAX } from '../settings/deployment.ts'

export type Access =
  | { readonly kind: 'granted' }
  | { readonly kind: 'off' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** Ten wrong tokens at once from one network at one isolate, then one in six seconds. */
const FAILURES = { intervalMs: 6_000, burst: 10 }
const NETWORKS_MAX = 10_000
const BEARER = new RegExp(`^Bearer ([\\x21-\\x7e]{1,${TOKEN_MAX}})$`, 'i')

/**
 * A right token is let in whatever others have tried, so no one can lock an operator out. Throttling says in time that
 * something is wrong; the length of a token is what keeps it from being guessed. Requests from no known network share
 * one quota.
 */
export function createGuard() {
  const failures = new LRUCache<string, number>({ max: NETWORKS_MAX })
  return (
    authorization: string | null,
    tokens: readonly (string | null)[],
    network: string | null,
    nowMs: number,
  ): Access => {
    const wanted = tokens.filter(token => token !== null)
    if (wanted.length === 0) return { kind: 'off' }
    const given = BEARER.exec(authorization ?? '')?.[1]
    // Every token is compared, so that the time does not show which one was met.
    if (given !== undefined && wanted.map(token => isSame(given, token)).includes(true)) return { kind: 'granted' }
    const from = network ?? ''
    const next = spend(FAILURES, failures.get(from) ?? 0, 1, nowMs)
    if (!next.allowed) return { kind: 'throttled', retryAfterMs: next.retryAfterMs }
    failures.set(from, next.tatMs)
    return { kind: 'denied' }
  }
}

/** Constant time over padded buffers: the time shows neither the length nor the content of a token. */
function isSame(given: string, wanted: string): boolean {
  return crypto.subtle.timingSafeEqual(padded(given), padded(wanted))
}

/** Tokens have no byte 0. */
function padded(token: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TOKEN_MAX)
  new TextEncoder().encodeInto(token, bytes)
  return bytes
}
