/**
 * The door's half of the protocol: who may come in, with permits that the room has granted to this life of the door.
 *
 * A life begins with a higher epoch and nothing to spend. Only the epoch and the sessions are durable; everything here
 * may be lost at any time, which can waste permits and never create one. Usable permits go to the oldest called
 * visitors standing by, so a newcomer never overtakes who was refused before.
 */
import type { Again, Claim, ClaimAnswer, Demand, DoorReport, EdgeReport, Touch, TouchAnswer, View } from './messages.ts'
import { admit, again, end, isLive, leaseMs, renewedExpiry, type Session, type SessionRules } from './sessions.ts'
import { type Applied, fresh, Tally } from './tally.ts'

/** A called visitor asks every two seconds, jitter and the way included: a permit is not kept for longer. */
const STANDING_FOR_MS = 3_000
/** A poll may be late once; who has not asked for this long has left. */
const LEFT_AFTER_MS = 5_000
/** Unspent permits go back after this long. */
const UNSPENT_FOR_MS = 4_000
/** A refused visitor's next try. */
export const RETRY_AFTER_MS = 2_000
/** Standing visitors remembered. Beyond it the door still refuses, it only reports fewer. */
const STANDING_MAX = 20_000
/** Isolates whose last report is remembered. A forgotten one is taken at its word. */
const ISOLATES_MAX = 2_000
/** Claims per second are smoothed over this. */
const DEMAND_OVER_MS = 2_000

/** The sessions of a door, durable. The clock of `live` never goes back. */
export interface SessionStore {
  get(sid: string): Session | undefined
  insert(session: Session): void
  update(session: Session): void
  /** Sessions whose place is taken at `nowMs`. */
  live(nowMs: number): number
}

interface Standing {
  readonly sid: string
  readonly key: number
  readonly lane: string
  seenMs: number
}

interface Said {
  /** Permits granted by then, and how many more everybody standing needed. */
  readonly granted: number
  readonly needed: number
  readonly spent: number
  readonly returned: number
  readonly live: number
}

export interface DoorState {
  readonly name: string
  readonly epoch: number
  granted: number
  spent: number
  returned: number
  /** When a permit was last granted or spent. */
  movedAtMs: number
  /** No asking before the next sync: the room has just said there are none. */
  exhausted: boolean
  readonly standing: Map<string, Standing>
  /** Somebody whom an edge takes for called was refused: no isolate may report to this door, so it must ask for a newer view itself. */
  turnedAway: boolean
  readonly tally: Tally
  /** What the newest report said, and what the room has answered for. */
  said: Said & { readonly seq: number }
  answered: Said
  /** The last report of each isolate, least recently heard first. */
  readonly isolates: Map<string, Applied>
  view: View | null
  claimsPerSecond: number
  claimedAtMs: number
}

/** What a door says to a claim that it cannot decide yet: hear the room, then decide again. */
export type Decision = ClaimAnswer | { readonly verdict: 'ask' }

/** A claim is new; or it waits for the room; or it has waited as long as it may. */
export type Attempt = 'new' | 'waiting' | 'last'

export function newDoor(name: string, epoch: number, nowMs: number): DoorState {
  return {
    name,
    epoch,
    granted: 0,
    spent: 0,
    returned: 0,
    movedAtMs: nowMs,
    exhausted: false,
    standing: new Map(),
    turnedAway: false,
    tally: new Tally(),
    said: { seq: 0, granted: 0, needed: 0, spent: 0, returned: 0, live: -1 },
    answered: { granted: 0, needed: 0, spent: 0, returned: 0, live: -1 },
    isolates: new Map(),
    view: null,
    claimsPerSecond: 0,
    claimedAtMs: nowMs,
  }
}

export function usable(door: DoorState): number {
  return door.granted - door.spent - door.returned
}

