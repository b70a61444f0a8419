/** When a waiting visitor asks again. The rhythm itself is in `estimate.ts`. */

import { START_KNOWN_AFTER_MS, START_POLLED_OVER_MS } from '../events/events.ts'
import { SETTLED_AFTER_MS } from '../line/batches.ts'
import { fastest } from '../line/speed.ts'
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'
import { heldPollMs, pollAfterMs } from './estimate.ts'
import { isUndrawn, lineAt, type Place } from './place.ts'

/**
 * An edge receives a draw this long after the room. Its visitors then ask over a time DRAW_POLLS_SPREAD times as long,
 * so that they do not all ask at once.
 */
const DRAW_KNOWN_AFTER_MS = 1_000
const DRAW_POLLS_SPREAD = 4
/**
 * Nearly every edge has a visitor's number this long after the room has all counts. The visitors then ask over the next
 * second.
 */
const NUMBER_KNOWN_AFTER_MS = 1_500
const NUMBER_POLLED_OVER_MS = 1_000

/** The time at which a poll is answered, and a random number for the next poll, uniform in [0, 1). */
interface PollMoment {
  readonly nowMs: number
  readonly random: number
}

/** Returns the milliseconds until this visitor should ask again. */
export function nextPollMs(ticket: Ticket, place: Place, snapshot: Snapshot, moment: PollMoment): number {
  const { nowMs, random } = moment
  if (place.state === 'waiting' && typeof place.startsMs === 'number')
    return untilKnownMs(ticket, place.startsMs + START_KNOWN_AFTER_MS + START_POLLED_OVER_MS * random, snapshot, moment)
  if (snapshot.open && place.state === 'waiting' && ticket.key > nowMs) return untilMs(ticket.key, nowMs, random)
  if (isUndrawn(place))
    return untilKnownMs(
      ticket,
      place.drawnMs + DRAW_KNOWN_AFTER_MS * (1 + DRAW_POLLS_SPREAD * random),
      snapshot,
      moment,
    )
  const lane = lineAt(snapshot, ticket)
  const ahead = place.state === 'waiting' ? place.ahead : 0
  const speed = lane.speed ? fastest(lane.speed) : snapshot.held ? 0 : snapshot.ratePerSecond
  const calm = Math.max(
    pollAfterMs(ahead, speed, snapshot.ratePerSecond, random),
    place.state === 'waiting' && snapshot.heldSinceMs !== undefined
      ? heldPollMs(nowMs - snapshot.heldSinceMs, random)
      : 0,
  )
  if (!ticket.confirmed) return Math.min(calm, pollAfterMs(0, speed, snapshot.ratePerSecond, random))
  // This edge has the visitor's number within two seconds after the room has all counts.
  const knownInMs = ticket.key + SETTLED_AFTER_MS + NUMBER_KNOWN_AFTER_MS + NUMBER_POLLED_OVER_MS * random - nowMs
  return ticket.low === null && knownInMs > 0 ? Math.min(calm, Math.max(1_000, knownInMs)) : calm
}

/** A confirmed ticket polls once its place is known, at `atMs`. When it polls reveals nothing about the place. */
function untilKnownMs({ confirmed }: Ticket, atMs: number, snapshot: Snapshot, { nowMs, random }: PollMoment): number {
  return confirmed
    ? untilMs(atMs, nowMs, random)
    : pollAfterMs(0, snapshot.ratePerSecond, snapshot.ratePerSecond, random)
}

/** Returns the time until something changes at `atMs`, in ms. An earlier poll now and then keeps the ticket valid. */
function untilMs(atMs: number, nowMs: number, random: number): number {
  return Math.min(pollAfterMs(Number.POSITIVE_INFINITY, 0, 0, random), Math.max(1_000, atMs - nowMs))
}
