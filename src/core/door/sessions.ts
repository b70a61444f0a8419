/** The door's work for visitors inside: their sessions go on, end, or are extended. None of this takes a permit. */
import type { Renewal, RenewalAnswer } from '../protocol/messages.ts'
import {
  again,
  end,
  endedByInactivity,
  endsByTime,
  isLive,
  leaseMs,
  nextSid,
  renewedExpiry,
  type Session,
  type SessionRules,
} from '../session.ts'

/** The durable store of a door's sessions. */
export interface SessionStore {
  get(sid: string): Session | undefined
  /** Returns the last two stored sessions of a visitor, the older one first. Their sids are `sid` itself or `sid~n`. */
  lastSessions(sid: string): readonly Session[]
  /**
   * Inserts a session, unless one with its sid is stored. Then it returns the stored session, and changes nothing. A
   * session that has ended already takes no place.
   */
  insert(session: Session): Session | undefined
  /** Stores a changed session. `endedMs` is the end that the stored row had before the change. */
  update(session: Session, endedMs: number): void
  /** Returns the number of sessions that take a place at `nowMs`. */
  live(nowMs: number): number
  /**
   * Returns the time by which sessions are judged: `nowMs`, but never earlier than the time up to which `live` has
   * counted. A place that was counted as free may belong to another visitor by now. So a clock that is set back must
   * not revive the old session (I2).
   */
  clock(nowMs: number): number
}

/** How often places went to another browser. */
export interface TransferCounts {
  timesOf(place: string): number
}

/** A door's sessions, and the rules in force for them. */
export interface DoorSessions {
  readonly store: SessionStore
  readonly rules: SessionRules
  /** Absent where no place is ever transferred. */
  readonly transfers?: TransferCounts
}

/**
 * Returns the sid of the session that a claim is for. It is the claim's own sid, except for a sid from an invitation.
 * Such a sid has one session after another, and sessions that had ended when the place was taken do not count. So an
 * invitation can be used more than once, but an old ticket cannot. The rows of earlier sessions may be deleted already.
 */
export function sidFor(
  sessions: SessionStore,
  { sid, takenMs }: { sid: string; takenMs?: number | undefined },
  nowMs: number,
): string {
  if (takenMs === undefined) return sid
  // Sessions of one sid never overlap and end times only increase, so looking at the last two is enough.
  const known = sessions.lastSessions(sid)
  const own = known.find(session => isLive(session, nowMs) || takenMs <= session.expiresMs)
  if (own) return own.sid
  const last = known.at(-1)
  return last ? nextSid(last.sid) : sid
}

/** Renews a live session. A request on a protected path keeps the session long enough to finish a payment. */
export function renewSession(sessions: DoorSessions, request: Renewal, nowMs: number): RenewalAnswer {
  const { store, rules } = sessions
  const session = store.get(request.sid)
  if (!session) return { verdict: 'ended', again: null }
  const atMs = store.clock(nowMs)
  if (!isLive(session, atMs)) {
    const byInactivity = endedByInactivity(session) ? ({ byInactivity: true } as const) : {}
    return { verdict: 'ended', again: again(session, rules, atMs), ...byInactivity }
  }
  if (!request.isReportOnly) moveEnd(sessions, session, request.protectMs, atMs)
  const { expiresMs } = session
  return { verdict: 'live', expiresMs, leaseMs: Math.min(leaseMs(rules), expiresMs - atMs) }
}

/** Ends a session, because the visitor or the operator wants it. Returns false if there is no such live session. */
export function endSession(
  { store, rules }: DoorSessions,
  sid: string,
  how: 'left' | 'revoked',
  nowMs: number,
): boolean {
  const session = store.get(sid)
  const atMs = store.clock(nowMs)
  if (!session || !isLive(session, atMs)) return false
  const { expiresMs } = session
  end(session, how, rules, atMs)
  store.update(session, expiresMs)
  return true
}

/** Extends a live session, so that it lasts at least `byMs` more. Returns false if there is none. */
export function extendSession(sessions: SessionStore, sid: string, byMs: number, nowMs: number): boolean {
  const session = sessions.get(sid)
  const atMs = sessions.clock(nowMs)
  if (!session || !isLive(session, atMs)) return false
  const { expiresMs } = session
  session.expiresMs = Math.max(expiresMs, atMs + byMs)
  sessions.update(session, expiresMs)
  return true
}

function moveEnd({ store, rules }: DoorSessions, session: Session, protectMs: number, nowMs: number): void {
  const endedMs = session.expiresMs
  const expiresMs = renewedExpiry(session, rules, protectMs, nowMs)
  const isFinal = endsByTime(session, rules, expiresMs)
  if (expiresMs === endedMs && session.returned && isFinal === session.endsByTime) return
  session.expiresMs = expiresMs
  session.endsByTime = isFinal
  session.returned = true
  store.update(session, endedMs)
}