/** Decides a claim. Admitting is one synchronous step: the session is inserted and the permit spent together, or neither. */
export function claim(
  door: DoorState,
  sessions: SessionStore,
  rules: SessionRules,
  request: Claim,
  attempt: Attempt,
  nowMs: number,
): Decision {
  const known = sessions.get(request.sid)
  if (known) return answerKnown(known, rules, nowMs)
  if (attempt === 'new') {
    countClaim(door, nowMs)
    if (!mayEnter(door, request)) {
      door.turnedAway = true
      return { verdict: 'none', retryAfterMs: RETRY_AFTER_MS }
    }
    if (isCalled(door, request) && !door.standing.has(request.sid)) door.tally.add(`shown/${request.lane}`)
  }
  if (usable(door) >= 1 && isEntitled(door, request, nowMs)) {
    const session = admit(request, rules, nowMs)
    sessions.insert(session)
    door.spent++
    door.movedAtMs = nowMs
    door.standing.delete(request.sid)
    return { verdict: 'admitted', issuedMs: session.admittedMs, expiresMs: session.expiresMs }
  }
  stand(door, request, nowMs)
  if (attempt !== 'last' && !door.exhausted) return { verdict: 'ask' }
  if (request.leaves) door.standing.delete(request.sid)
  return { verdict: 'none', retryAfterMs: RETRY_AFTER_MS }
}

/** Renews a live session. Protected requests keep a shopper in while paying. */
export function touch(sessions: SessionStore, rules: SessionRules, request: Touch, nowMs: number): TouchAnswer {
  const session = sessions.get(request.sid)
  if (!session) return { verdict: 'gone', again: null }
  if (!isLive(session, nowMs)) return { verdict: 'gone', again: again(session, rules, nowMs) }
  const { expiresMs: endsMs } = session
  if (request.isIdle) return { verdict: 'live', expiresMs: endsMs, leaseMs: Math.min(leaseMs(rules), endsMs - nowMs) }
  const expiresMs = renewedExpiry(session, rules, request.protectMs, nowMs)
  if (expiresMs !== session.expiresMs || !session.returned) {
    session.expiresMs = expiresMs
    session.returned = true
    sessions.update(session)
  }
  return { verdict: 'live', expiresMs, leaseMs: Math.min(leaseMs(rules), expiresMs - nowMs) }
}

/** Ends a session by its visitor's or the operator's wish; false when there is no such live session. */
export function endSession(
  sessions: SessionStore,
  rules: SessionRules,
  sid: string,
  how: 'left' | 'revoked',
  nowMs: number,
): boolean {
  const session = sessions.get(sid)
  if (!session || !isLive(session, nowMs)) return false
  end(session, how, rules, nowMs)
  sessions.update(session)
  return true
}

/** Keeps a live session for at least `byMs` more; false when there is none. */
export function extendSession(sessions: SessionStore, sid: string, byMs: number, nowMs: number): boolean {
  const session = sessions.get(sid)
  if (!session || !isLive(session, nowMs)) return false
  session.expiresMs = Math.max(session.expiresMs, nowMs + byMs)
  sessions.update(session)
  return true
}

/** The next report to the room. Permits that nobody took for a while go back with it. */
export function report(door: DoorState, live: number, version: string, nowMs: number): DoorReport {
  forgetWhoLeft(door, nowMs)
  if (usable(door) >= 1 && nowMs - door.movedAtMs >= UNSPENT_FOR_MS) door.returned += usable(door)
  door.turnedAway = false
  const tally = door.tally.report()
  const needed = Math.max(0, door.standing.size - usable(door))
  door.said = { seq: tally.seq, granted: door.granted, needed, spent: door.spent, returned: door.returned, live }
  return {
    door: door.name,
    epoch: door.epoch,
    ...tally,
    spent: door.spent,
    returned: door.returned,
    live,
    open: door.view?.open ?? true,
    demand: demandOf(door, nowMs),
    version,
  }
}

/** Takes the room's answer. One meant for another life grants nothing; a late one is known by its total. */
export function applyReply(
  door: DoorState,
  reply: { epoch: number; seq: number; granted: number; view: View },
  nowMs: number,
): void {
  if (!door.view || reply.view.asOfMs >= door.view.asOfMs) door.view = reply.view
  if (reply.epoch !== door.epoch) return
  door.tally.acknowledge(reply.seq)
  if (reply.seq === door.said.seq) {
    door.answered = door.said
    // The room knew of everybody who stood here, and had not enough for all.
    door.exhausted = reply.granted - door.said.granted < door.said.needed
  }
  if (reply.granted > door.granted) {
    door.granted = reply.granted
    door.movedAtMs = nowMs
  }
  if (reply.view.held) door.returned += usable(door)
}

