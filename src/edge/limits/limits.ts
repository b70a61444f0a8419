/**
 * The rate limits of one room at one isolate. They decide whether a session's request may go on with the token leases
 * at hand, and what to request from the session's door. A request within its leases costs a comparison and an addition
 * for each policy that covers it.
 */
import { boundRefusal, noteGrant, noteNoAnswer, noteRemaining } from '../../core/limits/answers.ts'
import {
  atHand,
  beginWait,
  endWait,
  nextRequest,
  owe,
  returnTokens,
  type TokenLease,
  takeTokens,
  tokensLeft,
} from '../../core/limits/token-lease.ts'
import type { TokenGrant, TokenRequest } from '../../core/protocol/messages.ts'
import type { RoomSettings } from '../../settings/compiled/room.ts'
import type { Policy } from '../../settings/rate-limits.ts'
import type { Visit } from '../request/visit.ts'
import { Concurrency } from './concurrency.ts'
import { type Refusal, refusedBy, TOO_MANY_AT_ONCE } from './refusal.ts'
import { covers, LeaseNames, newSessionLimits, type SessionLimits, tokenLeaseOf, tokenLeasesOf } from './session.ts'
import { PolicyStats } from './stats.ts'

type Taken = 'taken' | 'short' | Refusal

/** The tokens that one request waits for. */
type Wish = readonly { readonly lease: TokenLease; readonly tokens: number }[]

/** A grant that leaves less than this share of the burst is near the limit: over 80 % is in use. */
const NEAR_SHARE = 0.2

export class RequestLimits {
  policies: readonly Policy[] = []
  /** True if the origin reports the cost of requests under some policy. */
  chargesAfterwards = false
  /** True if some policy counts networks. */
  countsNetworks = false
  stats = new PolicyStats([])
  readonly #concurrency = new Concurrency()
  #text = ''
  readonly #names: LeaseNames
  /**
   * The result of `take` for each policy. The array is reused, so that a request matches each pattern once and
   * allocates nothing.
   */
  readonly #taken: (TokenLease | null)[] = []

  constructor(isolate: string) {
    this.#names = new LeaseNames(isolate)
  }

