/**
 * What admitted visitors ask for under a rate limit, at one of several isolates. Leases (`src/core/limits/lease.ts`) and debts
 * (`src/core/limits/ledger.ts`) are the shipped ones; the network between them loses, doubles and delays.
 */
import type { Quota } from '../../src/core/gcra.ts'
import {
  askOf,
  giveBack,
  type Holding,
  isWorthGivingBack,
  leave,
  newHolding,
  noteGrant,
  noteNoAnswer,
  owe,
  wait,
} from '../../src/core/limits/lease.ts'
import type { Ask, Touch, TouchAnswer } from '../../src/core/protocol/messages.ts'
import type { Agenda } from './agenda.ts'
import { look, take } from './leases.ts'
import type { Network } from './network.ts'

/** The one policy of a simulation, for every request of a session. */
export const POLICY = 'session'
/** As in the gate: others of its session may take what a request has asked for. */
const ASKS_MAX = 6
/** An isolate looks for idle sessions this often while it knows of any. */
const IDLE_AFTER_MS = 3_000

/** What a request came to: let on by a lease, refused by the limit, decided by the isolate alone, or its session is over. */
export type Outcome = 'allowed' | 'limited' | 'alone' | 'gone'

export type AtDoor = (touch: Touch, reply: (answer: TouchAnswer) => void) => void

interface Known {
  readonly holding: Holding
  /** Until when requests need no touch. */
  untilMs: number
  /** Requests that wait for the touch under way; null when there is none. */
  waiting: ((answer: TouchAnswer | null) => void)[] | null
}

export class Requests {
  readonly #quota: Quota
  readonly #isolate: string
  readonly #skewMs: number
  readonly #agenda: Agenda
  readonly #network: Network
  readonly #atDoor: AtDoor
  readonly #sessions = new Map<string, Known>()
  readonly #watched = new Set<string>()
  #looks = false
  #leases = 0
  /** Touches sent. */
  calls = 0

  constructor(
    quota: Quota,
    { isolate, skewMs }: { isolate: string; skewMs: number },
    agenda: Agenda,
    network: Network,
    atDoor: AtDoor,
  ) {
    this.#quota = quota
    this.#isolate = isolate
    this.#skewMs = skewMs
    this.#agenda = agenda
    this.#network = network
    this.#atDoor = atDoor
  }

  /** What the request that comes in with a claim says to the door. */
  claimAsks(sid: string): readonly Ask[] {
    const { holding } = this.#known(sid)
    owe(holding, 1, this.#nowMs)
    return [giveBack(holding, this.#nowMs)]
  }

  /** A claim was refused: nothing was charged. */
  forget(sid: string): void {
    this.#sessions.delete(sid)
  }

  /** One request of a session; `done` hears once. */
  request(sid: string, done: (outcome: Outcome) => void): void {
    const known = this.#known(sid)
    const taken = known.untilMs > this.#nowMs ? take(known.holding, this.#nowMs) : 'ask'
    if (taken !== 'ask') return done(taken)
    wait(known.holding, 1, this.#nowMs)
    this.#ask(sid, known, 1, outcome => {
      leave(known.holding, 1)
      done(outcome)
    })
  }

  /** An edge's clock. */
  get #nowMs(): number {
    return this.#agenda.nowMs + this.#skewMs
  }

  #known(sid: string): Known {
    const known = this.#sessions.get(sid)
    if (known) return known
    const lease = `${this.#isolate}.${this.#leases++}`
    const made = { holding: newHolding(POLICY, POLICY, this.#quota, lease), untilMs: 0, waiting: null }
    this.#sessions.set(sid, made)
    return made
  }

  #ask(sid: string, known: Known, asks: number, done: (outcome: Outcome) => void): void {
    this.#touch(sid, known, answer => {
      if (!answer) return done('alone')
      if (answer.verdict === 'gone') return done('gone')
      const taken = take(known.holding, this.#nowMs)
      if (taken !== 'ask') return done(taken)
      if (asks === ASKS_MAX) return done('alone')
      this.#ask(sid, known, asks + 1, done)
    })
  }

  /** Requests of a session that come while it is asked about share the answer. */
  #touch(sid: string, known: Known, done: (answer: TouchAnswer | null) => void): void {
    if (known.waiting) {
      known.waiting.push(done)
      return
    }
    known.waiting = [done]
    const asks = [askOf(known.holding, this.#quota, 1, this.#nowMs)]
    this.#send(sid, known, { sid, protectMs: 0, asks }, answer => {
      const { waiting } = known
      known.waiting = null
      for (const one of waiting ?? []) one(answer)
    })
  }

  #send(sid: string, known: Known, touch: Touch, done: (answer: TouchAnswer | null) => void): void {
    const sentMs = this.#nowMs
    const [ask] = touch.asks ?? []
    this.calls++
    this.#network.call<TouchAnswer>(
      reply => this.#atDoor(touch, reply),
      answer => {
        if (!answer) {
          if (ask) noteNoAnswer(known.holding, ask)
        } else if (answer.verdict === 'gone') this.#sessions.delete(sid)
        else this.#noteLive(sid, known, answer, ask, sentMs)
        done(answer)
      },
    )
  }

  #noteLive(
    sid: string,
    known: Known,
    answer: TouchAnswer & { verdict: 'live' },
    ask: Ask | undefined,
    sentMs: number,
  ) {
    const { holding } = known
    const { leaseMs, grants } = answer
    known.untilMs = sentMs + leaseMs
    const [grant] = grants ?? []
    if (ask && grant) noteGrant(holding, ask, grant, { sentMs, leaseMs, nowMs: this.#nowMs })
    if (!isWorthGivingBack(holding, this.#quota, this.#nowMs)) return
    holding.usedSeen = holding.used
    this.#watched.add(sid)
    if (this.#looks) return
    this.#looks = true
    this.#agenda.at(this.#agenda.nowMs + IDLE_AFTER_MS, () => this.#lookForIdle())
  }

  /** What a session lets lie is given back some seconds later. */
  #lookForIdle(): void {
    for (const sid of this.#watched) {
      const known = this.#sessions.get(sid)
      const found = known ? look(known.holding, this.#quota, this.#nowMs) : 'worthless'
      if (!known || found === 'worthless') this.#watched.delete(sid)
      else if (found === 'idle' && !known.waiting) {
        this.#watched.delete(sid)
        this.#send(
          sid,
          known,
          { sid, protectMs: 0, isIdle: true, asks: [giveBack(known.holding, this.#nowMs)] },
          () => undefined,
        )
      }
    }
    this.#looks = this.#watched.size > 0
    if (this.#looks) this.#agenda.at(this.#agenda.nowMs + IDLE_AFTER_MS, () => this.#lookForIdle())
  }
}
