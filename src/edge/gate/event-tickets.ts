/**
 * Tickets of those who wait for the start of an event. An entry becomes a place at the first edge that reads it after the start; until
 * then no edge could compute one.
 */
import { fateOf, undrawnKey } from '../../core/events/draws.ts'
import { prequeueAt } from '../../core/events/events.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { Entry, Ticket } from '../../core/ticket.ts'
import { entryKey } from '../../tokens/draw.ts'

/** What a newcomer of this moment takes part in: null where places are by arrival. */
export function entryAt(view: View | null, nowMs: number): Entry | null {
  const prequeue = prequeueAt(view?.events, nowMs)
  return prequeue && prequeue.draw !== null ? { event: prequeue.event, draw: prequeue.draw } : null
}

/**
 * The ticket as it stands now: with its place once its draw is done, by its arrival when the draw was called off. Its place is new
 * then, and is counted like any other when its visitor comes back. The very same object when nothing changed.
 */
export async function withPlace(ticket: Ticket, view: View, nowMs: number): Promise<Ticket> {
  // A view without events is older than the ticket.
  if (!view.events) return ticket
  if (!ticket.entry) return joined(ticket, view, nowMs)
  const entry = fateOf(ticket.entry.draw, view.events)
  switch (entry.fate) {
    case 'waits':
      return ticket
    case 'drawn': {
      // Anybody can take a million tickets, and find the best once the seed is out: only who came back before it is drawn. The others came late.
      const key = ticket.confirmed
        ? await entryKey(entry.seed, ticket.sid, entry.batch)
        : undrawnKey(ticket.key, entry.batch.untilMs)
      return { ...ticket, key, entry: null, confirmed: false }
    }
    case 'void':
      return { ...ticket, entry: null, confirmed: false }
  }
}

/** Somebody came during the prequeue to an edge that had not heard of it: takes part like everybody else. */
function joined(ticket: Ticket, view: View, nowMs: number): Ticket {
  const isFresh = !ticket.confirmed && ticket.byMs === null && !ticket.draw
  const prequeue = isFresh ? prequeueAt(view.events, nowMs) : null
  const entry = prequeue && ticket.key >= prequeue.fromMs ? entryAt(view, nowMs) : null
  return entry ? { ...ticket, entry } : ticket
}
