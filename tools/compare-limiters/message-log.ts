/**
 * A log of the messages to a door, which is searched at each of its refusals. So a refusal that leases explain can be
 * distinguished from a wrong one.
 *
 * Tokens count from the report of their use, or from the end of their lease. Tokens that are lent and not yet reported
 * count in full. The difference from the time of their real use is the grain of leases.
 */

import type { Quota } from '../../src/core/gcra.ts'
import { LEASE_GRACE_MS } from '../../src/core/limits/debt.ts'
import type { TokenGrant, TokenRequest } from '../../src/core/protocol/messages.ts'

export const LEASE_MS = 10_000

export class MessageLog {
  readonly #quota: Quota
  /** When each token was charged. */
  readonly #spent: number[] = []
  readonly #leases = new Map<string, { used: number; out: number; endMs: number }>()

  constructor(quota: Quota) {
    this.#quota = quota
  }

  /**
   * Applies a token request and its answer. Returns true when the answer grants less than was wanted, though there was
   * room for it.
   */
  add(request: TokenRequest, grant: TokenGrant, nowMs: number): boolean {
    for (const lease of this.#leases.values()) {
      if (lease.endMs > nowMs) continue
      for (; lease.out > 0; lease.out--) this.#spent.push(lease.endMs)
    }
    this.#spent.sort((a, b) => a - b)
    const lease = this.#leases.get(request.lease) ?? { used: 0, out: 0, endMs: 0 }
    const isKnown = lease.endMs > nowMs
    if (isKnown) for (let n = lease.used; n < request.used; n++) this.#spent.push(nowMs)
    lease.used = request.used
    lease.out = request.has
    lease.endMs = nowMs + LEASE_MS + LEASE_GRACE_MS
    this.#leases.set(request.lease, lease)
    const isWrong = grant.tokens < request.want && this.#fits(request.want, nowMs)
    lease.out += grant.tokens
    return isWrong
  }

  #fits(tokens: number, nowMs: number): boolean {
    const { intervalMs, burst } = this.#quota
    let drained = 0
    for (const atMs of this.#spent) drained = Math.max(drained, atMs) + intervalMs
    const out = [...this.#leases.values()].reduce((sum, lease) => sum + lease.out, 0)
    return Math.max(0, drained - nowMs) + (out + tokens) * intervalMs <= burst * intervalMs
  }
}