/** Takes over what an edge has counted, once. */
export function applyEdgeReport(door: DoorState, edge: EdgeReport): void {
  const added = fresh(door.isolates.get(edge.isolate), edge)
  if (!added) return
  door.isolates.delete(edge.isolate)
  door.isolates.set(edge.isolate, { seq: edge.seq, base: edge.base, cells: edge.cells })
  if (door.isolates.size > ISOLATES_MAX) door.isolates.delete(door.isolates.keys().next().value as string)
  for (const [cell, by] of Object.entries(added)) door.tally.add(cell, by)
}

/** True while a report is owed: permits in hand, visitors standing, or anything the room has not answered for. */
export function isActive(door: DoorState, live: number, nowMs: number): boolean {
  forgetWhoLeft(door, nowMs)
  const { spent, returned, live: said } = door.answered
  const unsaid = door.spent !== spent || door.returned !== returned || live !== said || door.tally.dirty
  return unsaid || usable(door) >= 1 || door.standing.size > 0 || door.turnedAway
}

/** A sync has begun: what the room said before it is no longer the last word. */
export function allowAsking(door: DoorState): void {
  door.exhausted = false
}

function answerKnown(session: Session, rules: SessionRules, nowMs: number): ClaimAnswer {
  if (isLive(session, nowMs)) {
    return { verdict: 'admitted', issuedMs: session.admittedMs, expiresMs: session.expiresMs }
  }
  const place: Again | null = again(session, rules, nowMs)
  return { verdict: 'ended', again: place }
}

/** In a closed room only called visitors may take a permit, also when an edge has not heard yet that it closed. */
function mayEnter(door: DoorState, request: Claim): boolean {
  return !door.view || door.view.open || isCalled(door, request)
}

/** Called from a line, which nobody is in an open room. */
function isCalled({ view }: DoorState, { lane, key }: { lane: string; key: number }): boolean {
  if (!view || view.open) return false
  return key <= (view.lanes[lane]?.frontierKey ?? Number.NEGATIVE_INFINITY)
}

/** Usable permits are for those who have stood by longest: there must be more of them than older visitors standing. */
function isEntitled(door: DoorState, request: Claim, nowMs: number): boolean {
  let older = 0
  const permits = usable(door)
  if (door.standing.size < permits) return true
  for (const { key, sid, seenMs } of door.standing.values()) {
    // Ties are split by the sid.
    const isOlder = key < request.key || (key === request.key && sid < request.sid)
    if (!isOlder || nowMs - seenMs > STANDING_FOR_MS) continue
    if (++older >= permits) return false
  }
  return true
}

function stand(door: DoorState, request: Claim, nowMs: number): void {
  const standing = door.standing.get(request.sid)
  if (standing) standing.seenMs = nowMs
  else if (door.standing.size < STANDING_MAX) {
    door.standing.set(request.sid, { sid: request.sid, key: request.key, lane: request.lane, seenMs: nowMs })
  }
}

/** Forgets who has not asked again, and newcomers who were refused when the room closed: they are in line now. */
function forgetWhoLeft(door: DoorState, nowMs: number): void {
  const closed = door.view !== null && !door.view.open
  for (const [sid, standing] of door.standing) {
    const left = nowMs - standing.seenMs > LEFT_AFTER_MS
    if (left || (closed && !isCalled(door, standing))) door.standing.delete(sid)
  }
}

function demandOf(door: DoorState, nowMs: number): Demand[] {
  const lanes = new Map<string, { standing: number; oldestKey: number }>()
  for (const { lane, key } of door.standing.values()) {
    const demand = lanes.get(lane) ?? { standing: 0, oldestKey: Number.POSITIVE_INFINITY }
    demand.standing++
    demand.oldestKey = Math.min(demand.oldestKey, key)
    lanes.set(lane, demand)
  }
  const perSecond = decayedClaims(door, nowMs)
  return [...lanes].map(([lane, demand]) => ({ lane, ...demand, perSecond }))
}

function countClaim(door: DoorState, nowMs: number): void {
  door.claimsPerSecond = decayedClaims(door, nowMs) + 1_000 / DEMAND_OVER_MS
  door.claimedAtMs = Math.max(door.claimedAtMs, nowMs)
}

function decayedClaims(door: DoorState, nowMs: number): number {
  return door.claimsPerSecond * Math.exp(-Math.max(0, nowMs - door.claimedAtMs) / DEMAND_OVER_MS)
}
