/** What an isolate holds of one session: a lease for each policy that it came under, and for each path where a policy counts paths. */
import { fnv1a } from '../../core/hash.ts'
import { type Holding, newHolding } from '../../core/limits/lease.ts'
import type { Policy } from '../../settings/rate-limits.ts'
import type { Visit } from '../request/visit.ts'

/** Paths of one session with a lease here, for 10,000 sessions must fit. The oldest is forgotten, and its door charges it whole. */
const PATHS_MAX = 16

/** Policies of other settings are not these: what was held of them is charged at its end. */
export interface SessionLimits {
  readonly policies: readonly Policy[]
  /** By the policy's place in the list. */
  readonly whole: (Holding | undefined)[]
  readonly paths: Map<string, Holding>
  /** Requests whose answers have not begun. */
  running: { readonly visit: Visit; readonly lostMs: number }[]
}

export function newSessionLimits(policies: readonly Policy[]): SessionLimits {
  return { policies, whole: [], paths: new Map(), running: [] }
}

/** Names of leases: none is ever used for another. */
export class LeaseNames {
  readonly #isolate: string
  #given = 0

  constructor(isolate: string) {
    this.#isolate = isolate
  }

  next(): string {
    return `${this.#isolate}.${this.#given++}`
  }
}

/** Whether a session's request is charged by a policy. */
export function covers(policy: Policy, visit: Visit): boolean {
  if (policy.perNetwork) return false
  return policy.matchesAll || policy.matches(visit.request.method, visit.readings)
}

/** What is held of the policy at place `i`, for the path of the visit where it counts paths; made when there is nothing yet. */
export function holdingOf(session: SessionLimits, i: number, policy: Policy, visit: Visit, names: LeaseNames): Holding {
  if (policy.perPath) return holdingOnPath(session, policy, visit, names)
  const known = session.whole[i]
  if (known) return known
  const holding = newHolding(policy.name, policy.name, policy.quota, names.next())
  session.whole[i] = holding
  return holding
}

/** All that is held of a session. */
export function holdingsOf(session: SessionLimits): { policy: Policy; holding: Holding }[] {
  const byName = new Map(session.policies.map(policy => [policy.name, policy]))
  return [...session.whole, ...session.paths.values()].flatMap(holding => {
    const policy = holding && byName.get(holding.policy)
    return policy ? [{ policy, holding }] : []
  })
}

function holdingOnPath({ paths }: SessionLimits, policy: Policy, visit: Visit, names: LeaseNames): Holding {
  const bucket = bucketOf(policy, visit)
  const known = paths.get(bucket)
  if (known) return known
  const holding = newHolding(policy.name, bucket, policy.quota, names.next())
  paths.set(bucket, holding)
  for (const [name, one] of paths) {
    if (paths.size <= PATHS_MAX) break
    // What a request waits for stays, or its answer would come in vain.
    if (one.waiting === 0 && one !== holding) paths.delete(name)
  }
  return holding
}

/** Spellings of a path that the policy takes for the same share what is left of it. */
export function bucketOf(policy: Policy, visit: Visit): string {
  const path = policy.paths.nameOf(visit.readings)
  return `${policy.name}${path.length > 100 ? `/#${hashOf(path)}` : path}`
}

/** From both ends: a long path must not make a long message, nor share what is left with another. */
function hashOf(text: string): string {
  return fnv1a(text).toString(36) + fnv1a([...text].reverse().join(''), 1).toString(36)
}
