/**
 * The requests of admitted visitors under a rate limit, at one of several isolates. Leases
 * (`src/core/limits/token-lease.ts`) and debts (`src/core/limits/ledger.ts`) are the production code. The network
 * between them loses, duplicates and delays messages.
 */
import type { Quota } from '../../src/core/gcra.ts'
import { boundRefusal, noteGrant, noteNoAnswer } from '../../src/core/limits/answers.ts'
import {
  beginWait,
  CALLS_MAX,
  endWait,
  IDLE_LOOK_MS,
  isIdle,
  isWorthReturning,
  newTokenLease,
  nextRequest,
  noteLook,
  owe,
  returnTokens,
  type TokenLease,
} from '../../src/core/limits/token-lease.ts'
import type { Renewal, RenewalAnswer, TokenRequest } from '../../src/core/protocol/messages.ts'
import type { Agenda } from './agenda.ts'
import type { Doors } from './doors.ts'
import { take } from './leases.ts'
import type { Network } from './network.ts'
import { POLICY } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/**
 * The outcome of a request: let through by a lease, refused by the limit, decided by the isolate alone, or its session
 * is over.
 */
export type Outcome = 'enough' | 'refused' | 'alone' | 'gone'

interface Known {
  readonly visitor: Visitor
  readonly sid: string
  readonly lease: TokenLease
  /** Requests before this time need no renewal. */
  untilMs: number
  /** Requests that wait for the renewal under way; null when none is. */
  waiting: ((answer: RenewalAnswer | null) => void)[] | null
}

export class Requests {
  readonly #quota: Quota
  readonly #isolate: string
  readonly #skewMs: number
  readonly #agenda: Agenda
  readonly #network: Network
  readonly #doors: Doors
  readonly #sessions = new Map<string, Known>()
  readonly #watched = new Set<Known>()
  #looks = false
  #leases = 0
  /** The number of renewals that were sent. */
  calls = 0

  constructor(
    quota: Quota,
    { isolate, skewMs }: { readonly isolate: string; readonly skewMs: number },
    { agenda, network }: Surroundings,
    doors: Doors,
  ) {
    this.#quota = quota
    this.#isolate = isolate
    this.#skewMs = skewMs
    this.#agenda = agenda
    this.#network = network
    this.#doors = doors
  }

  /** The token requests that go to the door together with a claim. */
  chargeToClaim(visitor: Visitor, sid: string): readonly TokenRequest[] {
    const { lease } = this.#known(visitor, sid)
    owe(lease, 1, this.#nowMs)
    return [returnTokens(lease, this.#nowMs)]
  }

  /** A claim was refused, so nothing was charged. */
  forget(sid: string): void {
    this.#sessions.delete(sid)
  }

  /** One request of a session. `done` is called once. */
  request(visitor: Visitor, sid: string, done: (outcome: Outcome) => void): void {
    const known = this.#known(visitor, sid)
    const taken = known.untilMs > this.#nowMs ? take(known.lease, this.#nowMs) : 'short'
    if (taken !== 'short') return done(taken)
    beginWait(known.lease, 1, this.#nowMs)
    this.#renewUntilServed(known, 1, outcome => {
      endWait(known.lease, 1)
      done(outcome)
    })
  }

  /** The time by this edge's clock. */
  get #nowMs(): number {
    return this.#agenda.nowMs + this.#skewMs
  }

  #known(visitor: Visitor, sid: string): Known {
    const known = this.#sessions.get(sid)
    if (known) return known
    const name = `${this.#isolate}.${this.#leases++}`
    const made = { visitor, sid, lease: newTokenLease(POLICY, POLICY, this.#quota, name), untilMs: 0, waiting: null }
    this.#sessions.set(sid, made)
    return made
  }

  #renewUntilServed(known: Known, calls: number, done: (outcome: Outcome) => void): void {
    this.#renew(known, answer => {
      if (!answer) return done('alone')
      if (answer.verdict === 'ended') return done('gone')
      const taken = take(known.lease, this.#nowMs)
      if (taken !== 'short') return done(taken)
      if (calls === CALLS_MAX) return done('alone')
      this.#renewUntilServed(known, calls + 1, done)
    })
  }

  /** Requests that come while a renewal of their session is under way share its answer. */
  #renew(known: Known, done: (answer: RenewalAnswer | null) => void): void {
    if (known.waiting) {
      known.waiting.push(done)
      return
    }
    known.waiting = [done]
    const tokenRequests = [nextRequest(known.lease, this.#quota, 1, this.#nowMs)]
    this.#send(known, { sid: known.sid, protectMs: 0, tokenRequests }, answer => {
      const { waiting } = known
      known.waiting = null
      for (const one of waiting ?? []) one(answer)
    })
  }

  #send(known: Known, renewal: Renewal, done: (answer: RenewalAnswer | null) => void): void {
    const sentMs = this.#nowMs
    const [request] = renewal.tokenRequests ?? []
    this.calls++
    this.#network.call<RenewalAnswer>(
      reply => reply(this.#doors.renew(known.visitor, renewal)),
      answer => {
        if (!answer) {
          if (request) noteNoAnswer(known.lease, request)
        } else if (answer.verdict === 'ended') this.#sessions.delete(known.sid)
        else this.#noteLive(known, answer, request, sentMs)
        done(answer)
      },
    )
  }

  #noteLive(
    known: Known,
    answer: RenewalAnswer & { verdict: 'live' },
    request: TokenRequest | undefined,
    sentMs: number,
  ) {
    const { lease } = known
    const { leaseMs, grants } = answer
    known.untilMs = sentMs + leaseMs
    const [grant] = grants ?? []
    if (request && grant)
      noteGrant(lease, request, boundRefusal(grant, request, this.#quota, leaseMs), {
        sentMs,
        leaseMs,
        nowMs: this.#nowMs,
      })
    if (!isWorthReturning(lease, this.#quota, this.#nowMs)) return
    noteLook(lease)
    this.#watched.add(known)
    if (this.#looks) return
    this.#looks = true
    this.#agenda.at(this.#agenda.nowMs + IDLE_LOOK_MS, () => this.#lookForIdle())
  }

  /** Gives back tokens that a session has not used since the last look. */
  #lookForIdle(): void {
    for (const known of this.#watched) {
      const { lease, sid, waiting } = known
      const isKnown = this.#sessions.has(sid)
      if (!isKnown || !isWorthReturning(lease, this.#quota, this.#nowMs)) this.#watched.delete(known)
      const isToReturn = isKnown && !waiting && isIdle(lease, this.#quota, this.#nowMs)
      noteLook(lease)
      if (!isToReturn) continue
      this.#watched.delete(known)
      const tokenRequests = [returnTokens(lease, this.#nowMs)]
      this.#send(known, { sid, protectMs: 0, isReportOnly: true, tokenRequests }, () => undefined)
    }
    this.#looks = this.#watched.size > 0
    if (this.#looks) this.#agenda.at(this.#agenda.nowMs + IDLE_LOOK_MS, () => this.#lookForIdle())
  }
}
