/**
 * Everybody in a simulation, in typed arrays: a million visitors are a hundred megabytes, and nothing that a poll makes
 * outlives it.
 *
 * A ticket is kept as its fields. `ticket` writes them into one object that is used again for every poll; who keeps a
 * ticket longer asks for a copy.
 */
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import type { Lots } from './lots.ts'

/** One visitor's numbers fill a line of the processor's cache: a poll of one among a million waits for memory once. */
const FIELDS = 8
const KEY = 0
const LOW = 1
const BY_MS = 2
const ISSUED_MS = 3
const SEEN_MS = 4
const SHOWN = 5
const PATIENCE = 6
/** The flags below, and above them the edge. */
const FLAGS = 7

const HAS_TICKET = 1
const CONFIRMED = 2
const SLEEPS = 4
const LATE = 8
const LEAVES_EARLY = 16
const HAS_MISSED = 32
const INSIDE = 64
const ROBOT = 128
const DROPPED = 256
const EDGE_SHIFT = 9

export class Crowd {
  readonly size: number
  readonly #numbers: Float64Array
  readonly #sids: string[]
  /** Of the tickets: the wait shown last, 0 for none. */
  readonly #waits: Float32Array
  readonly #waitsShown: Float32Array
  readonly #scratch: { -readonly [Field in keyof Ticket]: Ticket[Field] }
  /** When each was admitted by a door that got an answer through, 0 before. */
  readonly admittedMs: Float64Array
  readonly leavesMs: Float64Array
  readonly expiresMs: Float64Array
  readonly #laneNames: readonly string[]
  /** Each visitor's lane; empty where there is only one. */
  readonly #lanes: Uint8Array
  /** What tickets say of draws; null where nothing is drawn. */
  readonly #lots: Lots | null

  constructor(size: number, generation: number, laneNames: readonly string[] = [], lots: Lots | null = null) {
    this.#lots = lots
    this.#laneNames = [MAIN_LANE, ...laneNames]
    this.#lanes = new Uint8Array(laneNames.length > 0 ? size : 0)
    this.size = size
    this.#numbers = new Float64Array(size * FIELDS)
    this.#sids = new Array<string>(size).fill('')
    this.#waits = new Float32Array(size)
    this.#waitsShown = new Float32Array(size)
    this.#scratch = { ...blank, generation }
    this.admittedMs = new Float64Array(size)
    this.leavesMs = new Float64Array(size)
    this.expiresMs = new Float64Array(size)
  }

  /** `polls` is how often somebody asks before closing the tab, Infinity for those who stay. */
  arrive(visitor: number, edge: number, polls: number, sleeps: boolean): void {
    const at = visitor * FIELDS
    const flags = (sleeps ? SLEEPS | LATE : 0) | (polls < Number.POSITIVE_INFINITY ? LEAVES_EARLY : 0)
    this.#numbers[at + PATIENCE] = polls
    this.#numbers[at + FLAGS] = (edge << EDGE_SHIFT) | flags
  }

  becomesRobot(visitor: number): void {
    this.#set(visitor, ROBOT | LEAVES_EARLY)
  }

  isRobot(visitor: number): boolean {
    return this.#has(visitor, ROBOT)
  }

