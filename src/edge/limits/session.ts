/**
 * The token leases of one session at one isolate: one for each policy that has covered a request. A policy that counts
 * paths has one for each path.
 */
import { fnv1a } from '../../core/hash.ts'
import { newTokenLease, type TokenLease } from '../../core/limits/token-lease.ts'
import type { Policy } from '../../settings/rate-limits.ts'
import type { Visit } from '../request/visit.ts'

/**
 * The most leases for paths of one session here, so that 10,000 sessions fit in memory. Beyond this the oldest lease is
 * dropped, and its door charges it whole.
 */
const PATHS_MAX = 16

/**
 * The leases of one session. They belong to these `policies` only. After a change of settings, old leases are charged
 * when they end.
 */
export interface SessionLimits {
  readonly policies: readonly Policy[]
  readonly names: LeaseNames
  /** By the policy's index in `policies`. */
  readonly whole: (TokenLease | undefined)[]
  readonly paths: Map<string, TokenLease>
  /** Requests whose answers have not begun. */
  running: { readonly visit: Visit; readonly lostMs: number }[]
}

export function newSessionLimits(policies: readonly Policy[], names: LeaseNames): SessionLimits {
  return { policies, names, whole: [], paths: new Map(), running: [] }
}

/** Generates names of leases. No name is used twice. */
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

/** True if a policy charges this request to its session. */
export function covers(policy: Policy, visit: Visit): boolean {
  if (policy.perNetwork) return false
  return policy.matchesAll || policy.matches(visit.request.method, visit.readings)
}

/**
 * Returns the lease for the policy at index `i`, and creates it if there is none. For a policy that counts paths, it is
 * the lease for the path of the visit.
 */
export function tokenLeaseOf(session: SessionLimits, i: number, policy: Policy, visit: Visit): TokenLease {
  if (policy.perPath) return tokenLeaseOnPath(session, policy, visit)
  const known = session.whole[i]
  if (known) return known
  const lease = newTokenLease(policy.name, policy.name, policy.quota, session.names.next())
  session.whole[i] = lease
  return lease
}

/** Returns all leases of a session. */
export function tokenLeasesOf(session: SessionLimits): { policy: Policy; lease: TokenLease }[] {
  const byName = new Map(session.policies.map(policy => [policy.name, policy]))
  return [...session.whole, ...session.paths.values()].flatMap(lease => {
    const policy = lease && byName.get(lease.policy)
    return policy ? [{ policy, lease }] : []
  })
}

function tokenLeaseOnPath({ paths, names }: SessionLimits, policy: Policy, visit: Visit): TokenLease {
  const bucket = policyBucketOf(policy, visit)
  const known = paths.get(bucket)
  if (known) return known
  const lease = newTokenLease(policy.name, bucket, policy.quota, names.next())
  paths.set(bucket, lease)
  for (const [name, one] of paths) {
    if (paths.size <= PATHS_MAX) break
    // A lease for which a request waits must stay. Otherwise the answer would find no lease.
    if (one.waiting === 0 && one !== lease) paths.delete(name)
  }
  return lease
}

/** Returns the name of a bucket. Paths that the policy treats as the same share a bucket. */
export function policyBucketOf(policy: Policy, visit: Visit): string {
  const path = policy.paths.nameOf(visit.readings)
  return `${policy.name}${path.length > 100 ? `/#${hashOf(path)}` : path}`
}

/** Hashes a long path, once from each end, so that the name is short and no other path gets the same bucket. */
function hashOf(text: string): string {
  return fnv1a(text).toString(36) + fnv1a([...text].reverse().join(''), 1).toString(36)
}
