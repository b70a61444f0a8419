/** Who may operate, or read metrics: bearer tokens from secrets, compared in constant time; failed tries are throttled. */
import { LRUCache } from 'lru-cache'
import { spend } from '../core/gcra.ts'
import { TOKEN_MAX } from '../settings/deployment.ts'

export type Access =
  | { readonly kind: 'granted' }
  | { readonly kind: 'off' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** Ten wrong tokens at once from one address and isolate, then one in six seconds. */
const FAILURES = { intervalMs: 6_000, burst: 10 }
const ADDRESSES_MAX = 10_000
const BEARER = new RegExp(`^Bearer ([\\x21-\\x7e]{1,${TOKEN_MAX}})$`, 'i')

export function createGuard() {
  const failures = new LRUCache<string, number>({ max: ADDRESSES_MAX })
  return (
    authorization: string | null,
    tokens: readonly (string | null)[],
    address: string | null,
    nowMs: number,
  ): Access => {
    const wanted = tokens.filter(token => token !== null)
    if (wanted.length === 0) return { kind: 'off' }
    const from = address ?? ''
    const tatMs = failures.get(from) ?? 0
    const next = spend(FAILURES, tatMs, 1, nowMs)
    if (!next.allowed) return { kind: 'throttled', retryAfterMs: next.retryAfterMs }
    const given = BEARER.exec(authorization ?? '')?.[1]
    if (given !== undefined && wanted.map(token => isSame(given, token)).includes(true)) return { kind: 'granted' }
    failures.set(from, next.tatMs)
    return { kind: 'denied' }
  }
}

/** At the length of the longest, so that neither length nor content shows in the time it takes; at once, so that no other try comes between. */
function isSame(given: string, wanted: string): boolean {
  return crypto.subtle.timingSafeEqual(padded(given), padded(wanted))
}

/** Tokens have no byte 0. */
function padded(token: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TOKEN_MAX)
  new TextEncoder().encodeInto(token, bytes)
  return bytes
}
