/**
 * Tickets of visitors who wait for the start of an event. The first edge that reads an entry after the start turns it
 * into a place. Before the start no edge could compute the place.
 */
import { fateOf, undrawnKey } from '../../core/events/draws.ts'
import { prequeueAt } from '../../core/events/events.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { Entry, Ticket } from '../../core/ticket.ts'
import { entryKey } from '../../tokens/draw.ts'

/** Returns the draw that a newcomer takes part in now. Returns null where places are by arrival. */
export function entryAt(view: View | null, nowMs: number): Entry | null {
  const prequeue = prequeueAt(view?.events, nowMs)
  return prequeue && prequeue.draw !== null ? { event: prequeue.event, draw: prequeue.draw } : null
}

/**
 * Returns the ticket as it stands now: with its place once its draw is done, or with a place by arrival when the draw
 * was called off. Such a place is new, and counts when its visitor comes back. Returns the same object when nothing
 * changed.
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
      // Once the seed is public, a script could take a million tickets and keep the luckiest. So only tickets confirmed
      // before the draw take part, and the rest queue behind it.
      const key = ticket.confirmed
        ? await entryKey(entry.seed, ticket.sid, entry.batch)
        : undrawnKey(ticket.key, entry.batch.untilMs)
      return { ...ticket, key, entry: null, confirmed: false }
    }
    case 'void':
      return { ...ticket, entry: null, confirmed: false }
  }
}

/** A visitor may come during the prequeue to an edge that has not learnt of it yet. Such a visitor takes part, too. */
function joined(ticket: Ticket, view: View, nowMs: number): Ticket {
  const isFresh = !ticket.confirmed && ticket.byMs === null && !ticket.draw
  const prequeue = isFresh ? prequeueAt(view.events, nowMs) : null
  const entry = prequeue && ticket.key >= prequeue.fromMs ? entryAt(view, nowMs) : null
  return entry ? { ...ticket, entry } : ticket
}