  /** True once: the ticket is thrown away, and a new one will be taken. */
  drops(visitor: number): boolean {
    if (this.#has(visitor, DROPPED)) return false
    this.#set(visitor, DROPPED)
    return true
  }

  /** The lane that an invitation puts the visitor in: a number of its own, 0 for none. */
  invite(visitor: number, lane: number): void {
    this.#lanes[visitor] = lane
  }

  lane(visitor: number): string {
    return this.#laneNames[this.#lanes[visitor] ?? 0] as string
  }

  hasTicket(visitor: number): boolean {
    return this.#has(visitor, HAS_TICKET)
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
    this.#waits[visitor] = 0
    this.#waitsShown[visitor] = 0
    this.#unset(visitor, CONFIRMED)
    this.#set(visitor, HAS_TICKET)
  }

  /** Valid until the next call, and without its sid: a poll needs none. */
  ticket(visitor: number): Ticket {
    const at = visitor * FIELDS
    const numbers = this.#numbers
    const ticket = this.#scratch
    ticket.key = numbers[at + KEY] as number
    ticket.low = (numbers[at + LOW] as number) || null
    ticket.byMs = (numbers[at + BY_MS] as number) || null
    ticket.waitMs = this.#waits[visitor] || null
    ticket.issuedMs = numbers[at + ISSUED_MS] as number
    ticket.lane = this.lane(visitor)
    ticket.confirmed = this.#has(visitor, CONFIRMED)
    if (this.#lots) {
      ticket.draw = this.#lots.drawOf(visitor)
      ticket.entry = this.#lots.entryOf(visitor)
    }
    return ticket
  }

  copyOfTicket(visitor: number): Ticket {
    return { ...this.ticket(visitor), sid: this.sid(visitor) }
  }

  /** Positions begin at 1 and times long after 0, so that 0 can stand for null. */
  keep(visitor: number, ticket: Ticket): void {
    const { key, low, waitMs, byMs, issuedMs, confirmed } = ticket
    const at = visitor * FIELDS
    this.#lots?.keep(visitor, ticket)
    this.#numbers[at + KEY] = key
    this.#numbers[at + LOW] = low ?? 0
    this.#numbers[at + BY_MS] = byMs ?? 0
    this.#numbers[at + ISSUED_MS] = issuedMs
    this.#waits[visitor] = waitMs ?? 0
    if (confirmed) this.#set(visitor, CONFIRMED)
    else this.#unset(visitor, CONFIRMED)
  }

  edge(visitor: number): number {
    return (this.#numbers[visitor * FIELDS + FLAGS] as number) >> EDGE_SHIFT
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

  /** Notes the wait shown for the place; answers the one shown before, 0 the first time. */
  showsWait(visitor: number, waitMs: number): number {
    const before = this.#waitsShown[visitor] as number
    this.#waitsShown[visitor] = waitMs
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
    const falls = this.#has(visitor, SLEEPS)
    if (falls) this.#unset(visitor, SLEEPS)
    return falls
  }

  isLate(visitor: number): boolean {
    return this.#has(visitor, LATE)
  }

  misses(visitor: number): void {
    this.#set(visitor, HAS_MISSED)
  }

  enters(visitor: number, nowMs: number): void {
    this.#set(visitor, INSIDE)
    this.admittedMs[visitor] = nowMs
  }

  isInside(visitor: number): boolean {
    return this.#has(visitor, INSIDE)
  }

  /** Any of a visitor's numbers brings all of them near. */
  fetch(visitor: number): number {
    return this.#numbers[visitor * FIELDS + FLAGS] as number
  }

  /** Polls as told from the arrival to the admission. */
  isFaithful(visitor: number): boolean {
    return !this.#has(visitor, LATE | LEAVES_EARLY | HAS_MISSED)
  }

  #has(visitor: number, flags: number): boolean {
    return ((this.#numbers[visitor * FIELDS + FLAGS] as number) & flags) !== 0
  }

  #set(visitor: number, flags: number): void {
    const at = visitor * FIELDS + FLAGS
    this.#numbers[at] = (this.#numbers[at] as number) | flags
  }

  #unset(visitor: number, flags: number): void {
    const at = visitor * FIELDS + FLAGS
    this.#numbers[at] = (this.#numbers[at] as number) & ~flags
  }
}

const blank: Ticket = {
  room: 'room',
  sid: '',
  key: 0,
  lane: MAIN_LANE,
  confirmed: false,
  low: null,
  waitMs: null,
  byMs: null,
  generation: 0,
  issuedMs: 0,
}
