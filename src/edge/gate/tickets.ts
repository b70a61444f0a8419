/** Places for newcomers and for returning visitors, and when a place counts in the line. */
import { base64url } from 'jose'
import { prequeueAt } from '../../core/events/events.ts'
import { bucketOf } from '../../core/line/arrivals.ts'
import { batchAt } from '../../core/line/batches.ts'
import { keyAgain } from '../../core/place/place.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { Again } from '../../core/session.ts'
import { inGeneration, MAIN_LANE, NO_GENERATION, placeIdOf, type Ticket } from '../../core/ticket.ts'
import { TICKET_FOR_SECONDS } from '../../tokens/tokens.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'
import { entryAt } from './event-tickets.ts'

/** Counts a ticket in the line, once per isolate and place. */
export function confirm(visit: Visit, room: RoomClient, ticket: Ticket): void {
  // An entry in a draw counts once as an entry, and once more as the place that it becomes.
  const place = placeIdOf(ticket)
  const once = ticket.entry ? `${ticket.entry.draw}/${place}` : place
  if (!room.places.countOnce(once)) return
  room.count(ticket.entry ? `entry/${ticket.entry.draw}` : `line/${ticket.lane}/${bucketOf(ticket.key)}`)
  room.sync.report(visit)
}

/**
 * Returns the ticket of a newcomer: a place by arrival, a place drawn in the batch of this moment, or an entry in the
 * draw of an event. A valid invitation sets the lane, and may set the sid.
 *
 * `behindMs` puts a place by arrival that much later, for a visitor whose session was ended with a debt. Outside the
 * main lane there is no draw for an event: an invited visitor gets a place by arrival, and waits for the start.
 */
export async function mint(
  visit: Visit,
  room: RoomClient,
  view: View | null,
  invited: Invited,
  behindMs = 0,
): Promise<Ticket> {
  const invitation = invited.kind === 'valid' ? invited.invitation : null
  const sid = invitation?.sid ?? newSid(room, visit)
  const lane = invitation && hasLane(room, invitation.lane) ? invitation.lane : MAIN_LANE
  const taken = invitation?.sid ? { takenMs: visit.nowMs } : {}
  if (view && prequeueAt(view.events, visit.nowMs)) {
    const ticket = { ...newTicket(visit, room, sid, room.keyAt(visit.nowMs), null, view), lane, ...taken }
    return lane === MAIN_LANE ? { ...ticket, entry: entryAt(view, visit.nowMs) } : ticket
  }
  const batches = view?.batches
  const drawn = batches ? await room.tokens.draw(sid, batchAt(batches, visit.nowMs)) : null
  const ticket = newTicket(visit, room, sid, drawn?.key ?? room.keyAt(visit.nowMs) + behindMs, null, view)
  return { ...ticket, lane, draw: drawn?.draw ?? null, ...taken }
}

/**
 * Returns the place of a visitor whose session is over. Returns null when the visitor gets a place like any newcomer.
 */
export function placeAfter(visit: Visit, room: RoomClient, id: string): Ticket | null {
  const ended = room.ended.find(id, visit.nowMs)
  const next = ended?.next && room.view ? inGeneration(ended.next, room.view.generation) : null
  if (next && !room.places.hasLeft(next)) return next
  return ended?.again ? ticketAgain(visit, room, ended.again) : null
}

/** Returns the place at the front for a visitor whose session has ended a moment ago. */
function ticketAgain(visit: Visit, room: RoomClient, again: Again): Ticket {
  const { lane } = again
  const key = keyAgain(again.key, lane, room.view)
  return { ...newTicket(visit, room, again.sid, key, visit.nowMs + room.settings.claimWindowMs, room.view), lane }
}

function newTicket(
  visit: Visit,
  room: RoomClient,
  sid: string,
  key: number,
  byMs: number | null,
  view: View | null,
): Ticket {
  return {
    room: room.name,
    sid,
    key,
    lane: MAIN_LANE,
    confirmed: false,
    low: null,
    byMs,
    generation: view?.generation ?? NO_GENERATION,
    issuedMs: visit.nowMs,
  }
}

/** Returns a new sid: the door that will keep this visitor's session, and 128 random bits. */
export function newSid(room: RoomClient, visit: Visit): string {
  return `${room.doorFor(visit)}.${base64url.encode(crypto.getRandomValues(new Uint8Array(16)))}`
}

/**
 * Counts a ticket out of the line, because its visitor now has a place in another lane. Counts it once per isolate: a
 * visitor who shows the old ticket again must not remove others who came at the same moment.
 */
export function giveUp(room: RoomClient, ticket: Ticket): void {
  const once = `gone ${ticket.sid} ${ticket.key}`
  if (!room.places.countOnce(once)) return
  room.count('changed_lanes')
  if (ticket.confirmed && !ticket.entry) room.count(`gone/${ticket.lane}/${bucketOf(ticket.key)}`)
}

/**
 * Gives a place up for good. Its door refuses the ticket from then on, this isolate ignores it, and the line is shorter
 * by one. The door keeps one row until no ticket of the place can be called.
 */
export async function leaveLine(visit: Visit, room: RoomClient, ticket: Ticket): Promise<void> {
  const { sid, key, lane, takenMs, entry, confirmed } = ticket
  room.places.noteLeft(ticket)
  // An entry gets its place later, at the latest when its ticket expires.
  const lastKey = entry ? visit.nowMs + TICKET_FOR_SECONDS * 1_000 : key
  const taken = takenMs === undefined ? {} : { takenMs }
  if (!(await room.sessions.end(visit, sid, 'left', { key: lastKey, lane, ...taken }))) return
  room.count('left')
  // The visitor may show an older copy of the ticket, from before it was counted here.
  const isCounted = confirmed || room.places.wasCounted(placeIdOf(ticket))
  if (isCounted && !entry) room.count(`gone/${lane}/${bucketOf(key)}`)
  room.sync.report(visit)
}

function hasLane(room: RoomClient, lane: string): boolean {
  return room.settings.config.lanes.some(({ name }) => name === lane)
}

/** Whether a valid invitation is for another lane than the visitor's. A lane that was removed does not count. */
export function changesLane(room: RoomClient, held: Ticket, invited: Invited): boolean {
  return invited.kind === 'valid' && invited.invitation.lane !== held.lane && hasLane(room, invited.invitation.lane)
}
