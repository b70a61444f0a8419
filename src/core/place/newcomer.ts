/** The wait that a newcomer would be shown now, for operators. */
import type { Snapshot } from '../protocol/messages.ts'
import { MAIN_LANE } from '../ticket.ts'
import { placeOf } from './place.ts'
import { newTicket } from './tickets.ts'

/** Returns 0 in an open room, and null while the line stands still or waits for the start of an event. */
export function newcomersWaitMs(snapshot: Snapshot, claimWindowMs: number, nowMs: number): number | null {
  const ticket = newTicket({ room: '', sid: '', lane: MAIN_LANE, key: nowMs }, snapshot, nowMs)
  const place = placeOf(ticket, snapshot, claimWindowMs, nowMs)
  if (place.state === 'called') return 0
  return place.state === 'waiting' && place.wait ? Math.round(place.wait.likelyMs) : null
}
