/** Where a ticket stands. An edge computes it from the room's last snapshot, without a call to any object. */

import { type EntryFate, fateOf } from '../events/draws.ts'
import { COUNTED_AFTER_MS, type Prequeue, prequeueAt } from '../events/events.ts'
import { SETTLED_AFTER_MS } from '../line/batches.ts'
import { peopleAhead } from '../line/front.ts'
import { type LaneSnapshot, laneOf } from '../line/line.ts'
import { movesInRuns, speedFor } from '../line/speed.ts'
import { own } from '../own.ts'
import type { Snapshot } from '../protocol/messages.ts'
import type { Ticket } from '../ticket.ts'
import { likelyMsOf, type Motion, type Wait, waitRange } from './estimate.ts'
import { laneWaitMs } from './lane-wait.ts'
import { turnEndsMs } from './turn.ts'

export type Place =
  /** The ticket may claim a permit now. */
  | { readonly state: 'called' }
  | {
      readonly state: 'waiting'
      readonly ahead: number
      readonly position: number | null
      readonly wait: Wait | null
      /** When the place will be known, if it has not been drawn yet. */
      readonly drawnMs?: number | null
      /** The start of the event for which the ticket waits. The ticket is not called before. */
      readonly startsMs?: number | null
    }
  /** The ticket was called, and its visitor did not come within the claim window. */
  | { readonly state: 'missed' }

/** A ticket that has not changed is signed anew after this long, so that it stays valid while its visitor polls. */
const SIGNED_FOR_MS = 30_000
/**
 * A shown wait may rise at most 10 % per poll. The ticket's wait may be stale by 2.5 % (smaller drops are not
 * re-signed), so we allow 7 % over it: 1.07 / 0.975 = 1.097.
 */
const WAIT_RISES_BY = 1.07
const WAIT_KEPT_WITHIN = 0.975
/** Shorter waits are all shown as "less than a minute". */
const WAIT_SHORT_MS = 30_000
/** The clocks of two edges may differ by this much. */
const CLOCKS_DIFFER_MS = 5_000
const NOBODY: LaneSnapshot = { frontierKey: 0, lapsedKey: 0, calledAhead: 0, curve: [], speed: null }

export function placeOf(ticket: Ticket, snapshot: Snapshot, claimWindowMs: number, nowMs: number): Place {
  const lane = lineAt(snapshot, ticket)
  if (ticket.entry) return undrawn(fateOf(ticket.entry.draw, snapshot.events))
  const startsMs = startOf(ticket, prequeueAt(snapshot.events, nowMs))
  if (hasMissed(ticket, lane, claimWindowMs, nowMs)) return { state: 'missed' }
  if (startsMs === null && (isOpenFor(ticket, snapshot, nowMs) || ticket.key <= lane.frontierKey))
    return { state: 'called' }
  const ahead = Math.max(0, Math.round(lane.calledAhead + peopleAhead(lane, ticket)))
  const known = ticket.key <= (snapshot.settledKey ?? snapshot.asOfMs - SETTLED_AFTER_MS)
  const settled = ticket.confirmed && known
  const shown = Math.min(ahead + 1, ticket.low ?? Number.POSITIVE_INFINITY)
  return {
    state: 'waiting',
    ahead,
    position: settled || ticket.low !== null ? shown : null,
    wait: startsMs === null ? waitFor(ticket, ahead, lane, snapshot) : null,
    drawnMs: known ? null : ticket.draw ? ticket.draw.untilMs + SETTLED_AFTER_MS : countedMs(ticket, snapshot),
    startsMs,
  }
}

/**
 * True if the ticket counts as called because the room is open. Then only a ticket with a key in the future waits: a
 * policy ended its session, and the debt is not paid off yet.
 */
function isOpenFor({ draw, key }: Ticket, snapshot: Snapshot, nowMs: number): boolean {
  return snapshot.open && (Boolean(draw) || key <= nowMs + CLOCKS_DIFFER_MS)
}

/** The place of an entry, which is unknown until its event has started. */
function undrawn(entry: EntryFate): Place {
  const startsMs = entry.fate === 'waits' ? entry.startMs : 0
  return { state: 'waiting', ahead: 0, position: null, wait: null, drawnMs: startsMs + COUNTED_AFTER_MS, startsMs }
}

/**
 * Returns the start for which a ticket waits, or null. Newcomers without a draw wait for it too. Visitors who came
 * before the prequeue do not.
 */
function startOf({ key, draw }: Ticket, prequeue: Prequeue | null): number | null {
  return prequeue && !draw && key >= prequeue.fromMs ? prequeue.startMs : null
}

/** Returns when all tickets that were drawn together with this one are counted, or null. */
function countedMs({ key }: Ticket, { events }: Snapshot): number | null {
  const counting = events?.counting
  return counting && key >= counting.fromKey && key < counting.startMs ? counting.untilMs : null
}

/**
 * Returns the ticket after its visitor came back: confirmed in line, with the lowest position shown, and with a claim
 * window once called. Returns the same object if nothing changed, so that no token is signed in vain. The caller must
 * count a ticket that becomes confirmed here.
 */