  /** Applies new settings. Unreported stats must be taken before, or they are lost. */
  follow(settings: RoomSettings): void {
    const { rate_limits, mode, suspended, case_insensitive_paths } = settings.config
    const text = JSON.stringify([rate_limits, mode, suspended, case_insensitive_paths])
    this.#concurrency.follow(settings)
    // Leases stay when only other settings have changed.
    if (text === this.#text) return
    this.#text = text
    this.policies = settings.policies
    this.countsNetworks = settings.policies.some(({ perNetwork }) => perNetwork)
    this.chargesAfterwards = settings.policies.some(({ costHeader }) => costHeader !== null)
    this.stats = new PolicyStats(settings.policies.map(({ name }) => name))
  }

  newSession(): SessionLimits {
    return newSessionLimits(this.policies, this.#names)
  }

  /**
   * Decides with the tokens at hand, and takes them. Returns `taken` if every policy allows the request, a refusal if
   * one does not, or `short` if tokens must come from the door first. With `wentOn` the request has gone on before its
   * door answered, so it is only charged.
   */
  take(visit: Visit, session: SessionLimits, nowMs: number, wentOn = false): Taken {
    const { policies } = this
    if (!wentOn && this.#concurrency.isFull(session, nowMs)) return TOO_MANY_AT_ONCE
    const covering = this.#taken
    let isShort = false
    let refusal: Refusal | null = null
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as Policy
      const lease = covers(policy, visit) ? tokenLeaseOf(session, i, policy, visit) : null
      covering[i] = lease
      if (!lease) continue
      const state = atHand(lease, policy.cost, nowMs)
      if (state === 'short') isShort = true
      if (state !== 'refused' || policy.isShadow) continue
      const retryAfterMs = lease.refusedUntilMs - nowMs
      if (retryAfterMs > (refusal?.retryAfterMs ?? 0)) refusal = refusedBy(policy, retryAfterMs)
    }
    if (refusal) return refusal
    if (isShort) return 'short'
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as Policy
      const lease = covering[i]
      if (!lease) continue
      if (tokensLeft(lease, nowMs) >= policy.cost) {
        takeTokens(lease, policy.cost, nowMs)
        this.stats.add(i, 'allowed')
      } else this.stats.add(i, 'shadow')
    }
    if (!wentOn) this.#concurrency.begin(session, visit)
    return 'taken'
  }

  /**
   * Lets a request go on before its door has answered, and counts it as under way. Returns a refusal if too many are
   * under way.
   */
  goOn(visit: Visit, session: SessionLimits, nowMs: number): Refusal | null {
    if (this.#concurrency.isFull(session, nowMs)) return TOO_MANY_AT_ONCE
    this.#concurrency.begin(session, visit)
    return null
  }

  /** Charges a request to the claim that it brings. Such a request does not wait for tokens. */
  chargeToClaim(visit: Visit, session: SessionLimits, nowMs: number): readonly TokenRequest[] {
    return this.covering(visit, session).map(({ policy, lease }) => {
      owe(lease, policy.cost, nowMs)
      return returnTokens(lease, nowMs)
    })
  }

  /** Notes that a claim has admitted its request. */
  noteClaimed(
    visit: Visit,
    session: SessionLimits,
    requests: readonly TokenRequest[],
    grants: readonly TokenGrant[] = [],
  ): void {
    for (const [i, policy] of this.policies.entries()) if (covers(policy, visit)) this.stats.add(i, 'allowed')
    const open = tokenLeasesOf(session)
    for (const [i, request] of requests.entries()) {
      const grant = grants[i]
      const one = open.find(({ lease }) => lease.id === request.lease)
      if (grant && one) noteRemaining(one.lease, request, grant)
    }
  }

  /** Notes that a request begins to wait for its tokens. */
  wish(visit: Visit, session: SessionLimits, nowMs: number): Wish {
    const wish = this.covering(visit, session).map(({ policy, lease }) => ({ lease, tokens: policy.cost }))
    for (const { lease, tokens } of wish) beginWait(lease, tokens, nowMs)
    return wish
  }

  unwish(wish: Wish): void {
    for (const { lease, tokens } of wish) endWait(lease, tokens)
  }

  /**
   * Returns the token requests for a session's next renewal. A bucket has one if a request waits for it, or if it has,
   * used or owes tokens.
   */
  requests(session: SessionLimits, nowMs: number): readonly TokenRequest[] {
    return tokenLeasesOf(session)
      .filter(
        ({ lease }) =>
          lease.waiting > 0 || lease.owed > 0 || lease.used > lease.usedBefore || tokensLeft(lease, nowMs) > 0,
      )
      .map(({ policy, lease }) => nextRequest(lease, policy.quota, policy.cost, nowMs))
  }

  note(
    session: SessionLimits,
    requests: readonly TokenRequest[],
    grants: readonly TokenGrant[],
    term: { sentMs: number; leaseMs: number; nowMs: number },
  ): void {
    const open = tokenLeasesOf(session)
    requests.forEach((request, index) => {
      const grant = grants[index]
      const one = open.find(({ lease }) => lease.id === request.lease)
      if (!grant || !one) return
      const { quota } = one.policy
      noteGrant(one.lease, request, boundRefusal(grant, request, quota, term.leaseMs), term)
      const inUse = request.want > 0 && grant.tokens + grant.remaining - request.want < quota.burst * NEAR_SHARE
      if (inUse) this.stats.add(this.policies.indexOf(one.policy), 'near')
    })
  }

  noteNoAnswer(session: SessionLimits, requests: readonly TokenRequest[]): void {
    const open = tokenLeasesOf(session)
    for (const request of requests) {
      const one = open.find(({ lease }) => lease.id === request.lease)
      if (one) noteNoAnswer(one.lease, request)
    }
  }

  /**
   * Charges the cost that the origin reports, which may be more than the one token that was taken. Returns whether the
   * session owes tokens to its door.
   */
  chargeAfterwards(visit: Visit, session: SessionLimits, headers: Headers, nowMs: number): boolean {
    let owes = false
    for (const { policy, lease } of this.covering(visit, session)) {
      if (policy.costHeader === null) continue
      const text = headers.get(policy.costHeader)
      if (text === null || !/^\d{1,9}$/.test(text.trim())) continue
      // One answer costs at most a whole burst, so that a mistake of the origin cannot lock a session out for days.
      const cost = Math.min(Number(text), policy.quota.burst)
      if (cost === 0 && lease.used > lease.usedBefore) lease.used--
      else if (cost > 1) owe(lease, cost - 1, nowMs)
      owes ||= lease.owed > 0
    }
    return owes
  }

  /** Ends a request: its answer has begun, or it did not go on after all. */
  end(session: SessionLimits | undefined, visit: Visit): void {
    if (session) this.#concurrency.end(session, visit)
  }

  /** Counts a final refusal: the request has not waited for its turn, or has waited for too short a time. */
  countRefusal({ policy }: Refusal): void {
    if (policy) this.stats.add(this.policies.indexOf(policy), 'limited')
  }

  /** Returns the policies that cover the request, each with its token lease. */
  covering(visit: Visit, session: SessionLimits): { policy: Policy; lease: TokenLease }[] {
    return this.policies.flatMap((policy, i) =>
      covers(policy, visit) ? [{ policy, lease: tokenLeaseOf(session, i, policy, visit) }] : [],
    )
  }
}
