/** Places for newcomers and for those who come back, and when they count. */
import { base64url } from 'jose'
import { prequeueAt } from '../../core/events/events.ts'
import { bucketOf } from '../../core/line/arrivals.ts'
import { batchAt } from '../../core/line/batches.ts'
import { keyAgain } from '../../core/place/place.ts'
import type { View } from '../../core/protocol/messages.ts'
import type { Again } from '../../core/session.ts'
import { type Draw, MAIN_LANE, NO_GENERATION, type Ticket } from '../../core/ticket.ts'
import { drawnKey } from '../../tokens/draw.ts'
import type { KeyRing } from '../../tokens/keyring.ts'
import { signTicket, TICKET_FOR_SECONDS } from '../../tokens/tokens.ts'
import type { Visit } from '../request/visit.ts'
import type { Invited, RoomAtEdge } from '../room-client/room-client.ts'
import { entryAt } from './event-tickets.ts'

/** Counts a ticket in the line, once per isolate and sid. */
export function confirm(visit: Visit, room: RoomAtEdge, ticket: Ticket): void {
  // An entry becomes a place.
  const place = nameOf(ticket)
  const once = ticket.entry ? `${ticket.entry.draw}/${place}` : place
  if (room.memory.confirmed.has(once)) return
  room.memory.confirmed.set(once, true)
  room.count(ticket.entry ? `entry/${ticket.entry.draw}` : `line/${ticket.lane}/${bucketOf(ticket.key)}`)
  room.report(visit)
}

/**
 * A place for a newcomer: by arrival, drawn in the batch of this moment, or an entry in the draw of an event; in the lane and
 * under the name an invitation says; `behindMs` later than now for whose session was ended with a debt. Lanes are not drawn for an event: who is invited has a line by arrival, and waits for the start.
 */
export async function mint(
  visit: Visit,
  room: RoomAtEdge,
  ring: KeyRing,
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
  const draw: Draw | null = batches ? { ...batchAt(batches, visit.nowMs), kid: ring.tickets.sign.kid } : null
  const drawn = draw && (await drawnKey(ring, room.name, sid, draw))
  const ticket = newTicket(visit, room, sid, drawn ?? room.keyAt(visit.nowMs) + behindMs, null, view)
  return { ...ticket, lane, draw, ...taken }
}

/** The place at the front of somebody whose session ended a moment ago. */
export function ticketAgain(visit: Visit, room: RoomAtEdge, again: Again): Ticket {
  const { lane } = again
  const key = keyAgain(again.key, lane, room.view)
  return { ...newTicket(visit, room, again.sid, key, visit.nowMs + room.settings.claimWindowMs, room.view), lane }
}

function newTicket(
  visit: Visit,
  room: RoomAtEdge,
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

/** 128 random bits under the name of the door that will know this visitor. */
export function newSid(room: RoomAtEdge, visit: Visit): string {
  return `${room.doorFor(visit)}.${base64url.encode(crypto.getRandomValues(new Uint8Array(16)))}`
}

export async function signedTicket(room: RoomAtEdge, ring: KeyRing, ticket: Ticket): Promise<string> {
  const text = await signTicket(ring, ticket)
  room.know(text, { kind: 'ticket', ticket })
  return text
}

/**
 * The ticket of somebody who has a place in another lane now: nobody will come with it. Once per isolate: who keeps it and shows it again must not
 * take those out of the line who came at the same moment.
 */
export function giveUp(room: RoomAtEdge, ticket: Ticket): void {
  const once = `gone ${ticket.sid} ${ticket.key}`
  if (room.memory.confirmed.has(once)) return
  room.memory.confirmed.set(once, true)
  room.count('changed_lanes')
  if (ticket.confirmed && !ticket.entry) room.count(`gone/${ticket.lane}/${bucketOf(ticket.key)}`)
}

/** The name of a place. An invitation's sid has one place after another. */
export function nameOf({ sid, takenMs }: Ticket): string {
  return takenMs === undefined ? sid : `${sid} ${takenMs}`
}

/**
 * Gives a place up for good: its door lets the ticket in no more, this isolate takes it for none, and the line is
 * shorter by it. The door keeps one row until no ticket of the place can be called.
 */
export async function leaveLine(visit: Visit, room: RoomAtEdge, ticket: Ticket): Promise<void> {
  const { sid, key, lane, takenMs, entry, confirmed } = ticket
  room.memory.left.set(nameOf(ticket), true)
  // An entry has no place yet. It gets one before its ticket is over.
  const lastKey = entry ? visit.nowMs + TICKET_FOR_SECONDS * 1_000 : key
  const taken = takenMs === undefined ? {} : { takenMs }
  if (!(await room.end(visit, sid, 'left', { key: lastKey, lane, ...taken }))) return
  room.count('left')
  // The visitor may show the ticket as it was before it was counted here.
  const isCounted = confirmed || room.memory.confirmed.has(nameOf(ticket))
  if (isCounted && !entry) room.count(`gone/${lane}/${bucketOf(key)}`)
  room.report(visit)
}

/** Whether a place was given up at this isolate. Any other one hears of it from the door, once the place is called. */
export function hasLeft({ memory: { left } }: RoomAtEdge, ticket: Ticket): boolean {
  return left.size > 0 && left.has(nameOf(ticket))
}

function hasLane(room: RoomAtEdge, lane: string): boolean {
  return room.settings.config.lanes.some(({ name }) => name === lane)
}

/** An invitation to another lane than the one in which the visitor waits. A lane that was taken away is none. */
export function changesLane(room: RoomAtEdge, held: Ticket, invited: Invited): boolean {
  return invited.kind === 'valid' && invited.invitation.lane !== held.lane && hasLane(room, invited.invitation.lane)
}
