/** The wait that a newcomer would be shown now, for operators. */
import type { Snapshot } from '../protocol/messages.ts'
import { MAIN_LANE } from '../ticket.ts'
import { quartilesOf, type Wait } from './estimate.ts'
import { placeOf } from './place.ts'
import { newTicket } from './tickets.ts'

/**
 * Returns the wait in milliseconds: 0 in an open room, null while the line stands still or waits for the start of an
 * event.
 */
export function newcomersWaitMs(snapshot: Snapshot, claimWindowMs: number, nowMs: number): number | null {
  return newcomersWait(snapshot, claimWindowMs, nowMs)?.likelyMs ?? null
}

/** Returns the same wait, with the times between which half of all waits end. */
export function newcomersWait(snapshot: Snapshot, claimWindowMs: number, nowMs: number): Wait | null {
  const ticket = newTicket({ room: '', sid: '', lane: MAIN_LANE, key: nowMs }, snapshot, nowMs)
  const place = placeOf(ticket, snapshot, claimWindowMs, nowMs)
  if (place.state === 'called') return { lowMs: 0, likelyMs: 0, highMs: 0 }
  if (place.state !== 'waiting' || !place.wait) return null
  const { likelyMs } = place.wait
  const { lowMs, highMs } = quartilesOf(likelyMs)
  return { lowMs: Math.round(lowMs), likelyMs: Math.round(likelyMs), highMs: Math.round(highMs) }
}
