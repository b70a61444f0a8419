/**
 * All visitors of a simulation, in typed arrays. A million visitors take about 100 MB, and no poll creates garbage. The
 * crowd is larger than any processor cache, so a poll costs what it reads: one cache line of each array.
 *
 * A ticket is kept as its fields. `ticket` writes them into one object, which it reuses for every poll. A caller that
 * keeps a ticket longer calls `copyOfTicket`.
 */
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import { DOUBLES, floatsOf, HALVES, newLines, wholeOf } from './lines.ts'
import type { Lots } from './lots.ts'
import { sidOf } from './sids.ts'
import { Stays } from './stays.ts'

/** A cache line of one visitor: four doubles, then eight numbers of half their width. */
const KEY = 0
const BY_MS = 1
const ISSUED_MS = 2
const SEEN_MS = 3

const LOW = 8
const SHOWN = 9
/** Numbers with a fraction, 0 for none: the wait in the ticket, and the wait last shown for this place. */
const WAIT_MS = 10
const WAIT_SHOWN_MS = 11
const PATIENCE = 12
/** The flags below; the bits above them contain the edge. */
const FLAGS = 13
/** Parts of the sid: its door, and when it was made, in milliseconds after the start. */
const DOOR = 14
const MADE_MS = 15

/** More polls than any visitor makes. */
const FOR_EVER = 0x7fff_ffff

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
  /** The same lines three times: as doubles, as 32-bit integers, and as 32-bit floats. */
  readonly #doubles: Float64Array
  readonly #whole: Int32Array
  readonly #floats: Float32Array
  /** A sid is made at its first use: most polls need none. */
  readonly #sids: string[]
  readonly #scratch: { -readonly [Field in keyof Ticket]: Ticket[Field] }
  readonly stays: Stays
  readonly #laneNames: readonly string[]
  /** Each visitor's lane; empty where there is only one lane. */
  readonly #lanes: Uint8Array
  /** The draws that tickets take part in; null where nothing is drawn. */
  readonly #lots: Lots | null

  constructor(size: number, generation: number, laneNames: readonly string[] = [], lots: Lots | null = null) {
    this.#lots = lots
    this.#laneNames = [MAIN_LANE, ...laneNames]
    this.#lanes = new Uint8Array(laneNames.length > 0 ? size : 0)
    this.size = size
    this.#doubles = newLines(size)
    this.#whole = wholeOf(this.#doubles)
    this.#floats = floatsOf(this.#doubles)
    this.#sids = new Array<string>(size).fill('')
    this.#scratch = { ...blank, generation }
    this.stays = new Stays(size)
  }

  /** `polls` is the number of polls before the visitor closes the tab; Infinity for a visitor who stays. */
  arrive(visitor: number, edge: number, polls: number, sleeps: boolean): void {
    const at = visitor * HALVES
    const flags = (sleeps ? SLEEPS | LATE : 0) | (polls < Number.POSITIVE_INFINITY ? LEAVES_EARLY : 0)
    this.#whole[at + PATIENCE] = Math.min(FOR_EVER, polls)
    this.#whole[at + FLAGS] = (edge << EDGE_SHIFT) | flags
  }

  becomesRobot(visitor: number): void {
    this.#set(visitor, ROBOT | LEAVES_EARLY)
  }

  isRobot(visitor: number): boolean {
    return this.#has(visitor, ROBOT)
  }

  /** Returns true once: the visitor throws the ticket away and takes a new one. */
  drops(visitor: number): boolean {
    if (this.#has(visitor, DROPPED)) return false
    this.#set(visitor, DROPPED)
    return true
  }

  /** Puts the visitor into the lane of an invitation. `lane` is the lane's number from 1 on; 0 is the main lane. */
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
    const known = this.#sids[visitor] as string
    if (known !== '') return known
    const at = visitor * HALVES
    const sid = sidOf(this.#whole[at + DOOR] as number, visitor, this.#whole[at + MADE_MS] as number)
    this.#sids[visitor] = sid
    return sid
  }

  /** Gives a new place, with a sid of that door. `madeMs` is after the start. */
  take(visitor: number, door: number, madeMs: number, key: number, nowMs: number): void {
    const at = visitor * HALVES
    this.#sids[visitor] = ''
    this.#whole[at + DOOR] = door
    this.#whole[at + MADE_MS] = madeMs
    this.#place(visitor, key, 0, nowMs)
  }

  /** Gives the place at the front to a visitor whose session has just ended. The door has chosen the sid. */
  takeAgain(visitor: number, sid: string, key: number, byMs: number, nowMs: number): void {
    this.#sids[visitor] = sid
    this.#place(visitor, key, byMs, nowMs)
  }

  /** Clears what was shown before: it belonged to another place. */
  #place(visitor: number, key: number, byMs: number, nowMs: number): void {
    const doubles = visitor * DOUBLES
    this.#doubles[doubles + KEY] = key
    this.#doubles[doubles + BY_MS] = byMs
    this.#doubles[doubles + ISSUED_MS] = nowMs
    const halves = visitor * HALVES
    this.#whole[halves + LOW] = 0
    this.#whole[halves + SHOWN] = 0
    this.#floats[halves + WAIT_MS] = 0
    this.#floats[halves + WAIT_SHOWN_MS] = 0
    this.#unset(visitor, CONFIRMED)
    this.#set(visitor, HAS_TICKET)
  }

  /** The ticket without its sid, which a poll does not need. Valid until the next call. */
  ticket(visitor: number): Ticket {
    const doubles = visitor * DOUBLES
    const halves = visitor * HALVES
    const ticket = this.#scratch
    ticket.key = this.#doubles[doubles + KEY] as number
    ticket.byMs = (this.#doubles[doubles + BY_MS] as number) || null
    ticket.issuedMs = this.#doubles[doubles + ISSUED_MS] as number
    ticket.low = (this.#whole[halves + LOW] as number) || null
    ticket.waitMs = (this.#floats[halves + WAIT_MS] as number) || null
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

  /** Positions begin at 1 and times are long after 0, so 0 can stand for null. */
  keep(visitor: number, ticket: Ticket): void {
    const { key, low, waitMs, byMs, issuedMs, confirmed } = ticket
    this.#lots?.keep(visitor, ticket)
    const doubles = visitor * DOUBLES
    this.#doubles[doubles + KEY] = key
    this.#doubles[doubles + BY_MS] = byMs ?? 0
    this.#doubles[doubles + ISSUED_MS] = issuedMs
    const halves = visitor * HALVES
    this.#whole[halves + LOW] = low ?? 0
    this.#floats[halves + WAIT_MS] = waitMs ?? 0
    if (confirmed) this.#set(visitor, CONFIRMED)
    else this.#unset(visitor, CONFIRMED)
  }

  edge(visitor: number): number {
    return (this.#whole[visitor * HALVES + FLAGS] as number) >> EDGE_SHIFT
  }

  /** Notes that the visitor asked. Returns the time of the previous request, 0 the first time. */
  asks(visitor: number, nowMs: number): number {
    const at = visitor * DOUBLES + SEEN_MS
    const before = this.#doubles[at] as number
    this.#doubles[at] = nowMs
    return before
  }

  /** Notes the position shown. Returns the position shown before, Infinity the first time. */
  shows(visitor: number, position: number): number {
    const at = visitor * HALVES + SHOWN
    const before = this.#whole[at] as number
    this.#whole[at] = position
    return before || Number.POSITIVE_INFINITY
  }

  /** Notes the wait shown for the place. Returns the wait shown before, 0 the first time. */
  showsWait(visitor: number, waitMs: number): number {
    const at = visitor * HALVES + WAIT_SHOWN_MS
    const before = this.#floats[at] as number
    this.#floats[at] = waitMs
    return before
  }

  /** Returns false once the visitor has closed the tab. */
  staysAfterPoll(visitor: number): boolean {
    const at = visitor * HALVES + PATIENCE
    const left = (this.#whole[at] as number) - 1
    this.#whole[at] = left
    return left >= 0
  }

  /** Returns true once for a visitor who sleeps through the call. */
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

  enters(visitor: number, leavesMs: number, expiresMs: number, nowMs: number): void {
    this.#set(visitor, INSIDE)
    this.stays.begin(visitor, leavesMs, expiresMs, nowMs)
  }

  isInside(visitor: number): boolean {
    return this.#has(visitor, INSIDE)
  }

  /** Reads both ends of a visitor's cache line, so that the whole line is in the cache when the poll needs it. */
  fetch(visitor: number): number {
    return (this.#doubles[visitor * DOUBLES + KEY] as number) + (this.#whole[visitor * HALVES + MADE_MS] as number)
  }

  /** Whether the visitor polled when it should, from arrival to admission. */
  isFaithful(visitor: number): boolean {
    return !this.#has(visitor, LATE | LEAVES_EARLY | HAS_MISSED)
  }

  #has(visitor: number, flags: number): boolean {
    return ((this.#whole[visitor * HALVES + FLAGS] as number) & flags) !== 0
  }

  #set(visitor: number, flags: number): void {
    const at = visitor * HALVES + FLAGS
    this.#whole[at] = (this.#whole[at] as number) | flags
  }

  #unset(visitor: number, flags: number): void {
    const at = visitor * HALVES + FLAGS
    this.#whole[at] = (this.#whole[at] as number) & ~flags
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
