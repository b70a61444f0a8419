/**
 * The limits of one room at one isolate: whether a session's request may go on, by the leases at hand; what to ask its door for; and the
 * figures of each policy. A request inside its lease costs a comparison and an addition per policy that it falls under.
 */
import {
  askOf,
  giveBack,
  type Holding,
  held,
  isWorthGivingBack,
  leave,
  newHolding,
  noteGrant,
  noteNoAnswer,
  owe,
  wait,
} from '../core/holdings.ts'
import type { Ask, Grant } from '../core/messages.ts'
import type { RoomSettings } from '../settings/compiled.ts'
import type { Policy } from '../settings/rate-limits.ts'
import type { Visit } from './visit.ts'

/** Paths of one session with a lease here, for 10,000 sessions must fit. The oldest is forgotten, and its door charges it whole. */
const PATHS_MAX = 16
/** A slot of `max_concurrent` is free by itself so long after the origin's time is up: a request may be cut off without a word. */
const SLOT_LOST_MS = 1_000
/** A request more will not fit for about so long. */
const CONCURRENT_RETRY_MS = 1_000

/** What an isolate holds of one session. Policies of other settings are not these: what was held of them is charged at its end. */
export interface SessionLimits {
  readonly policies: readonly Policy[]
  /** By the policy's place in the list. */
  readonly whole: (Holding | undefined)[]
  readonly paths: Map<string, Holding>
  /** When the requests began whose answers have not. */
  running: number[]
}

/** A policy, or `max_concurrent`, says no. */
export interface Refusal {
  readonly policy: Policy | null
  readonly name: string
  readonly retryAfterMs: number
}

export type Taken = 'taken' | 'ask' | Refusal

/** What is known of a policy after a decision, for the RateLimit fields. */
export interface LimitState {
  readonly policy: Policy
  readonly remaining: number
  readonly resetMs: number
}

/** Tokens that one request waits for. */
export type Wish = readonly { readonly holding: Holding; readonly tokens: number }[]

const FIGURES = ['allowed', 'limited', 'shadow', 'near', 'fallback'] as const
type Figure = (typeof FIGURES)[number]
/** A grant that leaves less of the burst than this is near the limit: 80 % is in use. */
const NEAR_SHARE = 0.2

export class Limits {
  policies: readonly Policy[] = []
  /** Whether any policy's cost is told by the origin. */
  chargesAfterwards = false
  #maxConcurrent: number | null = null
  #slotLostMs = 0
  #text = ''
  #figures: Record<Figure, number>[] = []
  #isDirty = false
  readonly #isolate: string
  #leases = 0

  constructor(isolate: string) {
    this.#isolate = isolate
  }