export function seen(ticket: Ticket, place: Place, claimWindowMs: number, nowMs: number): Ticket {
  const confirmed = ticket.confirmed || place.state === 'waiting'
  const low = place.state === 'waiting' ? (place.position ?? ticket.low) : ticket.low
  const shownMs = place.state === 'waiting' && place.position !== null ? (place.wait?.likelyMs ?? null) : null
  const byMs = place.state === 'called' ? (ticket.byMs ?? nowMs + claimWindowMs) : null
  const draw = ticket.draw && isUndrawn(place) ? ticket.draw : null
  const same =
    confirmed === ticket.confirmed && low === ticket.low && byMs === ticket.byMs && draw === (ticket.draw ?? null)
  const waitHolds = shownMs === null || shownMs >= (ticket.waitMs ?? Number.POSITIVE_INFINITY) * WAIT_KEPT_WITHIN
  if (same && waitHolds && nowMs - ticket.issuedMs < SIGNED_FOR_MS) return ticket
  const waitMs = shownMs === null ? (ticket.waitMs ?? null) : Math.round(shownMs)
  return { ...ticket, confirmed, low, waitMs, byMs, draw, issuedMs: nowMs }
}

/**
 * Returns the ticket after a claim that was refused because there was no permit. A called visitor who keeps asking gets
 * a new claim window each time, and so never misses a turn.
 */
export function refused(ticket: Ticket, snapshot: Snapshot, claimWindowMs: number, nowMs: number): Ticket {
  const called = ticket.key <= lineAt(snapshot, ticket).frontierKey
  return { ...ticket, byMs: called ? nowMs + claimWindowMs : null, issuedMs: nowMs }
}

/**
 * Returns how many other called visitors are still to come in, as the room estimates them. Returns null where that is
 * not known.
 */
export function othersCalled(ticket: Ticket, snapshot: Snapshot): number | null {
  const lane = own(snapshot.lanes, laneOf(snapshot.lanes, ticket))
  return lane ? Math.max(0, Math.round(lane.calledAhead) - 1) : null
}

/**
 * Returns the place at the front for a visitor whose session has just ended. The old key may be behind the frontier: in
 * a random room it may lie in a batch that has not ended, and the visitor's lane may have been removed.
 */
export function frontFor(
  { key, lane }: Pick<Ticket, 'key' | 'lane'>,
  snapshot: Snapshot | null,
): Pick<Ticket, 'key' | 'lane'> {
  if (!snapshot) return { key, lane }
  const now = laneOf(snapshot.lanes, { key, lane })
  const frontierKey = snapshot.open ? key : (own(snapshot.lanes, now)?.frontierKey ?? key)
  return { key: Math.min(key, frontierKey), lane: now }
}

/** Returns when the place of a ticket will be known, if its batch has not ended. Returns null for any other ticket. */
export function drawnMsOf({ draw }: Ticket, nowMs: number): number | null {
  return draw && draw.untilMs > nowMs ? draw.untilMs + SETTLED_AFTER_MS : null
}

/** True for a ticket that waits in a batch whose places are not known yet. */
export function isUndrawn(place: Place): place is Place & { readonly drawnMs: number } {
  return place.state === 'waiting' && typeof place.drawnMs === 'number'
}

/** Returns the line in which a ticket stands. */
export function lineAt({ lanes }: Snapshot, ticket: Ticket): LaneSnapshot {
  return own(lanes, laneOf(lanes, ticket)) ?? NOBODY
}

function waitFor(ticket: Ticket, ahead: number, lane: LaneSnapshot, snapshot: Snapshot): Wait | null {
  if (snapshot.held) return null
  const { waitMs } = ticket
  const likelyMs = likelyWaitMs(ticket, ahead, lane, snapshot)
  if (likelyMs === null) return null
  const mostMs =
    snapshot.slowed || typeof waitMs !== 'number'
      ? Number.POSITIVE_INFINITY
      : Math.max(WAIT_SHORT_MS, waitMs * WAIT_RISES_BY)
  return waitRange(Math.min(likelyMs, mostMs), motionOf(lane, snapshot))
}

function likelyWaitMs(ticket: Ticket, ahead: number, lane: LaneSnapshot, snapshot: Snapshot): number | null {
  // In a room with lanes, a lane's present speed does not predict its waits well.
  if (lane.share !== undefined) return laneWaitMs(ahead, laneOf(snapshot.lanes, ticket), snapshot)
  return likelyMsOf(ahead, lane.speed ? speedFor(ahead, lane.speed) : snapshot.ratePerSecond)
}

function motionOf({ speed }: LaneSnapshot, { full }: Snapshot): Motion {
  return full || (speed !== null && movesInRuns(speed)) ? 'runs' : 'steady'
}

/**
 * True if the visitor missed the turn. Only a called visitor can miss it. If the operator shortens the claim window,
 * the windows in older tickets become shorter, too.
 */
function hasMissed(ticket: Ticket, lane: LaneSnapshot, claimWindowMs: number, nowMs: number): boolean {
  if (ticket.key > lane.frontierKey) return false
  const byMs = turnEndsMs(ticket, claimWindowMs)
  return byMs === null ? ticket.key <= lane.lapsedKey : nowMs > byMs
}
