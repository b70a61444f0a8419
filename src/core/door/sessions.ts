/** What a door does for those inside: their sessions go on, end, or are kept. It takes no permit. */
import type { Touch, TouchAnswer } from '../protocol/messages.ts'
import { again, end, endsByTime, isLive, leaseMs, renewedExpiry, type Session, type SessionRules } from '../session.ts'

/** The sessions of a door, durable. */
export interface SessionStore {
  get(sid: string): Session | undefined
  /** The last two sessions of a sid and its later lives that are not forgotten, the older one first. */
  lastLives(sid: string): readonly Session[]
  /** One that has ended already takes no place. */
  insert(session: Session): void
  update(session: Session): void
  /** Sessions whose place is taken at `nowMs`. */
  live(nowMs: number): number
  /**
   * The time by which sessions are judged: `nowMs`, but never earlier than what `live` has counted up to. A place that came free
   * may be somebody else's by now, so no clock that is set back may revive its session (I2).
   */
  clock(nowMs: number): number
}

/** Renews a live session. Protected requests keep a shopper in while paying. */
export function touch(sessions: SessionStore, rules: SessionRules, request: Touch, nowMs: number): TouchAnswer {
  const session = sessions.get(request.sid)
  if (!session) return { verdict: 'gone', again: null }
  const atMs = sessions.clock(nowMs)
  if (!isLive(session, atMs)) return { verdict: 'gone', again: again(session, rules, atMs) }
  if (!request.isIdle) renew(sessions, session, rules, request.protectMs, atMs)
  const { expiresMs } = session
  return { verdict: 'live', expiresMs, leaseMs: Math.min(leaseMs(rules), expiresMs - atMs) }
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
  const atMs = sessions.clock(nowMs)
  if (!session || !isLive(session, atMs)) return false
  end(session, how, rules, atMs)
  sessions.update(session)
  return true
}

/** Keeps a live session for at least `byMs` more; false when there is none. */
export function extendSession(sessions: SessionStore, sid: string, byMs: number, nowMs: number): boolean {
  const session = sessions.get(sid)
  const atMs = sessions.clock(nowMs)
  if (!session || !isLive(session, atMs)) return false
  session.expiresMs = Math.max(session.expiresMs, atMs + byMs)
  sessions.update(session)
  return true
}

function renew(sessions: SessionStore, session: Session, rules: SessionRules, protectMs: number, nowMs: number): void {
  const expiresMs = renewedExpiry(session, rules, protectMs, nowMs)
  const isFinal = endsByTime(session, rules, expiresMs)
  if (expiresMs === session.expiresMs && session.returned && isFinal === session.endsByTime) return
  session.expiresMs = expiresMs
  session.endsByTime = isFinal
  session.returned = true
  sessions.update(session)
}
