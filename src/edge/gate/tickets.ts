/** Places for newcomers and for returning visitors, and when a place counts in the line. */
import { base64url } from 'jose'
import { arrivalBucketOf } from '../../core/line/arrivals.ts'
import { ticketAgain } from '../../core/place/after-claim.ts'
import { counterOf, eventLotOf, goneCounterOf, issueAt, newTicket, withPlace } from '../../core/place/tickets.ts'
import { inGeneration, placeIdOf, type Ticket } from '../../core/ticket.ts'
import { entryKey } from '../../tokens/draw.ts'
import { TICKET_FOR_SECONDS } from '../../tokens/tokens.ts'
import { referrerOf } from '../request/referrer.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import type { Invited } from '../room-client/tokens.ts'

/** Counts a ticket in the line, once per isolate and place. */
export function countConfirmed(visit: Visit, room: RoomClient, ticket: Ticket): void {
  // An entry in a draw counts once as an entry, and once as the place that it becomes.
  const place = placeIdOf(ticket)
  const once = ticket.entry ? `${ticket.entry.draw}/${place}` : place
  if (!room.places.countOnce(once)) return
  room.count(counterOf(ticket))
  room.sync.report(visit)
}

/**
 * Returns a new ticket: a place by arrival, a place drawn in the present batch, or an entry in the draw of an event. A
 * valid invitation may set the sid. `before` is the visitor's last ticket.
 */
export async function issueTicket(
  visit: Visit,
  room: RoomClient,
  invited: Invited,
  { lane, behindMs, before }: { readonly lane: string; readonly behindMs: number; readonly before: Ticket | null },
): Promise<Ticket> {
  const { nowMs } = visit
  const { snapshot } = room
  const chosen = invited.kind === 'valid' ? invited.invitation.sid : null
  const sid = chosen ?? newSid(room, visit)
  const issue = issueAt(snapshot, lane, behindMs, nowMs)
  const drawn = issue.batch ? await room.tokens.draw(sid, issue.batch) : null
  const key = drawn?.key ?? room.keyAt(nowMs) + issue.behindMs
  const place = { room: room.name, sid, lane, key, draw: drawn?.draw ?? null, entry: issue.entry }
  const referrer = room.settings.config.referrer === 'keep' ? (before?.referrer ?? referrerOf(visit)) : null
  const more = { ...(chosen === null ? {} : { takenMs: nowMs }), ...(referrer === null ? {} : { referrer }) }
  return newTicket({ ...place, ...more }, snapshot, nowMs)
}

/** Gives a ticket its place once the draw of its event is done. Most rooms have no events, so their polls skip this. */
export async function withKnownPlace(
  ticket: Ticket | null,
  { snapshot }: RoomClient,
  nowMs: number,
): Promise<Ticket | null> {
  if (!ticket || !snapshot?.events) return ticket
  const lot = eventLotOf(ticket, snapshot.events)
  return withPlace(ticket, snapshot.events, lot && (await entryKey(lot.seed, ticket.sid, lot.batch)), nowMs)
}

/** Returns the place of a visitor whose session is over. Returns null if the visitor gets a place like any newcomer. */
export function placeAfter(visit: Visit, room: RoomClient, id: string): Ticket | null {
  const again = room.ended.find(id, visit.nowMs)?.again
  const front = { room: room.name, snapshot: room.snapshot, rules: room.settings.step }
  return nextAfter(visit, room, id) ?? (again ? ticketAgain(again, front, visit.nowMs) : null)
}

/** Returns the place that a visitor has got since the session ended, or null. */
export function nextAfter(visit: Visit, room: RoomClient, id: string): Ticket | null {
  const next = room.ended.find(id, visit.nowMs)?.next
  const valid = next && room.snapshot ? inGeneration(next, room.snapshot.generation) : null
  return valid && !room.places.hasLeft(valid) ? valid : null
}

/** Returns a new sid: the door that will keep this visitor's session, and 128 random bits. */
export function newSid(room: RoomClient, visit: Visit): string {
  return `${room.doorFor(visit)}.${base64url.encode(crypto.getRandomValues(new Uint8Array(16)))}`
}

/**
 * Removes a ticket from the count of its line, because its visitor now has a place in another lane. Each isolate
 * removes it only once. Otherwise a visitor who shows the old ticket again would remove others who came at the same
 * moment.
 */
export function giveUp(room: RoomClient, ticket: Ticket): void {
  const once = `gone ${ticket.sid} ${ticket.key}`
  if (!room.places.countOnce(once)) return
  room.count('changed_lanes')
  const counter = goneCounterOf(ticket)
  if (counter) room.count(counter)
}

/**
 * Gives up a place for good. From then on its door refuses the ticket, this isolate ignores it, and the line is shorter
 * by one. The door keeps one row until no ticket of the place can be called.
 */
export async function leaveLine(visit: Visit, room: RoomClient, ticket: Ticket): Promise<void> {
  const { sid, key, lane, takenMs, transfers, entry, confirmed } = ticket
  room.places.noteLeft(ticket)
  // An entry gets its place later, but no later than its ticket expires.
  const lastKey = entry ? visit.nowMs + TICKET_FOR_SECONDS * 1_000 : key
  const place = {
    key: lastKey,
    lane,
    ...(takenMs === undefined ? {} : { takenMs }),
    ...(transfers === undefined ? {} : { transfers }),
  }
  if (!(await room.sessions.end(visit, sid, 'left', place))) return
  room.count('left')
  // The visitor may show an older copy of the ticket, from before it was counted here.
  const isCounted = confirmed || room.places.wasCounted(placeIdOf(ticket))
  if (isCounted && !entry) room.count(`gone/${lane}/${arrivalBucketOf(key)}`)
  room.sync.report(visit)
}
