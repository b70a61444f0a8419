/**
 * Policies that count a network instead of a session. A visitor who drops cookies has a new session with each request,
 * but stays in the same network. Each isolate counts by itself: a check costs no call, and every isolate allows the
 * full quota.
 */

import type { Policy } from '../../settings/rate-limits.ts'
import { type Refusal, refusedBy } from '../limits/refusal.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** The charge of one policy for a request. */
interface Spent {
  readonly index: number
  readonly policy: Policy
  readonly isOver: boolean
}

/**
 * The check of one request. Its network is charged at the first question, and gets the tokens back if the request does
 * not go on.
 */
export class NetworkCheck {
  /** The policy that has refused the request. */
  refusal: Refusal | null = null
  readonly #visit: Visit
  readonly #room: RoomClient
  #spent: Spent[] | null = null

  constructor(visit: Visit, room: RoomClient) {
    this.#visit = visit
    this.#room = room
  }

  /** Returns the policy that refuses the request, or null. */
  ask(): Refusal | null {
    if (this.#spent === null) {
      this.#spent = []
      this.refusal = this.#charge(this.#spent)
    }
    return this.refusal
  }

  /**
   * Counts a request whose session was decided. For any other request it returns the tokens, so that waiting is free.
   */
  settle(isCharged: boolean): void {
    const spent = this.#spent ?? []
    // A request that waits for its turn is decided again. It must not be charged twice.
    this.#spent = isCharged ? [] : null
    if (!isCharged) this.refusal = null
    for (const { index, policy, isOver } of spent) {
      if (isCharged) this.#room.limits.stats.add(index, isOver ? 'shadow' : 'allowed')
      else if (!isOver) this.#room.giveBack(this.#keyOf(policy), policy.quota, policy.cost)
    }
    if (isCharged && spent.length > 0) this.#room.sync.report(this.#visit)
  }

  #charge(spent: Spent[]): Refusal | null {
    if (this.#visit.network === null) return null
    for (const [index, policy] of this.#room.limits.policies.entries()) {
      if (!policy.perNetwork || !policy.matches(this.#visit.request.method, this.#visit.readings)) continue
      const retryAfterMs = this.#room.spendOrWaitMs(this.#keyOf(policy), policy.quota, this.#visit.nowMs, policy.cost)
      if (retryAfterMs > 0 && !policy.isShadow) return refusedBy(policy, retryAfterMs)
      spent.push({ index, policy, isOver: retryAfterMs > 0 })
    }
    return null
  }

  #keyOf(policy: Policy): string {
    return `policy ${policy.name}/${this.#visit.network}`
  }
}

const CHECKS = new WeakMap<Visit, Map<RoomClient, NetworkCheck>>()

/** Returns the check of a request in a room. When a request is decided again, it gets the same check. */
export function networkCheck(visit: Visit, room: RoomClient): NetworkCheck {
  const ofVisit = CHECKS.get(visit) ?? new Map<RoomClient, NetworkCheck>()
  CHECKS.set(visit, ofVisit)
  const check = ofVisit.get(room) ?? new NetworkCheck(visit, room)
  ofVisit.set(room, check)
  return check
}
