/** Who may operate, or read metrics: bearer tokens from secrets, compared in constant time; failed tries are throttled. */
import { LRUCache } from 'lru-cache'
import { spend } from '../core/gcra.ts'

export type Access =
  | { readonly kind: 'granted' }
  | { readonly kind: 'off' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** Ten wrong tokens at once from one address and isolate, then one in six seconds. */
const FAILURES = { intervalMs: 6_000, burst: 10 }
const ADDRESSES_MAX = 10_000

export function createGuard() {
  const failures = new LRUCache<string, number>({ max: ADDRESSES_MAX })
  return async (
    authorization: string | null,
    tokens: readonly (string | null)[],
    address: string | null,
    nowMs: number,
  ): Promise<Access> => {
    const wanted = tokens.filter(token => token !== null)
    if (wanted.length === 0) return { kind: 'off' }
    const from = address ?? ''
    const tatMs = failures.get(from) ?? 0
    const next = spend(FAILURES, tatMs, 1, nowMs)
    if (!next.allowed) return { kind: 'throttled', retryAfterMs: next.retryAfterMs }
    const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1]
    if (given !== undefined && (await Promise.all(wanted.map(token => isSame(given, token)))).includes(true))
      return { kind: 'granted' }
    failures.set(from, next.tatMs)
    return { kind: 'denied' }
  }
}

/** Hashed first, so that neither length nor content shows in the time it takes. */
async function isSame(given: string, wanted: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [given, wanted].map(text => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
  )
  return a !== undefined && b !== undefined && crypto.subtle.timingSafeEqual(a, b)
}
