/**
 * The limits of one room at one isolate: whether a session's request may go on, by the leases at hand, and what to ask its door for. A
 * request inside its lease costs a comparison and an addition per policy that it falls under.
 */
import { LEASE_GRACE_MS } from '../../core/limits/debt.ts'
import {
  askOf,
  giveBack,
  type Holding,
  held,
  leave,
  noteGrant,
  noteNoAnswer,
  noteRemaining,
  owe,
  use,
  wait,
} from '../../core/limits/lease.ts'
import type { Ask, Grant } from '../../core/protocol/messages.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'
import type { Policy } from '../../settings/rate-limits.ts'
import type { Visit } from '../request/visit.ts'
import { Concurrency } from './concurrency.ts'
import { covers, holdingOf, holdingsOf, LeaseNames, newSessionLimits, type SessionLimits } from './session.ts'
import { PolicyFigures } from './stats.ts'

/** A request more will not fit for about so long. */
const CONCURRENT_RETRY_MS = 1_000

/**
 * A refusal is remembered for so long at least, or a busy session would have its door asked for each token as it drains. Meanwhile tokens
 * gather at the door: none is lost, for no more than this share of the burst does.
 */
const REFUSED_FOR_MS = 1_000
const REFUSED_SHARE = 1 / 4

/** A policy, or `max_concurrent`, says no. */
export interface Refusal {
  readonly policy: Policy | null
  readonly name: string
  readonly retryAfterMs: number
}

const TOO_MANY_AT_ONCE: Refusal = { policy: null, name: 'concurrent', retryAfterMs: CONCURRENT_RETRY_MS }

export type Taken = 'taken' | 'ask' | Refusal

/** Tokens that one request waits for. */
export type Wish = readonly { readonly holding: Holding; readonly tokens: number }[]

/** A grant that leaves less of the burst than this is near the limit: 80 % is in use. */
const NEAR_SHARE = 0.2

export class Limits {
  policies: readonly Policy[] = []
  /** Whether any policy's cost is told by the origin. */
  chargesAfterwards = false
  /** Whether any policy counts networks. */
  countsNetworks = false
  figures = new PolicyFigures([])
  readonly #concurrency = new Concurrency()
  #text = ''
  readonly #names: LeaseNames
  /** What `take` has found for each policy: patterns are matched once a request, and no list is made for it. */
  readonly #taken: (Holding | null)[] = []

  constructor(isolate: string) {
    this.#names = new LeaseNames(isolate)
  }

  /** Takes over settings. Figures that were not reported must be taken before. */
  follow(settings: RoomSettings): void {
    const { rate_limits, mode, suspended, case_insensitive_paths } = settings.config
    const text = JSON.stringify([rate_limits, mode, suspended, case_insensitive_paths])
    this.#concurrency.follow(settings)
    // Leases outlive a change of something else.
    if (text === this.#text) return
    this.#text = text
    this.policies = settings.policies
    this.countsNetworks = settings.policies.some(({ perNetwork }) => perNetwork)
    this.chargesAfterwards = settings.policies.some(({ costHeader }) => costHeader !== null)
    this.figures = new PolicyFigures(settings.policies.map(({ name }) => name))
  }

  newSession(): SessionLimits {
    return newSessionLimits(this.policies)
  }

  /**
   * Decides by what is at hand, and takes it: all policies let the request on, or one says no, or a door must be asked. A request that
   * `wentOn` before its door had answered is only charged.
   */
  take(visit: Visit, session: SessionLimits, nowMs: number, wentOn = false): Taken {
    const { policies } = this
    if (!wentOn && this.#concurrency.isFull(session, nowMs)) return TOO_MANY_AT_ONCE
    const covering = this.#taken
    let asks = false
    let refusal: Refusal | null = null
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as Policy
      const holding = covers(policy, visit) ? this.#holdingOf(session, i, policy, visit) : null
      covering[i] = holding
      if (!holding || (held(holding, nowMs) >= policy.cost && holding.owed === 0)) continue
      const retryAfterMs = holding.refusedUntilMs - nowMs
      if (retryAfterMs <= 0) asks = true
      else if (!policy.isShadow && retryAfterMs > (refusal?.retryAfterMs ?? 0))
        refusal = { policy, name: policy.name, retryAfterMs }
    }
    if (refusal) return refusal
    if (asks) return 'ask'
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as Policy
      const holding = covering[i]
      if (!holding) continue
      if (held(holding, nowMs) >= policy.cost) {
        use(holding, policy.cost, nowMs)
        this.figures.add(i, 'allowed')
      } else this.figures.add(i, 'shadow')
    }
    if (!wentOn) this.#concurrency.begin(session, visit)
    return 'taken'
  }

