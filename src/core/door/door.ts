/**
 * The door's half of the protocol: which visitors may come in, with permits granted to this incarnation of the door.
 *
 * An incarnation begins with a higher epoch and nothing to spend. Only the epoch and the sessions are durable. The rest
 * may be lost at any time, which can waste permits but never create one. Usable permits go to the oldest ready
 * visitors, so a newcomer never overtakes a visitor who was refused before. Permits are granted for lanes. Permits that
 * one lane does not need for its ready visitors serve the others.
 */

import { ownOr } from '../own.ts'
import { newLaneAccount } from '../permits/bank.ts'
import { forgetOldSamples } from '../protocol/health-cells.ts'
import type { Claim, ClaimAnswer, DoorReport, EdgeReport, PlaceLeft, Snapshot } from '../protocol/messages.ts'
import type { Again } from '../session.ts'
import { admit, again, isLive, type Session, type SessionRules } from '../session.ts'
import { diff } from '../tally.ts'
import { ISOLATE_SILENT_MS } from '../timing.ts'
import { callsPerSecond } from './call-meter.ts'
import { goneIn, isEntitled, returnPermits, spendPermit } from './permits.ts'
import { countClaim, demandOf, isCalled, laneAt, noteReady, pruneReady } from './ready.ts'
import { type DoorSessions, endSession, sidFor } from './sessions.ts'
import { type DoorState, usable } from './state.ts'
import { isElsewhere } from './transfers.ts'

export { noteCall } from './call-meter.ts'
export { type DoorSessions, endSession, extendSession, renewSession, type SessionStore } from './sessions.ts'
export { type DoorState, newDoor, usable } from './state.ts'

/** Unspent permits go back to the room if for this long no permit was granted or spent. */
const UNSPENT_FOR_MS = 4_000
/** A refused visitor tries again after this long. */
export const RETRY_AFTER_MS = 2_000
/**
 * The last report of an isolate is remembered for this long. An isolate that was silent for so long has a new id by
 * then.
 */
const REPORT_REMEMBERED_MS = 2 * ISOLATE_SILENT_MS

/**
 * The answer to a claim. `undecided` means that the door cannot decide yet: it must sync with the room, then decide
 * again.
 */
export type ClaimDecision = ClaimAnswer | { readonly verdict: 'undecided' }

/** The state of a claim: it is new, or it waits for the room, or it has waited as long as it may. */
export type Attempt = 'new' | 'waiting' | 'last'

/** Decides a claim. Admission is one synchronous step: the session is inserted and the permit spent, or neither. */
export function decideClaim(
  door: DoorState,
  { store, rules, transfers }: DoorSessions,
  { request, attempt }: { readonly request: Claim; readonly attempt: Attempt },
  nowMs: number,
): ClaimDecision {
  if (isElsewhere(transfers, request)) return { verdict: 'ended', again: null, transferred: true }
  const clockMs = store.clock(nowMs)
  const sid = sidFor(store, request, clockMs)
  const isShutOut = attempt === 'new' && !mayEnter(door, request)
  const hasPermit = !isShutOut && usable(door) >= 1 && isEntitled(door, request, nowMs)
  const session = hasPermit ? admit({ ...request, sid }, rules, clockMs, request.sid) : null
  // `insert` finds a known session by itself, so an admission takes one statement.
  const known = session ? store.insert(session) : store.get(sid)
  if (known) return answerKnown(known, request, rules, clockMs)
  if (attempt === 'new') {
    countClaim(door, nowMs)
    if (isShutOut) {
      door.hasRefused = true
      return { verdict: 'none', retryAfterMs: RETRY_AFTER_MS }
    }
    if (isCalled(door, request) && !door.ready.has(request.sid)) door.tally.add(`shown/${laneAt(door, request)}`)
  }
  if (session) {
    spendPermit(door, request)
    door.movedAtMs = nowMs
    door.ready.delete(request.sid)
    return admitted(session, request)
  }
  noteReady(door, request, nowMs)
  if (attempt !== 'last' && !door.exhausted) return { verdict: 'undecided' }
  if (request.leaves) door.ready.delete(request.sid)
  return { verdict: 'none', retryAfterMs: RETRY_AFTER_MS }
}

/**
 * Ends a session early, or with `place` also a place that was not claimed yet. Returns false if there is no such
 * session or place any more. A place that was given up is stored as an ended session. So a replayed ticket finds that
 * session, and it takes no capacity.
 */
