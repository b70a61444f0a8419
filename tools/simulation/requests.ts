/**
 * The requests of admitted visitors under a rate limit, at one of several isolates. Leases (`src/core/limits/lease.ts`)
 * and debts (`src/core/limits/ledger.ts`) are the production code. The network between them loses, duplicates and
 * delays messages.
 */
import type { Quota } from '../../src/core/gcra.ts'
import {
  beginWait,
  endWait,
  isWorthReturning,
  newTokenLease,
  nextRequest,
  noteGrant,
  noteNoAnswer,
  owe,
  returnTokens,
  type TokenLease,
} from '../../src/core/limits/lease.ts'
import type { Renewal, RenewalAnswer, TokenRequest } from '../../src/core/protocol/messages.ts'
import type { Agenda } from './agenda.ts'
import type { Doors } from './doors.ts'
import { look, take } from './leases.ts'
import type { Network } from './network.ts'
import { POLICY } from './scenario.ts'
import type { Surroundings } from './surroundings.ts'
import type { Visitor } from './visitor.ts'

/** As in the gate: other requests of the session may take the tokens that this one has asked for, so it asks again. */
const ASKS_MAX = 6
/** An isolate looks for idle sessions this often, while it watches any. */
const IDLE_AFTER_MS = 3_000

/**
 * The outcome of a request: let through by a lease, refused by the limit, decided by the isolate alone, or its session
 * is over.
 */
export type Outcome = 'allowed' | 'limited' | 'alone' | 'gone'

interface Known {
  readonly visitor: Visitor
  readonly sid: string
  readonly lease: TokenLease
  /** Until then requests need no touch. */
  untilMs: number
  /** Requests that wait for the touch under way; null when none is. */
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
  /** Touches sent. */
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
    const taken = known.untilMs > this.#nowMs ? take(known.lease, this.#nowMs) : 'ask'
    if (taken !== 'ask') return done(taken)
    beginWait(known.lease, 1, this.#nowMs)
    this.#ask(known, 1, outcome => {
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

  #ask(known: Known, asks: number, done: (outcome: Outcome) => void): void {
    this.#touch(known, answer => {
      if (!answer) return done('alone')
      if (answer.verdict === 'ended') return done('gone')
      const taken = take(known.lease, this.#nowMs)
      if (taken !== 'ask') return done(taken)
      if (asks === ASKS_MAX) return done('alone')
      this.#ask(known, asks + 1, done)
    })
  }

  /** Requests that come while a touch of their session is under way share its answer. */
  #touch(known: Known, done: (answer: RenewalAnswer | null) => void): void {
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
    if (request && grant) noteGrant(lease, request, grant, { sentMs, leaseMs, nowMs: this.#nowMs })
    if (!isWorthReturning(lease, this.#quota, this.#nowMs)) return
    lease.usedSeen = lease.used
    this.#watched.add(known)
    if (this.#looks) return
    this.#looks = true
    this.#agenda.at(this.#agenda.nowMs + IDLE_AFTER_MS, () => this.#lookForIdle())
  }

  /** Gives back tokens that a session has not used since the last look. */
  #lookForIdle(): void {
    for (const known of this.#watched) {
      const { lease, sid, waiting } = known
      const found = this.#sessions.has(sid) ? look(lease, this.#quota, this.#nowMs) : 'worthless'
      if (found === 'used' || (found === 'idle' && waiting)) continue
      this.#watched.delete(known)
      if (found !== 'idle') continue
      const tokenRequests = [returnTokens(lease, this.#nowMs)]
      this.#send(known, { sid, protectMs: 0, isReportOnly: true, tokenRequests }, () => undefined)
    }
    this.#looks = this.#watched.size > 0
    if (this.#looks) this.#agenda.at(this.#agenda.nowMs + IDLE_AFTER_MS, () => this.#lookForIdle())
  }
}
