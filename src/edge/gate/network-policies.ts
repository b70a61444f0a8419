/**
 * Policies that count a network instead of a session. A visitor who throws cookies away has a new session with each request, but not a
 * new network. The count is this isolate's own, so it costs no call, and each isolate allows as much.
 */

import type { Refusal } from '../limits/limits.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomAtEdge } from '../room-client/room-client.ts'
import { networkOf } from './network-quota.ts'

/** One request that may go on. Its network is charged at the first question, and the answer stays. */
class NetworkCheck {
  /** The policy that has said no. */
  refusal: Refusal | null = null
  readonly #visit: Visit
  readonly #room: RoomAtEdge
  #isCharged = false

  constructor(visit: Visit, room: RoomAtEdge) {
    this.#visit = visit
    this.#room = room
  }

  /** Returns the policy that says no, or null. */
  ask(): Refusal | null {
    if (!this.#isCharged) this.refusal = charge(this.#visit, this.#room)
    this.#isCharged = true
    return this.refusal
  }
}

const CHECKS = new WeakMap<Visit, Map<RoomAtEdge, NetworkCheck>>()

/** The check of a request in a room: one, however often the request is decided. */
export function networkCheck(visit: Visit, room: RoomAtEdge): NetworkCheck {
  const ofVisit = CHECKS.get(visit) ?? new Map<RoomAtEdge, NetworkCheck>()
  CHECKS.set(visit, ofVisit)
  const check = ofVisit.get(room) ?? new NetworkCheck(visit, room)
  ofVisit.set(room, check)
  return check
}

function charge(visit: Visit, room: RoomAtEdge): Refusal | null {
  const network = networkOf(visit.address)
  if (network === null) return null
  const { policies, figures } = room.limits
  for (const [i, policy] of policies.entries()) {
    if (!policy.perNetwork || !policy.matches(visit.request.method, visit.readings)) continue
    const retryAfterMs = room.spend(`policy ${policy.name}/${network}`, policy.quota, visit.nowMs, policy.cost)
    if (retryAfterMs > 0 && !policy.isShadow) return { policy, name: policy.name, retryAfterMs }
    figures.add(i, retryAfterMs > 0 ? 'shadow' : 'allowed')
    room.report(visit)
  }
  return null
}
