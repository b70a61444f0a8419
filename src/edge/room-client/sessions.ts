/**
 * What an isolate remembers of the sessions of one room, and what it asks their doors: a lease is the right to proxy a session's
 * requests without asking.
 */
import type { Ask, PlaceLeft, Touch, TouchAnswer } from '../../core/protocol/messages.ts'
import { doorOf } from '../../core/ticket.ts'
import type { Limits } from '../limits/limits.ts'
import type { Caller, Doors } from './door-client.ts'
import { IdleLeases, whatLiesIdle } from './idle-leases.ts'
import type { Lease, Memory } from './memory.ts'
import { Touches } from './renewals.ts'

/** The share of a lease after which it is renewed in passing. */
const RENEWED_AT = 0.7
/** What a session owes is told within this, with what others owe. */
const SETTLED_AFTER_MS = 100

export class SessionLeases {
  readonly #memory: Memory
  readonly #limits: Limits
  readonly #doors: Doors
  readonly #touches = new Map<string, Touches>()
  readonly #idle: IdleLeases

  constructor(memory: Memory, limits: Limits, doors: Doors) {
    this.#memory = memory
    this.#limits = limits
    this.#doors = doors
    this.#idle = new IdleLeases(memory, sid => this.#touchesOf(sid))
  }

  known(sid: string): Lease | undefined {
    const known = this.#memory.leases.get(sid)
    // Other policies: what was lent by the old ones is charged at its end.
    if (known && known.limits.policies !== this.#limits.policies) known.limits = this.#limits.newSession()
    return known
  }

  /** What this isolate remembers of a session; made when there is nothing yet. */
  of(sid: string): Lease {
    const known = this.known(sid)
    if (known) return known
    const limits = this.#limits.newSession()
    const lease = {
      untilMs: 0,
      renewMs: 0,
      expiresMs: 0,
      token: '',
      limits,
      sampledWindow: 0,
      complainedWindow: 0,
      toldWindow: 0,
      samples: 0,
    }
    this.#memory.leases.set(sid, lease)
    return lease
  }

  touch(caller: Caller, touch: Touch): Promise<TouchAnswer> {
    return this.#touchesOf(touch.sid).ask(caller, touch)
  }

  /** A touch for which no request waits. */
  touchLater(caller: Caller, touch: Touch, note: (answer: TouchAnswer) => void): void {
    this.#touchesOf(touch.sid).askLater(caller, touch, note)
  }

  /** Tells the door what a session owes, soon, and in the background. */
  settleLater(caller: Caller, sid: string): void {
    this.touchLater(caller, { sid, protectMs: 0 }, () => undefined)
    const touches = this.#touchesOf(sid)
    const sent = new Promise<void>(resolve => setTimeout(resolve, SETTLED_AFTER_MS)).then(() =>
      touches.sendLater(caller),
    )
    caller.waitUntil(sent)
  }

  async end(caller: Caller, sid: string, how: 'left' | 'revoked', place?: PlaceLeft): Promise<boolean> {
    this.#memory.leases.delete(sid)
    return this.#doors.call(caller, doorOf(sid), door => door.end(sid, how, place))
  }

  async extend(caller: Caller, sid: string, byMs: number): Promise<boolean> {
    const lease = this.#memory.leases.get(sid)
    if (lease) lease.untilMs = 0
    return this.#doors.call(caller, doorOf(sid), door => door.extend(sid, byMs))
  }

  #touchesOf(sid: string): Touches {
    const door = doorOf(sid)
    const known = this.#touches.get(door)
    if (known) return known
    const touches = new Touches((caller, batch) => this.#send(caller, door, batch))
    this.#touches.set(door, touches)
    return touches
  }

  /** What sessions ask for is written when the call leaves: by then it is known how many requests wait. */
  async #send(caller: Caller, door: string, batch: readonly Touch[]): Promise<readonly TouchAnswer[]> {
    const sentMs = Date.now()
    const asked = batch.map(touch => this.#asksOf(touch, sentMs))
    const touches = batch.map((touch, i) => (asked[i]?.length ? { ...touch, asks: asked[i] } : touch))
    try {
      const answers = await this.#doors.call(caller, door, stub => stub.touch(touches))
      const nowMs = Date.now()
      for (const [i, { sid }] of batch.entries()) {
        const answer = answers[i]
        if (answer?.verdict === 'live') this.#noteLive(sid, asked[i] ?? [], answer, { sentMs, nowMs })
      }
      this.#idle.watch(caller, nowMs)
      return answers
    } catch (error) {
      for (const [i, { sid }] of batch.entries()) {
        const lease = this.#memory.leases.peek(sid)
        if (lease) this.#limits.noteNoAnswer(lease.limits, asked[i] ?? [])
      }
      throw error
    }
  }

  #asksOf({ sid, isIdle }: Touch, nowMs: number): readonly Ask[] {
    const lease = this.#memory.leases.peek(sid)
    if (!lease || lease.limits.policies !== this.#limits.policies) return []
    return isIdle ? whatLiesIdle(lease.limits, nowMs) : this.#limits.asks(lease.limits, nowMs)
  }

  #noteLive(
    sid: string,
    asks: readonly Ask[],
    answer: TouchAnswer & { verdict: 'live' },
    at: { sentMs: number; nowMs: number },
  ): void {
    const lease = this.of(sid)
    // The lease runs from when the question was sent: it must not outlast what the door meant.
    lease.untilMs = at.sentMs + answer.leaseMs
    lease.renewMs = at.sentMs + answer.leaseMs * RENEWED_AT
    lease.expiresMs = answer.expiresMs
    if (!answer.grants) return
    this.#limits.note(lease.limits, asks, answer.grants, { ...at, leaseMs: answer.leaseMs })
    this.#idle.note(sid, lease.limits, at.nowMs)
  }
}
