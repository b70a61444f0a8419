/**
 * Everybody in a simulation, in typed arrays: a million visitors are a hundred megabytes, and nothing a poll does survives it.
 *
 * A ticket is kept as its fields. `ticket` writes them into one object that is used again for every poll; who keeps a
 * ticket longer asks for a copy.
 */
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'

/** One visitor's numbers lie side by side, for a poll reads nearly all of them. */
const FIELDS = 8
const KEY = 0
const LOW = 1
const BY_MS = 2
const ISSUED_MS = 3
const SEEN_MS = 4
const SHOWN = 5
const PATIENCE = 6
const EDGE = 7

const CONFIRMED = 1
const SLEEPS = 2
const LATE = 4
const LEAVES_EARLY = 8
const HAS_MISSED = 16

export class Crowd {
  readonly size: number
  readonly #numbers: Float64Array
  readonly #flags: Uint8Array
  readonly #sids: string[]
  readonly #generation: number
  readonly #scratch: { -readonly [Field in keyof Ticket]: Ticket[Field] }
  /** When each was admitted by a door that got an answer through, 0 before. */
  readonly admittedMs: Float64Array
  readonly leavesMs: Float64Array
  readonly expiresMs: Float64Array

  constructor(size: number, generation: number) {
    this.size = size
    this.#numbers = new Float64Array(size * FIELDS)
    this.#flags = new Uint8Array(size)
    this.#sids = new Array<string>(size).fill('')
    this.#generation = generation
    this.#scratch = { ...blank, generation }
    this.admittedMs = new Float64Array(size)
    this.leavesMs = new Float64Array(size)
    this.expiresMs = new Float64Array(size)
  }

  /** `polls` is how often somebody asks before closing the tab, Infinity for those who stay. */
  arrive(visitor: number, edge: number, polls: number, sleeps: boolean): void {
    const at = visitor * FIELDS
    this.#numbers[at + EDGE] = edge
    this.#numbers[at + PATIENCE] = polls
    this.#flags[visitor] = (sleeps ? SLEEPS | LATE : 0) | (polls < Number.POSITIVE_INFINITY ? LEAVES_EARLY : 0)
  }

  hasTicket(visitor: number): boolean {
    return this.#sids[visitor] !== ''
  }

  sid(visitor: number): string {
    return this.#sids[visitor] as string
  }

  /** A new place. Whatever was shown before belonged to another one. */
  take(visitor: number, sid: string, key: number, byMs: number | null, nowMs: number): void {
    const at = visitor * FIELDS
    this.#sids[visitor] = sid
    this.#numbers[at + KEY] = key
    this.#numbers[at + LOW] = 0
    this.#numbers[at + BY_MS] = byMs ?? 0
    this.#numbers[at + ISSUED_MS] = nowMs
    this.#numbers[at + SHOWN] = Number.POSITIVE_INFINITY
    this.#flags[visitor] = (this.#flags[visitor] as number) & ~CONFIRMED
  }

  /** Valid until the next call. */
  ticket(visitor: number): Ticket {
    const at = visitor * FIELDS
    const numbers = this.#numbers
    const ticket = this.#scratch
    ticket.sid = this.#sids[visitor] as string
    ticket.key = numbers[at + KEY] as number
    ticket.low = (numbers[at + LOW] as number) || null
    ticket.byMs = (numbers[at + BY_MS] as number) || null
    ticket.issuedMs = numbers[at + ISSUED_MS] as number
    ticket.confirmed = ((this.#flags[visitor] as number) & CONFIRMED) !== 0
    return ticket
  }

  copyOfTicket(visitor: number): Ticket {
    return { ...this.ticket(visitor), generation: this.#generation }
  }

  /** Positions begin at 1 and times long after 0, so that 0 can stand for null. */
  keep(visitor: number, { low, byMs, issuedMs, confirmed }: Ticket): void {
    const at = visitor * FIELDS
    this.#numbers[at + LOW] = low ?? 0
    this.#numbers[at + BY_MS] = byMs ?? 0
    this.#numbers[at + ISSUED_MS] = issuedMs
    if (confirmed) this.#flags[visitor] = (this.#flags[visitor] as number) | CONFIRMED
  }

  edge(visitor: number): number {
    return this.#numbers[visitor * FIELDS + EDGE] as number
  }

  /** Notes that the visitor asked; answers when it did so last, 0 the first time. */
  asks(visitor: number, nowMs: number): number {
    const at = visitor * FIELDS + SEEN_MS
    const before = this.#numbers[at] as number
    this.#numbers[at] = nowMs
    return before
  }

  /** Notes the position shown; answers the one shown before, Infinity the first time. */
  shows(visitor: number, position: number): number {
    const at = visitor * FIELDS + SHOWN
    const before = this.#numbers[at] as number
    this.#numbers[at] = position
    return before
  }

  /** False once the visitor has closed the tab. */
  staysAfterPoll(visitor: number): boolean {
    const at = visitor * FIELDS + PATIENCE
    const left = (this.#numbers[at] as number) - 1
    this.#numbers[at] = left
    return left >= 0
  }

  /** True once, for those who sleep through their call. */
  fallsAsleep(visitor: number): boolean {
    const flags = this.#flags[visitor] as number
    this.#flags[visitor] = flags & ~SLEEPS
    return (flags & SLEEPS) !== 0
  }

  misses(visitor: number): void {
    this.#flags[visitor] = (this.#flags[visitor] as number) | HAS_MISSED
  }

  /** Polls as told from the arrival to the admission. */
  isFaithful(visitor: number): boolean {
    return ((this.#flags[visitor] as number) & (LATE | LEAVES_EARLY | HAS_MISSED)) === 0
  }
}

const blank: Ticket = {
  room: 'room',
  sid: '',
  key: 0,
  lane: MAIN_LANE,
  confirmed: false,
  low: null,
  byMs: null,
  generation: 0,
  issuedMs: 0,
}
