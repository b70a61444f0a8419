/**
 * Drawn places, of a random line or of an event. An edge takes the HMAC of a secret; a simulation takes a seeded
 * uniform number. The number is the same for every look at the same lot, and lots show no pattern.
 */
import { fnv1a } from '../../src/core/hash.ts'
import { keyIn } from '../../src/core/line/batches.ts'
import { eventLotOf, issueAt, newTicket, withPlace } from '../../src/core/place/tickets.ts'
import type { Snapshot } from '../../src/core/protocol/messages.ts'
import type { Ticket } from '../../src/core/ticket.ts'
import { Random } from './random.ts'

export class Lots {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  newTicket(sid: string, lane: string, snapshot: Snapshot | null, nowMs: number): Ticket {
    const { batch, entry } = issueAt(snapshot, lane, 0, nowMs)
    const key = batch ? keyIn(batch, this.#share(`${batch.fromKey} ${sid}`)) : nowMs
    return newTicket({ room: 'room', sid, lane, key, draw: batch && { ...batch, kid: '' }, entry }, snapshot, nowMs)
  }

  /** Returns the ticket with its place once the draw of its event is done. Before that, returns the same ticket. */
  withPlace(ticket: Ticket, { events }: Snapshot, nowMs: number): Ticket {
    const lot = eventLotOf(ticket, events)
    const key = lot && keyIn(lot.batch, this.#share(`${lot.seed} ${ticket.sid}`))
    return withPlace(ticket, events, key, nowMs)
  }

  /** Uniform in [0, 1), by the generator of the run. */
  #share(text: string): number {
    return new Random(fnv1a(text, this.#seed)).next()
  }
}
