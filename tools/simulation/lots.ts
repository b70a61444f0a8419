/**
 * Drawn places, of a random line or of an event. An edge takes the HMAC of a secret; a simulation takes a seeded
 * uniform number. The number is the same for every look at the same lot, and lots show no pattern.
 */

import { type DrawsView, type EntryFate, fateOf, undrawnKey } from '../../src/core/events/draws.ts'
import { prequeueAt } from '../../src/core/events/events.ts'
import { fnv1a } from '../../src/core/hash.ts'
import { batchAt, keyIn } from '../../src/core/line/batches.ts'
import type { View } from '../../src/core/protocol/messages.ts'
import { type Batch, type Draw, type Entry, MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import { Random } from './random.ts'

/** Four numbers for each ticket: its batch while the place is secret, its entry, and when its place may be shown. */
const FIELDS = 4
const FROM_KEY = 0
const UNTIL_MS = 1
const ENTRY = 2
const SECRET_UNTIL_MS = 3

/** A place as it is taken: its key, and the draw that the ticket takes part in. */
interface Taken {
  readonly key: number
  readonly batch: Batch | null
  readonly entry: { readonly draw: number; readonly startMs: number } | null
}

export class Lots {
  readonly #seed: number
  readonly #numbers: Float64Array

  constructor(seed: number, tickets: number) {
    this.#seed = seed
    this.#numbers = new Float64Array(tickets * FIELDS)
  }

  /**
   * Returns the key of a newcomer's place, as an edge with this view gives it. Event draws cover only the main lane.
   */
  take(visitor: number, sid: string, lane: string, view: View, atMs: number): number {
    const taken = this.#placeAt(sid, lane, view, atMs)
    const at = visitor * FIELDS
    this.#numbers[at + FROM_KEY] = taken.batch?.fromKey ?? 0
    this.#numbers[at + UNTIL_MS] = taken.batch?.untilMs ?? 0
    this.#numbers[at + ENTRY] = taken.entry?.draw ?? 0
    this.#numbers[at + SECRET_UNTIL_MS] = taken.batch?.untilMs ?? taken.entry?.startMs ?? 0
    return taken.key
  }

  /** Marks a place that is not drawn: a session that has just ended got it. */
  clear(visitor: number): void {
    this.#numbers.fill(0, visitor * FIELDS, (visitor + 1) * FIELDS)
  }

  drawOf(visitor: number): Draw | null {
    const untilMs = this.#numbers[visitor * FIELDS + UNTIL_MS] as number
    return untilMs === 0 ? null : { fromKey: this.#numbers[visitor * FIELDS + FROM_KEY] as number, untilMs, kid: '' }
  }

  entryOf(visitor: number): Entry | null {
    const draw = this.#numbers[visitor * FIELDS + ENTRY] as number
    return draw === 0 ? null : { event: '', draw }
  }

  /** Notes the draw and the entry of a ticket after a poll. */
  keep(visitor: number, { draw, entry }: Ticket): void {
    if (!draw) this.#numbers[visitor * FIELDS + UNTIL_MS] = 0
    if (!entry) this.#numbers[visitor * FIELDS + ENTRY] = 0
  }

  /** The place must not be shown before this time. */
  secretUntilMs(visitor: number): number {
    return this.#numbers[visitor * FIELDS + SECRET_UNTIL_MS] as number
  }

  /**
   * Returns the ticket with its place once its draw is done; its arrival is the place if the draw was called off.
   * Before that, returns the same ticket.
   */
  withPlace(ticket: Ticket, sid: string, events: DrawsView): Ticket {
    if (!ticket.entry) return ticket
    const entry = fateOf(ticket.entry.draw, events)
    if (entry.fate === 'waits') return ticket
    return { ...ticket, key: this.#keyOf(ticket, entry, sid), entry: null, confirmed: false }
  }

  #keyOf({ key, confirmed }: Ticket, entry: EntryFate, sid: string): number {
    if (entry.fate !== 'drawn') return key
    return confirmed ? keyIn(entry.batch, this.#share(`${entry.seed} ${sid}`)) : undrawnKey(key, entry.batch.untilMs)
  }

  #placeAt(sid: string, lane: string, { batches, events }: View, atMs: number): Taken {
    const prequeue = prequeueAt(events, atMs)
    if (prequeue) {
      const { draw, startMs } = prequeue
      const entry = draw !== null && lane === MAIN_LANE ? { draw, startMs } : null
      return { key: atMs, batch: null, entry }
    }
    if (!batches) return { key: atMs, batch: null, entry: null }
    const batch = batchAt(batches, atMs)
    return { key: keyIn(batch, this.#share(`${batch.fromKey} ${sid}`)), batch, entry: null }
  }

  /** Uniform in [0, 1), by the generator of the run. */
  #share(text: string): number {
    return new Random(fnv1a(text, this.#seed)).next()
  }
}
