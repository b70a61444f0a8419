/** Access for operators and readers of metrics: bearer tokens, compared in constant time. Wrong ones are throttled. */
import { LRUCache } from 'lru-cache'
import { spend } from '../core/gcra.ts'
import { TOKEN_MAX } from '../settings/deployment.ts'

export type Access =
  | { readonly kind: 'granted' }
  | { readonly kind: 'off' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** One network may send ten wrong tokens at once to one isolate, then one every six seconds. */
const FAILURES = { intervalMs: 6_000, burst: 10 }
const NETWORKS_MAX = 10_000
const BEARER = new RegExp(`^Bearer ([\\x21-\\x7e]{1,${TOKEN_MAX}})$`, 'i')

/**
 * A right token is accepted whatever tokens others have tried, so no attacker can lock an operator out. Throttling only
 * signals in time that something is wrong. The length of a token is what keeps it from being guessed. Requests from no
 * known network share one quota.
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
    // Compare every token, so that the time does not reveal which one matched.
    if (given !== undefined && wanted.map(token => isSame(given, token)).includes(true)) return { kind: 'granted' }
    const from = network ?? ''
    const next = spend(FAILURES, failures.get(from) ?? 0, 1, nowMs)
    if (!next.allowed) return { kind: 'throttled', retryAfterMs: next.retryAfterMs }
    failures.set(from, next.tatMs)
    return { kind: 'denied' }
  }
}

/** Constant time over padded buffers: the time reveals neither the length nor the content of a token. */
function isSame(given: string, wanted: string): boolean {
  return crypto.subtle.timingSafeEqual(padded(given), padded(wanted))
}

/** Pads a token with zero bytes. Tokens contain no byte 0, so different tokens stay different. */
function padded(token: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TOKEN_MAX)
  new TextEncoder().encodeInto(token, bytes)
  return bytes
}
