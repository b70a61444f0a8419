/**
 * The sessions of one room at one isolate, and the calls to their doors. A lease is the right to proxy a session's
 * requests without a call.
 */
import type { PlaceLeft, Renewal, RenewalAnswer, TokenRequest } from '../../core/protocol/messages.ts'
import type { OfferAnswer, TakeAnswer, TransferOffer, TransferTake } from '../../core/protocol/transfers.ts'
import { doorOf } from '../../core/ticket.ts'
import type { RequestLimits } from '../limits/limits.ts'
import type { Caller, DoorClient } from './door-client.ts'
import { IdleLeases, returnIdle } from './idle-leases.ts'
import type { Memory, SessionMemory } from './memory.ts'
import { Renewals } from './renewals.ts'

/** After this share of a lease's time, a request renews it in the background. */
const RENEWED_AT = 0.7
/** A debt is reported within 100 ms, together with the debts of other sessions. */
const DEBT_REPORTED_AFTER_MS = 100

export class RoomSessions {
  readonly #memory: Memory
  readonly #limits: RequestLimits
  readonly #doors: DoorClient
  readonly #renewals = new Map<string, Renewals>()
  readonly #idle: IdleLeases

  constructor(memory: Memory, limits: RequestLimits, doors: DoorClient) {
    this.#memory = memory
    this.#limits = limits
    this.#doors = doors
    this.#idle = new IdleLeases(memory, sid => this.#renewalsOf(sid))
  }

  known(sid: string): SessionMemory | undefined {
    const known = this.#memory.sessions.get(sid)
    // The policies have changed. Tokens lent under the old ones are charged when their lease ends.
    if (known && known.limits.policies !== this.#limits.policies) known.limits = this.#limits.newSession()
    return known
  }

  /** Returns this isolate's memory of a session, and creates it if there is none. */
  of(sid: string): SessionMemory {
    const known = this.known(sid)
    if (known) return known
    const limits = this.#limits.newSession()
    const session = {
      untilMs: 0,
      renewMs: 0,
      expiresMs: 0,
      token: '',
      limits,
      samples: {},
      notedWindow: 0,
    }
    this.#memory.sessions.set(sid, session)
    return session
  }

  /** Returns this isolate's memory of a session, even if it is of old policies. */
  peek(sid: string): SessionMemory | undefined {
    return this.#memory.sessions.peek(sid)
  }

  /** Remembers the newest pass of a session, so that parallel requests get the same one. */
  notePass(sid: string, token: string): void {
    const session = this.peek(sid)
    if (session) session.token = token
  }

  drop(sid: string): void {
    this.#memory.sessions.delete(sid)
  }

  renew(caller: Caller, renewal: Renewal): Promise<RenewalAnswer> {
    return this.#renewalsOf(renewal.sid).add(caller, renewal)
  }

  /** Renews a session for which no request waits. */
  renewLater(caller: Caller, renewal: Renewal, note: (answer: RenewalAnswer) => void): void {
    this.#renewalsOf(renewal.sid).addLater(caller, renewal, note)
  }

  /** Reports to the door what a session owes, soon and in the background. */
  reportDebtSoon(caller: Caller, sid: string): void {
    this.renewLater(caller, { sid, protectMs: 0 }, () => undefined)
    const renewals = this.#renewalsOf(sid)
    const sent = new Promise<void>(resolve => setTimeout(resolve, DEBT_REPORTED_AFTER_MS)).then(() =>
      renewals.sendLater(caller),
    )
    caller.waitUntil(sent)
  }

  async end(caller: Caller, sid: string, how: 'left' | 'revoked', place?: PlaceLeft): Promise<boolean> {
    this.drop(sid)
    return this.#doors.call(caller, doorOf(sid), door => door.end(sid, how, place))
  }

  async offerTransfer(caller: Caller, offer: TransferOffer): Promise<OfferAnswer> {
    return this.#doors.call(caller, doorOf(offer.sid), door => door.offerTransfer(offer))
  }

  async takeTransfer(caller: Caller, door: string, take: TransferTake): Promise<TakeAnswer> {
    return this.#doors.call(caller, door, stub => stub.takeTransfer(take))
  }

  async extend(caller: Caller, sid: string, byMs: number): Promise<boolean> {
    const session = this.#memory.sessions.get(sid)
    if (session) session.untilMs = 0
    return this.#doors.call(caller, doorOf(sid), door => door.extend(sid, byMs))
  }

  #renewalsOf(sid: string): Renewals {
    const door = doorOf(sid)
    const known = this.#renewals.get(door)
    if (known) return known
    const renewals = new Renewals((caller, batch) => this.#send(caller, door, batch))
    this.#renewals.set(door, renewals)
    return renewals
  }

  /**
   * Sends renewals. Their token requests are written when the call leaves, because only then is it known how many
   * requests wait.
   */
  async #send(caller: Caller, door: string, batch: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    const sentMs = Date.now()
    const asked = batch.map(renewal => this.#requestsOf(renewal, sentMs))
    const renewals = batch.map((renewal, i) => (asked[i]?.length ? { ...renewal, tokenRequests: asked[i] } : renewal))
    try {
      const answers = await this.#doors.call(caller, door, stub => stub.renew(renewals))
      const nowMs = Date.now()
      for (const [i, { sid }] of batch.entries()) {
        const answer = answers[i]
        if (answer?.verdict === 'live') this.#noteLive(sid, asked[i] ?? [], answer, { sentMs, nowMs })
      }
      this.#idle.watch(caller, nowMs)
      return answers
    } catch (error) {
      for (const [i, { sid }] of batch.entries()) {
        const session = this.peek(sid)
        if (session) this.#limits.noteNoAnswer(session.limits, asked[i] ?? [])
      }
      throw error
    }
  }

  #requestsOf({ sid, isReportOnly }: Renewal, nowMs: number): readonly TokenRequest[] {
    const session = this.peek(sid)
    if (!session || session.limits.policies !== this.#limits.policies) return []
    return isReportOnly ? returnIdle(session.limits, nowMs) : this.#limits.requests(session.limits, nowMs)
  }

  #noteLive(
    sid: string,
    requests: readonly TokenRequest[],
    answer: RenewalAnswer & { verdict: 'live' },
    at: { sentMs: number; nowMs: number },
  ): void {
    const session = this.of(sid)
    // The lease is counted from the sending of the call, so that it never outlasts what the door granted.
    session.untilMs = at.sentMs + answer.leaseMs
    session.renewMs = at.sentMs + answer.leaseMs * RENEWED_AT
    session.expiresMs = answer.expiresMs
    if (!answer.grants) return
    this.#limits.note(session.limits, requests, answer.grants, { ...at, leaseMs: answer.leaseMs })
    this.#idle.note(sid, session.limits, at.nowMs)
  }
}
