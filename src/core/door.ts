/**
 * The door's half of the protocol: who may come in, with permits that the room has granted to this life of the door.
 *
 * A life begins with a higher epoch and nothing to spend. Only the epoch and the sessions are durable; everything here
 * may be lost at any time, which can waste permits and never create one. Usable permits go to the oldest called
 * visitors standing by, so a newcomer never overtakes who was refused before. Permits are granted for lanes; what one lane has more of
 * than visitors standing serves the others.
 */

import type { Again, Claim, ClaimAnswer, Demand, DoorReport, EdgeReport, Touch, TouchAnswer, View } from './messages.ts'
import { type LaneAccount, outIn } from './permits.ts'
import {
  admit,
  again,
  end,
  isLive,
  leaseMs,
  nextLife,
  renewedExpiry,
  type Session,
  type SessionRules,
} from './sessions.ts'
import { type Applied, fresh, Tally } from './tally.ts'
import { MAIN_LANE } from './ticket.ts'

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
/** Sessions that one invitation may have had one after another before the door stops looking. */
const LIVES_MAX = 1_000

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
  /** Permits that are meant for lanes beside the main one, absent while there were none. */
  lanes?: Record<string, LaneAccount>
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
  const sid = lifeOf(sessions, request, nowMs)
  const known = sessions.get(sid)
  if (known) return answerKnown(known, request, rules, nowMs)
  if (attempt === 'new') {
    countClaim(door, nowMs)
    if (!mayEnter(door, request)) {
      door.turnedAway = true
      return { verdict: 'none', retryAfterMs: RETRY_AFTER_MS }
    }
    if (isCalled(door, request) && !door.standing.has(request.sid)) door.tally.add(`shown/${request.lane}`)
  }
  if (usable(door) >= 1 && isEntitled(door, request, nowMs)) {
    const session = admit({ ...request, sid }, rules, nowMs)
    sessions.insert(session)
    spend(door, request.lane)
    door.movedAtMs = nowMs
    door.standing.delete(request.sid)
    return admitted(session, request)
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
  if (usable(door) >= 1 && nowMs - door.movedAtMs >= UNSPENT_FOR_MS) giveBack(door)
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
    ...(door.lanes ? { gone: goneIn(door.lanes) } : {}),
    live,
    open: door.view?.open ?? true,
    demand: demandOf(door, nowMs),
    version,
  }
}

/** Takes the room's answer. One meant for another life grants nothing; a late one is known by its total. */
export function applyReply(
  door: DoorState,
  reply: { epoch: number; seq: number; granted: number; lanes?: Readonly<Record<string, number>>; view: View },
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
    for (const [lane, granted] of Object.entries(reply.lanes ?? {})) {
      door.lanes ??= {}
      door.lanes[lane] ??= { granted: 0, gone: 0 }
      door.lanes[lane].granted = granted
    }
  }
  if (reply.view.held) giveBack(door)
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

/**
 * The name of the session that a claim is for: its own, but for a sid that an invitation has named. There sessions that were over
 * when the place was taken are passed by, so that an invitation is good more than once and an old ticket is not.
 */
function lifeOf(sessions: SessionStore, { sid, takenMs }: Claim, nowMs: number): string {
  if (takenMs === undefined) return sid
  let life = sid
  for (let lives = 0; lives < LIVES_MAX; lives++) {
    const session = sessions.get(life)
    if (!session || isLive(session, nowMs) || takenMs <= session.expiresMs) return life
    life = nextLife(life)
  }
  return life
}

function admitted({ sid, admittedMs, expiresMs }: Session, request: Claim): ClaimAnswer {
  const answer = { verdict: 'admitted', issuedMs: admittedMs, expiresMs } as const
  return sid === request.sid ? answer : { ...answer, sid }
}

function answerKnown(session: Session, request: Claim, rules: SessionRules, nowMs: number): ClaimAnswer {
  if (isLive(session, nowMs)) return admitted(session, request)
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

/**
 * Usable permits are for those of their lane who have stood by longest: there must be more of them than older visitors standing.
 * Beside its own a lane has what others have more of than visitors.
 */
function isEntitled(door: DoorState, request: Claim, nowMs: number): boolean {
  if (door.standing.size < usable(door)) return true
  const lane = servedAs(door, request.lane)
  const permits = door.lanes ? outIn(door, lane) + spareBeside(door, lane, nowMs) : usable(door)
  if (permits < 1) return false
  let older = 0
  for (const standing of door.standing.values()) {
    const { key, sid, seenMs } = standing
    // Ties are split by the sid.
    const isOlder = key < request.key || (key === request.key && sid < request.sid)
    if (!isOlder || nowMs - seenMs > STANDING_FOR_MS) continue
    if (door.lanes && servedAs(door, standing.lane) !== lane) continue
    if (++older >= permits) return false
  }
  return true
}

/** The lane whose permits somebody may use: who stands in a lane that was taken away uses those of the main one. */
function servedAs({ view }: DoorState, lane: string): string {
  return view?.lanes[lane]?.merged ? MAIN_LANE : lane
}

/** Permits of other lanes for which nobody stands there. */
function spareBeside(door: DoorState, lane: string, nowMs: number): number {
  const waiting = new Map<string, number>()
  for (const standing of door.standing.values()) {
    if (nowMs - standing.seenMs > STANDING_FOR_MS) continue
    const served = servedAs(door, standing.lane)
    waiting.set(served, (waiting.get(served) ?? 0) + 1)
  }
  let spare = 0
  for (const other of [MAIN_LANE, ...Object.keys(door.lanes ?? {})]) {
    if (other !== lane) spare += Math.max(0, outIn(door, other) - (waiting.get(other) ?? 0))
  }
  return spare
}

/** Spends a permit of the visitor's lane, or of the one that has most. */
function spend(door: DoorState, visitorsLane: string): void {
  if (door.lanes) {
    let lane = servedAs(door, visitorsLane)
    if (outIn(door, lane) < 1) {
      for (const other of [MAIN_LANE, ...Object.keys(door.lanes)]) {
        if (outIn(door, other) > outIn(door, lane)) lane = other
      }
    }
    const account = door.lanes[lane]
    if (account) account.gone++
  }
  door.spent++
  if (visitorsLane !== MAIN_LANE) door.tally.add(`admitted/${visitorsLane}`)
}

function giveBack(door: DoorState): void {
  door.returned += usable(door)
  for (const lane in door.lanes) {
    const account = door.lanes[lane]
    if (account) account.gone = account.granted
  }
}

function goneIn(lanes: Record<string, LaneAccount>): Record<string, number> {
  return Object.fromEntries(Object.entries(lanes).map(([lane, { gone }]) => [lane, gone]))
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