  /** Takes over settings. Figures that were not reported must be taken before. */
  follow(settings: RoomSettings): void {
    const { rate_limits, mode, suspended } = settings.config
    const text = JSON.stringify([rate_limits, mode, suspended])
    this.#maxConcurrent = suspended || mode === 'observe' ? null : settings.config.max_concurrent
    this.#slotLostMs = settings.originTimeoutMs + SLOT_LOST_MS
    // Leases outlive a change of something else.
    if (text === this.#text) return
    this.#text = text
    this.policies = settings.policies
    this.chargesAfterwards = settings.policies.some(({ costHeader }) => costHeader !== null)
    this.#figures = settings.policies.map(() => ({ allowed: 0, limited: 0, shadow: 0, near: 0, fallback: 0 }))
    this.#isDirty = false
  }

  newSession(): SessionLimits {
    return { policies: this.policies, whole: [], paths: new Map(), running: [] }
  }

  /** Decides by what is at hand, and takes it: all policies let the request on, or one says no, or a door must be asked. */
  take(visit: Visit, session: SessionLimits, nowMs: number): Taken {
    const { policies } = this
    if (this.#maxConcurrent !== null && this.#running(session, nowMs) >= this.#maxConcurrent)
      return { policy: null, name: 'concurrent', retryAfterMs: CONCURRENT_RETRY_MS }
    let asks = false
    let refusal: Refusal | null = null
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as Policy
      if (!covers(policy, visit)) continue
      const holding = this.#holdingOf(session, i, policy, visit)
      if (held(holding, nowMs) >= policy.cost && holding.owed === 0) continue
      const retryAfterMs = holding.refusedUntilMs - nowMs
      if (retryAfterMs <= 0) asks = true
      else if (!policy.isShadow && retryAfterMs > (refusal?.retryAfterMs ?? 0))
        refusal = { policy, name: policy.name, retryAfterMs }
    }
    if (refusal?.policy) {
      this.#count(policies.indexOf(refusal.policy), 'limited')
      return refusal
    }
    if (asks) return 'ask'
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as Policy
      if (!covers(policy, visit)) continue
      const holding = this.#holdingOf(session, i, policy, visit)
      if (held(holding, nowMs) >= policy.cost) {
        holding.used += policy.cost
        this.#count(i, 'allowed')
      } else this.#count(i, 'shadow')
    }
    if (this.#maxConcurrent !== null) session.running.push(visit.nowMs)
    return 'taken'
  }

  /** A request that comes in with a claim waits for nothing, and is charged by it. */
  claimAsks(visit: Visit, session: SessionLimits, nowMs: number): readonly Ask[] {
    return this.#covering(visit, session).map(({ policy, holding }) => {
      owe(holding, policy.cost, nowMs)
      return giveBack(holding)
    })
  }

  /** A claim has let its request in. */
  countClaimed(visit: Visit): void {
    for (const [i, policy] of this.policies.entries()) if (covers(policy, visit)) this.#count(i, 'allowed')
  }

  /** A request begins to wait for what it lacks. */
  wish(visit: Visit, session: SessionLimits, nowMs: number): Wish {
    const wish = this.#covering(visit, session).map(({ policy, holding }) => ({ holding, tokens: policy.cost }))
    for (const { holding, tokens } of wish) wait(holding, tokens, nowMs)
    return wish
  }

  unwish(wish: Wish): void {
    for (const { holding, tokens } of wish) leave(holding, tokens)
  }

  /** What a touch of the session says and asks: of all buckets that somebody waits for, or that were used. */
  asks(session: SessionLimits, nowMs: number): readonly Ask[] {
    return this.#open(session)
      .filter(
        ({ holding }) =>
          holding.waiting > 0 || holding.owed > 0 || holding.used > holding.usedBefore || held(holding, nowMs) > 0,
      )
      .map(({ policy, holding }) => askOf(holding, policy.quota, policy.cost, nowMs))
  }

  /** Gives back what an idle session has here. Nothing while a request waits. */
  giveBack(session: SessionLimits, nowMs: number): readonly Ask[] {
    const open = this.#open(session)
    if (open.some(({ holding }) => holding.waiting > 0)) return []
    return open.filter(one => isWorthGivingBack(one.holding, one.policy.quota, nowMs)).map(one => giveBack(one.holding))
  }

  /** Whether a session has something here that is worth giving back once it is idle. */
  hasMuch(session: SessionLimits, nowMs: number): boolean {
    return this.#open(session).some(({ policy, holding }) => isWorthGivingBack(holding, policy.quota, nowMs))
  }

  /** Whether a session has not been used since it was last looked at, and has something worth giving back. */
  isIdle(session: SessionLimits, nowMs: number): boolean {
    let idle = false
    for (const { policy, holding } of this.#open(session)) {
      if (holding.used === holding.usedSeen && isWorthGivingBack(holding, policy.quota, nowMs)) idle = true
      holding.usedSeen = holding.used
    }
    return idle
  }

  note(
    session: SessionLimits,
    asks: readonly Ask[],
    grants: readonly Grant[],
    life: { sentMs: number; leaseMs: number; nowMs: number },
  ): void {
    const open = this.#open(session)
    asks.forEach((ask, index) => {
      const grant = grants[index]
      const one = open.find(({ holding }) => holding.lease === ask.lease)
      if (!grant || !one) return
      noteGrant(one.holding, ask, grant, life)
      const inUse = ask.want > 0 && grant.tokens + grant.remaining - ask.want < one.policy.quota.burst * NEAR_SHARE
      if (inUse) this.#count(this.policies.indexOf(one.policy), 'near')
    })
  }

  noteNoAnswer(session: SessionLimits, asks: readonly Ask[]): void {
    const open = this.#open(session)
    for (const ask of asks) {
      const one = open.find(({ holding }) => holding.lease === ask.lease)
      if (one) noteNoAnswer(one.holding, ask)
    }
  }

  /** The door cannot be asked: each policy holds for this isolate by itself. `spend` answers milliseconds to wait, or 0. */
  locally(visit: Visit, sid: string, spend: (key: string, policy: Policy) => number): Refusal | null {
    for (const [i, policy] of this.policies.entries()) {
      if (!covers(policy, visit)) continue
      const bucket = policy.perPath ? bucketOf(policy, visit) : policy.name
      const retryAfterMs = spend(`limit/${bucket}/${sid}`, policy)
      if (retryAfterMs > 0 && !policy.isShadow) {
        this.#count(i, 'limited')
        return { policy, name: policy.name, retryAfterMs }
      }
      this.#count(i, retryAfterMs > 0 ? 'shadow' : 'fallback')
    }
    return null
  }

  /** The origin has said what its answer cost: more than the one token that was taken, or nothing. */
  chargeAfterwards(visit: Visit, session: SessionLimits, headers: Headers, nowMs: number): boolean {
    let owes = false
    for (const { policy, holding } of this.#covering(visit, session)) {
      if (policy.costHeader === null) continue
      const text = headers.get(policy.costHeader)
      if (text === null || !/^\d{1,9}$/.test(text.trim())) continue
      // An answer never costs more than a whole burst: a mistake of the origin must not lock a session out for days.
      const cost = Math.min(Number(text), policy.quota.burst)
      if (cost === 0 && holding.used > holding.usedBefore) holding.used--
      else if (cost > 1) owe(holding, cost - 1, nowMs)
      owes ||= holding.owed > 0
    }
    return owes
  }

  /** The answer to a request has begun, or it did not go on after all. */
  end(session: SessionLimits | undefined, beganMs: number): void {
    const at = session?.running.indexOf(beganMs) ?? -1
    if (at >= 0) session?.running.splice(at, 1)
  }

  /** What is left of each enforced policy that the request falls under, as far as this isolate knows. */
  states(visit: Visit, session: SessionLimits, nowMs: number): readonly LimitState[] {
    return this.#covering(visit, session)
      .filter(({ policy }) => !policy.isShadow)
      .map(({ policy, holding }) => {
        const refusedMs = Math.max(0, holding.refusedUntilMs - nowMs)
        const remaining = refusedMs > 0 ? 0 : Math.min(policy.quota.burst, held(holding, nowMs) + holding.remaining)
        const drainMs = (policy.quota.burst - remaining) * policy.quota.intervalMs
        return { policy, remaining, resetMs: refusedMs > 0 ? refusedMs : drainMs }
      })
  }

  /** Whether little is left of any enforced policy, by what this isolate knows. */
  isLow(session: SessionLimits | undefined, share: number): boolean {
    if (!session) return false
    for (let i = 0; i < session.whole.length; i++) {
      const holding = session.whole[i]
      const policy = this.policies[i]
      if (!holding || !policy || policy.isShadow) continue
      if (holding.tokens - holding.used + holding.remaining < policy.quota.burst * share) return true
    }
    return false
  }

  /** Figures since the last time, as cells of a report. */
  takeFigures(count: (cell: string, by: number) => void): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    for (const [i, figures] of this.#figures.entries()) {
      for (const figure of FIGURES) {
        if (figures[figure] > 0) count(`limit/${this.policies[i]?.name}/${figure}`, figures[figure])
        figures[figure] = 0
      }
    }
  }

  #count(i: number, figure: Figure): void {
    const figures = this.#figures[i]
    if (figures) figures[figure]++
    this.#isDirty = true
  }

  #covering(visit: Visit, session: SessionLimits): { policy: Policy; holding: Holding }[] {
    return this.policies.flatMap((policy, i) =>
      covers(policy, visit) ? [{ policy, holding: this.#holdingOf(session, i, policy, visit) }] : [],
    )
  }

  #open(session: SessionLimits): { policy: Policy; holding: Holding }[] {
    const byName = new Map(session.policies.map(policy => [policy.name, policy]))
    return [...session.whole, ...session.paths.values()].flatMap(holding => {
      const policy = holding && byName.get(holding.policy)
      return policy ? [{ policy, holding }] : []
    })
  }

  #holdingOf(session: SessionLimits, i: number, policy: Policy, visit: Visit): Holding {
    if (policy.perPath) return this.#holdingOnPath(session, policy, visit)
    const known = session.whole[i]
    if (known) return known
    const holding = newHolding(policy.name, policy.name, policy.quota, this.#newLease())
    session.whole[i] = holding
    return holding
  }

  #holdingOnPath({ paths }: SessionLimits, policy: Policy, visit: Visit): Holding {
    const bucket = bucketOf(policy, visit)
    const known = paths.get(bucket)
    if (known) return known
    const holding = newHolding(policy.name, bucket, policy.quota, this.#newLease())
    paths.set(bucket, holding)
    if (paths.size > PATHS_MAX) paths.delete(paths.keys().next().value as string)
    return holding
  }

  #newLease(): string {
    return `${this.#isolate}.${this.#leases++}`
  }

  #running(session: SessionLimits, nowMs: number): number {
    if (session.running.length > 0) session.running = session.running.filter(at => nowMs - at < this.#slotLostMs)
    return session.running.length
  }
}

function covers(policy: Policy, visit: Visit): boolean {
  return policy.matchesAll || policy.matches(visit.request.method, visit.readings.paths)
}

/** The shortest reading: without parameters and empty segments, so that spellings of a path share what is left of it. */
function bucketOf(policy: Policy, visit: Visit): string {
  let path = '?'
  for (const reading of visit.readings.paths) if (path === '?' || reading.length < path.length) path = reading
  return `${policy.name}${path.length > 100 ? `/#${hashOf(path)}` : path}`
}

/** FNV-1a twice: a long path must not make a long message. */
function hashOf(text: string): string {
  let a = 0x811c9dc5
  let b = 0xcbf29ce4
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - i), 0x01000193)
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36)
}
