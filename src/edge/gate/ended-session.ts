/**
 * Sessions that are over, in the memory of one isolate. Their doors are not asked again for some seconds. A visitor who
 * shows an old token again and again gets one new place, not one for each request.
 */
import type { Again } from '../../core/session.ts'
import { inGeneration, type Ticket } from '../../core/ticket.ts'
import type { Visit } from '../request/visit.ts'
import type { Gone } from '../room-client/memory.ts'
import type { RoomClient } from '../room-client/room-client.ts'
import { hasLeft, ticketAgain } from './tickets.ts'

/** A session that is over stays over. Its door is asked again after 10 s, in case this isolate is mistaken. */
const GONE_FOR_MS = 10_000

/**
 * Looks up a session by its sid, or the session of a ticket by its name. Returns undefined while the session may be
 * live.
 */
export function goneOf(room: RoomClient, id: string, nowMs: number): Gone | undefined {
  const gone = room.memory.gone.get(id)
  return gone && gone.untilMs > nowMs ? gone : undefined
}

/** Remembers that a session is over. */
export function noteGone(
  room: RoomClient,
  id: string,
  how: { readonly again: Again | null; readonly requeuedBy?: string; readonly forMs?: number },
  nowMs: number,
): void {
  const known = goneOf(room, id, nowMs)
  room.memory.gone.set(id, {
    untilMs: Math.max(known?.untilMs ?? 0, nowMs + Math.max(how.forMs ?? 0, GONE_FOR_MS)),
    again: how.again ?? known?.again ?? null,
    requeuedBy: how.requeuedBy ?? known?.requeuedBy ?? null,
    next: known?.next ?? null,
  })
}

/** Remembers the place that the visitor of a session that is over has got. */
export function noteNext(room: RoomClient, id: string | undefined, ticket: Ticket): void {
  const gone = id === undefined ? undefined : room.memory.gone.peek(id)
  if (gone) gone.next = ticket
}

/**
 * Returns the place of a visitor whose session is over. Returns null when the visitor gets a place like any newcomer.
 */
export function placeAfter(visit: Visit, room: RoomClient, id: string): Ticket | null {
  const gone = goneOf(room, id, visit.nowMs)
  const next = gone?.next && room.view ? inGeneration(gone.next, room.view.generation) : null
  if (next && !hasLeft(room, next)) return next
  return gone?.again ? ticketAgain(visit, room, gone.again) : null
}