export function endEarly(
  door: DoorState,
  sessions: DoorSessions,
  { sid, how, place }: { sid: string; how: 'left' | 'revoked'; place?: PlaceLeft | undefined },
  nowMs: number,
): boolean {
  if (!place) return endSession(sessions, sid, how, nowMs)
  const { store, rules, transfers } = sessions
  if (isElsewhere(transfers, { ...place, sid })) return false
  const atMs = store.clock(nowMs)
  const ownSid = sidFor(store, { sid, takenMs: place.takenMs }, atMs)
  door.ready.delete(sid)
  const known = store.insert({ ...admit({ ...place, sid: ownSid }, rules, atMs), expiresMs: atMs, ended: how })
  return known ? endSession(sessions, ownSid, how, nowMs) : true
}

/** Returns the next report to the room. It also returns permits that were not used for some time. */
export function report(door: DoorState, live: number, version: string, nowMs: number): DoorReport {
  pruneReady(door, nowMs)
  if (usable(door) >= 1 && nowMs - door.movedAtMs >= UNSPENT_FOR_MS) returnPermits(door)
  door.hasRefused = false
  forgetOldSamples(door.tally, nowMs)
  const tally = door.tally.report()
  const needed = Math.max(0, door.ready.size - usable(door))
  door.reported = { seq: tally.seq, granted: door.granted, needed, spent: door.spent, returned: door.returned, live }
  return {
    door: door.name,
    epoch: door.epoch,
    ...tally,
    spent: door.spent,
    returned: door.returned,
    ...(door.lanes ? { gone: goneIn(door.lanes) } : {}),
    live,
    open: door.snapshot?.open ?? true,
    demand: demandOf(door, nowMs),
    callsPerSecond: callsPerSecond(door.calls, nowMs),
    version,
  }
}

/**
 * Applies the room's answer. An answer to another incarnation grants nothing. A late answer grants nothing either,
 * because grants are totals.
 */
export function applyReply(
  door: DoorState,
  reply: { epoch: number; seq: number; granted: number; lanes?: Readonly<Record<string, number>>; snapshot: Snapshot },
  nowMs: number,
): void {
  if (!door.snapshot || reply.snapshot.asOfMs >= door.snapshot.asOfMs) door.snapshot = reply.snapshot
  if (reply.epoch !== door.epoch) return
  door.tally.acknowledge(reply.seq)
  if (reply.seq === door.reported.seq) {
    door.answered = door.reported
    // The room has answered for every ready visitor here, and granted fewer permits than they needed.
    door.exhausted = reply.granted - door.reported.granted < door.reported.needed
  }
  if (reply.granted > door.granted) {
    door.granted = reply.granted
    door.movedAtMs = nowMs
    for (const [lane, granted] of Object.entries(reply.lanes ?? {})) {
      door.lanes ??= {}
      ownOr(door.lanes, lane, newLaneAccount).granted = granted
    }
  }
  if (reply.snapshot.held) returnPermits(door)
}

/** Applies the counters of an edge. Each count is applied once, however many isolates report. */
export function applyEdgeReport(door: DoorState, edge: EdgeReport, nowMs: number): void {
  const added = diff(door.isolates.get(edge.isolate), edge)
  if (!added) return
  door.isolates.delete(edge.isolate)
  door.isolates.set(edge.isolate, { seq: edge.seq, base: edge.base, cells: edge.cells, atMs: nowMs })
  for (const [isolate, { atMs }] of door.isolates) {
    if (nowMs - atMs <= REPORT_REMEMBERED_MS) break
    door.isolates.delete(isolate)
  }
  for (const [cell, by] of Object.entries(added)) door.tally.add(cell, by)
}

/**
 * True while the room should get another report. Then permits are unspent, visitors are ready, or a change has not been
 * answered.
 */
export function isActive(door: DoorState, live: number, nowMs: number): boolean {
  pruneReady(door, nowMs)
  const { spent, returned, live: liveReported } = door.answered
  const unanswered = door.spent !== spent || door.returned !== returned || live !== liveReported || door.tally.dirty
  return unanswered || usable(door) >= 1 || door.ready.size > 0 || door.hasRefused
}

/** Call this when a sync begins: since its last answer the room may have permits again. */
export function allowAsking(door: DoorState): void {
  door.exhausted = false
}

function admitted({ sid, admittedMs, expiresMs }: Session, request: Claim): ClaimAnswer & { verdict: 'admitted' } {
  const answer = { verdict: 'admitted', issuedMs: admittedMs, expiresMs } as const
  return sid === request.sid ? answer : { ...answer, sid }
}

function answerKnown(session: Session, request: Claim, rules: SessionRules, nowMs: number): ClaimAnswer {
  if (isLive(session, nowMs)) return { ...admitted(session, request), known: true }
  const place: Again | null = again(session, rules, nowMs)
  return { verdict: 'ended', again: place }
}

/**
 * In a closed room only called visitors may take a permit, even if an edge does not know yet that the room has closed.
 */
function mayEnter(door: DoorState, request: Claim): boolean {
  return !door.snapshot || door.snapshot.open || isCalled(door, request)
}
