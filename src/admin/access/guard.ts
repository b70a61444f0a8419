/** Access by bearer tokens, for operators and for readers of metrics. Wrong tokens are throttled. */
import { base64url } from 'jose'
import { LRUCache } from 'lru-cache'
import { spend } from '../../core/gcra.ts'
import { idOf, type MadeToken } from '../../core/protocol/operators.ts'
import { FIRST_ADMIN, type NamedToken, ROLES } from '../../settings/admin/named-tokens.ts'
import { TOKEN_MAX } from '../../settings/deployment.ts'
import type { Lookup } from './registry.ts'
import type { Identity } from './roles.ts'

export type Access =
  | { readonly kind: 'granted'; readonly identity: Identity }
  | { readonly kind: 'off' }
  | { readonly kind: 'expired'; readonly name: string }
  | { readonly kind: 'denied' }
  /** No secret contains the token, and the object that stores the other tokens does not answer. */
  | { readonly kind: 'unsure' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** The tokens that a route accepts. */
interface Accepted {
  /** The first admin's token, null when it is unset. */
  readonly admin: string | null
  /** The token that can only read metrics. Null if it is unset, and on every route except that of the metrics. */
  readonly metrics: string | null
  readonly named: readonly NamedToken[]
  /**
   * Looks up a token that was made in the dashboard, by its SHA-256. Null if no admin can make tokens in this
   * deployment.
   */
  readonly made: ((sha256: string) => Promise<Lookup>) | null
}

/** One network may send ten wrong tokens at once to one isolate, then one every six seconds. */
const FAILURES = { intervalMs: 6_000, burst: 10 }
const NETWORKS_MAX = 10_000
const BEARER = new RegExp(`^Bearer ([\\x21-\\x7e]{1,${TOKEN_MAX}})$`, 'i')

/**
 * A right token is accepted however many wrong tokens others have sent, so no attacker can lock an operator out.
 * Throttling only warns early that something is wrong. The length of a token is what keeps it from being guessed.
 * Requests from no known network share one quota. A request without a token is refused, but does not count as a wrong
 * token.
 */
export function createGuard() {
  const failures = new LRUCache<string, number>({ max: NETWORKS_MAX })
  return async (
    authorization: string | null,
    accepted: Accepted,
    network: string | null,
    nowMs: number,
  ): Promise<Access> => {
    const { admin, metrics, named, made } = accepted
    if (admin === null && metrics === null && named.length === 0 && made === null) return { kind: 'off' }
    const given = BEARER.exec(authorization ?? '')?.[1]
    if (given !== undefined) {
      const found = fixedToken(given, accepted) ?? (await hashedToken(await sha256Of(given), accepted, nowMs))
      if (found) return found
    }
    if (authorization === null) return { kind: 'denied' }
    const from = network ?? ''
    const next = spend(FAILURES, failures.get(from) ?? 0, 1, nowMs)
    if (!next.allowed) return { kind: 'throttled', retryAfterMs: next.retryAfterMs }
    failures.set(from, next.tatMs)
    return { kind: 'denied' }
  }
}

function fixedToken(given: string, { admin, metrics }: Accepted): Access | null {
  // Both tokens are always compared, so that the time does not reveal which one matched.
  const [isAdmin, isMetrics] = [admin, metrics].map(token => token !== null && isSame(given, token))
  const proof = { by: 'token', endsAtMs: null, tokenId: null } as const
  if (isAdmin) return { kind: 'granted', identity: { name: FIRST_ADMIN, role: 'admin', ...proof } }
  return isMetrics ? { kind: 'granted', identity: { name: 'METRICS_TOKEN', role: 'viewer', ...proof } } : null
}

/**
 * Tokens in the secret are tried first, so that they need no object. Hashes are compared directly: no sender can choose
 * a token whose hash is close to another hash.
 */
async function hashedToken(sha256: string, { named, made }: Accepted, nowMs: number): Promise<Access | null> {
  const inSecret = named.find(token => token.sha256 === sha256)
  if (inSecret) return ofToken(inSecret, Date.parse(inSecret.expires), nowMs)
  const found = made === null ? 'unknown' : await made(sha256)
  if (found === 'unknown') return null
  return found === 'silent' ? { kind: 'unsure' } : ofToken(found, found.endsAtMs, nowMs)
}

function ofToken(
  { name, role, sha256 }: Pick<MadeToken, 'name' | 'role' | 'sha256'>,
  endsAtMs: number,
  nowMs: number,
): Access | null {
  const known = ROLES.find(one => one === role)
  if (endsAtMs <= nowMs) return { kind: 'expired', name }
  const proof = { by: 'token', endsAtMs, tokenId: idOf(sha256) } as const
  return known ? { kind: 'granted', identity: { name, role: known, ...proof } } : null
}

/** Returns the SHA-256 of a token in base64url, without padding. */
export async function sha256Of(token: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))
}

/** Compares padded buffers in constant time, which reveals neither the length nor the content of a token. */
function isSame(given: string, wanted: string): boolean {
  return crypto.subtle.timingSafeEqual(padded(given), padded(wanted))
}

/** Pads a token with zero bytes. Tokens contain no byte 0, so different tokens stay different. */
function padded(token: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TOKEN_MAX)
  new TextEncoder().encodeInto(token, bytes)
  return bytes
}
