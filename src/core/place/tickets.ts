/**
 * New tickets, entries in the draw of an event, and how a ticket is counted in the line. The caller draws: a place is
 * drawn with a secret, or with the seed of an event.
 */
import { fateOf, undrawnKey } from '../events/draws.ts'
import { type EventsSnapshot, prequeueAt } from '../events/events.ts'
import { arrivalBucketOf } from '../line/arrivals.ts'
import { batchAt } from '../line/batches.ts'
import type { Snapshot } from '../protocol/messages.ts'
import { type Batch, type Entry, MAIN_LANE, NO_GENERATION, type Ticket } from '../ticket.ts'
import { solved } from './challenge.ts'

/**
 * How the place of a new ticket is found: it is drawn in `batch`, or drawn later as an `entry` of an event, or by
 * arrival.
 */
export interface Issue {
  readonly batch: Batch | null
  readonly entry: Entry | null
  /** A place by arrival is this much later than the arrival. */
  readonly behindMs: number
}

/** The draw that gives a ticket its place: the seed of an event, and the keys of its visitors. */
interface Lot {
  readonly seed: string
  readonly batch: Batch
}

type NewTicket = Pick<Ticket, 'room' | 'sid' | 'lane' | 'key'> &
  Partial<Pick<Ticket, 'draw' | 'entry' | 'takenMs' | 'byMs' | 'referrer' | 'challenge'>>

/**
 * Returns how a new ticket gets its place. `behindMs` puts a place by arrival that much later, if a session was ended
 * with a debt. Outside the main lane there is no draw for an event: an invited visitor gets a place by arrival, and
 * waits for the start.
 */
export function issueAt(snapshot: Snapshot | null, lane: string, behindMs: number, nowMs: number): Issue {
  if (snapshot && prequeueAt(snapshot.events, nowMs))
    return { batch: null, entry: lane === MAIN_LANE ? entryAt(snapshot.events, nowMs) : null, behindMs: 0 }
  return { batch: snapshot?.batches ? batchAt(snapshot.batches, nowMs) : null, entry: null, behindMs }
}

export function newTicket(place: NewTicket, snapshot: Snapshot | null, nowMs: number): Ticket {
  const generation = snapshot?.generation ?? NO_GENERATION
  return { confirmed: false, low: null, byMs: null, ...place, generation, issuedMs: nowMs }
}

/**
 * Returns the draw that gives a ticket its key now, or null. Once the seed is public, a script could take a million
 * tickets and keep the luckiest. So only tickets confirmed before the draw take part, and the rest queue behind it.
 */
export function eventLotOf({ entry, confirmed }: Ticket, events: EventsSnapshot | null | undefined): Lot | null {
  const fate = entry && confirmed ? fateOf(entry.draw, events) : null
  return fate?.fate === 'drawn' ? { seed: fate.seed, batch: fate.batch } : null
}

/**
 * Returns the ticket as it stands now. If its draw is done, it has its place; if the draw was called off, it has a
 * place by arrival. Such a place is new, and counts when its visitor comes back. Returns the same object if nothing
 * changed. `drawnKey` is the key that `eventLotOf` gives, or null without one.
 */
export function withPlace(
  ticket: Ticket,
  events: EventsSnapshot | null | undefined,
  drawnKey: number | null,
  nowMs: number,
): Ticket {
  // A snapshot without events is older than the ticket.
  if (!events) return ticket
  if (!ticket.entry) return joined(ticket, events, nowMs)
  const fate = fateOf(ticket.entry.draw, events)
  if (fate.fate === 'waits') return ticket
  const key = fate.fate === 'drawn' ? (drawnKey ?? undrawnKey(ticket.key, fate.batch.untilMs)) : ticket.key
  // A confirmed entry has solved its challenge, if there was one.
  return { ...(ticket.confirmed && ticket.challenge ? solved(ticket) : ticket), key, entry: null, confirmed: false }
}

/** Returns the counter of a confirmed ticket. An entry counts once as an entry, and once as the place it becomes. */
export function counterOf({ entry, lane, key }: Ticket): string {
  return entry ? `entry/${entry.draw}` : `line/${lane}/${arrivalBucketOf(key)}`
}

/** Returns the counter of a place that was given up, or null for one that the line does not contain. */
export function goneCounterOf({ confirmed, entry, lane, key }: Ticket): string | null {
  return confirmed && !entry ? `gone/${lane}/${arrivalBucketOf(key)}` : null
}

/**
 * During the prequeue a visitor may come to an edge that does not know of it yet. Such a visitor takes part in the
 * draw, too.
 */
function joined(ticket: Ticket, events: EventsSnapshot, nowMs: number): Ticket {
  const isFresh = !ticket.confirmed && ticket.byMs === null && !ticket.draw
  const prequeue = isFresh ? prequeueAt(events, nowMs) : null
  const entry = prequeue && ticket.key >= prequeue.fromMs ? entryAt(events, nowMs) : null
  return entry ? { ...ticket, entry } : ticket
}

/** Returns the draw in which a newcomer takes part now. Returns null if places are given by arrival. */
function entryAt(events: EventsSnapshot | null | undefined, nowMs: number): Entry | null {
  const prequeue = prequeueAt(events, nowMs)
  return prequeue && prequeue.draw !== null ? { event: prequeue.event, draw: prequeue.draw } : null
}
