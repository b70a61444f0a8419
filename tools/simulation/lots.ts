/**
 * Drawn places, of a random line or of an event. An edge takes the HMAC of a secret; a simulation takes a seeded
 * uniform number. The number is the same for every look at the same lot, and lots show no pattern.
 */

import { type DrawsView, fateOf, undrawnKey } from '../../src/core/events/draws.ts'
import { prequeueAt } from '../../src/core/events/events.ts'
import { fnv1a } from '../../src/core/hash.ts'
import { batchAt, keyIn } from '../../src/core/line/batches.ts'
import type { View } from '../../src/core/protocol/messages.ts'
import { MAIN_LANE, type Ticket } from '../../src/core/ticket.ts'
import { Random } from './random.ts'

/** A place as it is taken. It must not be shown before `secretUntilMs`. */
export interface Taken extends Required<Pick<Ticket, 'key' | 'draw' | 'entry'>> {
  readonly secretUntilMs: number
}

export class Lots {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Returns a newcomer's place, as an edge with this view gives it. Event draws cover only the main lane. */
  take(sid: string, lane: string, { batches, events }: View, atMs: number): Taken {
    const prequeue = prequeueAt(events, atMs)
    if (prequeue) {
      const { event, draw, startMs } = prequeue
      const isDrawn = draw !== null && lane === MAIN_LANE
      return { key: atMs, draw: null, entry: isDrawn ? { event, draw } : null, secretUntilMs: isDrawn ? startMs : 0 }
    }
    if (!batches) return { key: atMs, draw: null, entry: null, secretUntilMs: 0 }
    const batch = batchAt(batches, atMs)
    const key = keyIn(batch, this.#share(`${batch.fromKey} ${sid}`))
    return { key, draw: { ...batch, kid: '' }, entry: null, secretUntilMs: batch.untilMs }
  }

  /**
   * Returns the ticket with its place once its draw is done; its arrival is the place if the draw was called off.
   * Before that, returns the same ticket.
   */
  withPlace(ticket: Ticket, events: DrawsView | null | undefined): Ticket {
    if (!ticket.entry) return ticket
    const entry = fateOf(ticket.entry.draw, events)
    if (entry.fate === 'waits') return ticket
    if (entry.fate === 'void') return { ...ticket, entry: null, confirmed: false }
    const key = ticket.confirmed
      ? keyIn(entry.batch, this.#share(`${entry.seed} ${ticket.sid}`))
      : undrawnKey(ticket.key, entry.batch.untilMs)
    return { ...ticket, key, entry: null, confirmed: false }
  }

  /** Uniform in [0, 1), by the generator of the run. */
  #share(text: string): number {
    return new Random(fnv1a(text, this.#seed)).next()
  }
}