  /** A request goes on though its door has not answered: unless too many are under way at once, it is one of them. */
  goOn(visit: Visit, session: SessionLimits, nowMs: number): Refusal | null {
    if (this.#concurrency.isFull(session, nowMs)) return TOO_MANY_AT_ONCE
    this.#concurrency.begin(session, visit)
    return null
  }

  /** A request that comes in with a claim waits for nothing, and is charged by it. */
  claimAsks(visit: Visit, session: SessionLimits, nowMs: number): readonly Ask[] {
    return this.covering(visit, session).map(({ policy, holding }) => {
      owe(holding, policy.cost, nowMs)
      return giveBack(holding, nowMs)
    })
  }

  /** A claim has let its request in. */
  noteClaimed(visit: Visit, session: SessionLimits, asks: readonly Ask[], grants: readonly Grant[] = []): void {
    for (const [i, policy] of this.policies.entries()) if (covers(policy, visit)) this.figures.add(i, 'allowed')
    const open = holdingsOf(session)
    for (const [i, ask] of asks.entries()) {
      const grant = grants[i]
      const one = open.find(({ holding }) => holding.lease === ask.lease)
      if (grant && one) noteRemaining(one.holding, ask, grant)
    }
  }

  /** A request begins to wait for what it lacks. */
  wish(visit: Visit, session: SessionLimits, nowMs: number): Wish {
    const wish = this.covering(visit, session).map(({ policy, holding }) => ({ holding, tokens: policy.cost }))
    for (const { holding, tokens } of wish) wait(holding, tokens, nowMs)
    return wish
  }

  unwish(wish: Wish): void {
    for (const { holding, tokens } of wish) leave(holding, tokens)
  }

  /** What a touch of the session says and asks: of all buckets that somebody waits for, or that were used. */
  asks(session: SessionLimits, nowMs: number): readonly Ask[] {
    return holdingsOf(session)
      .filter(
        ({ holding }) =>
          holding.waiting > 0 || holding.owed > 0 || holding.used > holding.usedBefore || held(holding, nowMs) > 0,
      )
      .map(({ policy, holding }) => askOf(holding, policy.quota, policy.cost, nowMs))
  }

  note(
    session: SessionLimits,
    asks: readonly Ask[],
    grants: readonly Grant[],
    life: { sentMs: number; leaseMs: number; nowMs: number },
  ): void {
    const open = holdingsOf(session)
    asks.forEach((ask, index) => {
      const grant = grants[index]
      const one = open.find(({ holding }) => holding.lease === ask.lease)
      if (!grant || !one) return
      // A door that has not heard of a change yet may mean a longer quota: by then all has drained by this one.
      const { burst, intervalMs } = one.policy.quota
      const drainedMs =
        ask.least > burst ? Number.POSITIVE_INFINITY : burst * intervalMs + life.leaseMs + LEASE_GRACE_MS
      const waitMs = Math.min(grant.retryAfterMs, drainedMs)
      const leastMs = waitMs > 0 ? Math.min(REFUSED_FOR_MS, burst * intervalMs * REFUSED_SHARE) : 0
      noteGrant(one.holding, ask, { ...grant, retryAfterMs: Math.max(waitMs, leastMs) }, life)
      const inUse = ask.want > 0 && grant.tokens + grant.remaining - ask.want < one.policy.quota.burst * NEAR_SHARE
      if (inUse) this.figures.add(this.policies.indexOf(one.policy), 'near')
    })
  }

  noteNoAnswer(session: SessionLimits, asks: readonly Ask[]): void {
    const open = holdingsOf(session)
    for (const ask of asks) {
      const one = open.find(({ holding }) => holding.lease === ask.lease)
      if (one) noteNoAnswer(one.holding, ask)
    }
  }

  /** The origin has said what its answer cost: more than the one token that was taken, or nothing. */
  chargeAfterwards(visit: Visit, session: SessionLimits, headers: Headers, nowMs: number): boolean {
    let owes = false
    for (const { policy, holding } of this.covering(visit, session)) {
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
  end(session: SessionLimits | undefined, visit: Visit): void {
    if (session) this.#concurrency.end(session, visit)
  }

  /** A refusal is final: the request has not waited for its turn, or not long enough. */
  countRefusal({ policy }: Refusal): void {
    if (policy) this.figures.add(this.policies.indexOf(policy), 'limited')
  }

  /** The policies that the request falls under, with what is held of each. */
  covering(visit: Visit, session: SessionLimits): { policy: Policy; holding: Holding }[] {
    return this.policies.flatMap((policy, i) =>
      covers(policy, visit) ? [{ policy, holding: this.#holdingOf(session, i, policy, visit) }] : [],
    )
  }

  #holdingOf(session: SessionLimits, i: number, policy: Policy, visit: Visit): Holding {
    return holdingOf(session, i, policy, visit, this.#names)
  }
}
