/** The refusals of the rate limits. */
import type { Policy } from '../../settings/rate-limits.ts'

/** When too many requests of a session are under way, the next try comes after this time. */
const CONCURRENT_RETRY_MS = 1_000

export type WhyRefused =
  /** A policy that counts by session. */
  | 'policy'
  /** A policy that counts by network. */
  | 'network-policy'
  /** The limit `max_concurrent`. */
  | 'concurrent'
  /** The limit of an isolate for one session while its door cannot be asked. */
  | 'door-silent'

export interface Refusal {
  readonly why: WhyRefused
  /** Null for a limit that is not a policy. */
  readonly policy: Policy | null
  readonly name: string
  readonly retryAfterMs: number
}

export const TOO_MANY_AT_ONCE: Refusal = {
  why: 'concurrent',
  policy: null,
  name: 'concurrent',
  retryAfterMs: CONCURRENT_RETRY_MS,
}

export function refusedBy(policy: Policy, retryAfterMs: number): Refusal {
  return { why: policy.perNetwork ? 'network-policy' : 'policy', policy, name: policy.name, retryAfterMs }
}
