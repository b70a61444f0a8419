/**
 * The rules of a session: when it ends, when it is renewed, and which visitors may come back.
 *
 * A sid is claimed once. Its row stays after the session until no ticket of that sid can be claimed. So a replayed
 * ticket always meets its row.
 */
import { SKEW_MS } from './ticket.ts'

/** One admitted visitor, as the door stores it. Times are milliseconds of the door's clock. */
export interface Session {
  readonly sid: string
  readonly key: number
  readonly lane: string
  readonly admittedMs: number
  /**
   * The place is taken until this time. A session that was ended early keeps its place until its last lease is over.
   */
  expiresMs: number
  /** How the session was ended before its time; null if it was not. */
  ended: 'left' | 'revoked' | null
  /** True once the session's pass has come back, so that the visitor is known to keep cookies. */
  returned: boolean
  /** True if requests no longer move the end: the settings allow no more time, even for a busy visitor. */
  endsByTime: boolean
  /** True if its place was one at the front, given after an earlier session. */
  readonly isReentry: boolean
}

/** The part of a room's settings that sessions follow. */
export interface SessionRules {
  readonly sessionMs: number
  readonly renewal: boolean
  readonly sessionMaxMs: number | null
  readonly reentryGraceMs: number
  readonly claimWindowMs: number
}

/**
 * A session whose pass never comes back ends within one minute, so that robots without cookies do not fill the room.
 * The report of its end takes up to three seconds to reach the room, so it ends three seconds earlier.
 */
const FIRST_MS = 57_000
/** No lease is longer than this. So the place of a session that was ended is free within this time. */
const LEASE_MAX_MS = 10_000

/** A place at the front for a visitor whose session has just ended. Every replay is given the same place. */
export interface Again {
  readonly sid: string
  readonly key: number
  readonly lane: string
}

export function leaseMs(rules: SessionRules): number {
  return Math.min(LEASE_MAX_MS, rules.sessionMs / 4)
}

/** Returns a new session. `claimedSid` is the sid in the claim, which may differ from that of the session. */
export function admit(
  claim: { sid: string; key: number; lane: string },
  rules: SessionRules,
  nowMs: number,
  claimedSid = claim.sid,
): Session {
  const expiresMs = nowMs + Math.min(rules.sessionMs, FIRST_MS)
  const { sid, key, lane } = claim
  const endsByTime = (!rules.renewal && rules.sessionMs <= FIRST_MS) || isAtMaximum(rules, nowMs, expiresMs)
  // Only the sid of a ticket for a place at the front contains `~`.
  const isReentry = claimedSid.includes('~')
  return { sid, key, lane, admittedMs: nowMs, expiresMs, ended: null, returned: false, endsByTime, isReentry }
}

export function isLive(session: Session, nowMs: number): boolean {
  return session.ended === null && session.expiresMs > nowMs
}

/**
 * Returns when a live session ends, after a request now. D is the session's duration. With renewal, a session is
 * renewed only when less than D is left, and then to 1.25 D. So there are at most four renewals per D. The session ends
 * between D and 1.25 D after its last request. A maximum may end it earlier, and a protected path may keep it longer.
 */
export function renewedExpiry(session: Session, rules: SessionRules, protectMs: number, nowMs: number): number {
  const { sessionMs, sessionMaxMs } = rules
  let expiresMs = session.expiresMs
  if (!rules.renewal) {
    if (!session.returned) expiresMs = session.admittedMs + sessionMs
  } else if (expiresMs < nowMs + sessionMs) {
    expiresMs = nowMs + sessionMs * 1.25
  }
  if (sessionMaxMs !== null) expiresMs = Math.min(expiresMs, session.admittedMs + sessionMaxMs)
  const protectedUntilMs = protectMs > 0 ? nowMs + protectMs : 0
  return Math.max(Math.floor(expiresMs), session.expiresMs, protectedUntilMs)
}

/** True if requests cannot move this end any more. A later change of the settings still can. */
export function endsByTime({ admittedMs }: Session, rules: SessionRules, expiresMs: number): boolean {
  return !rules.renewal || isAtMaximum(rules, admittedMs, expiresMs)
}

function isAtMaximum({ sessionMaxMs }: SessionRules, admittedMs: number, expiresMs: number): boolean {
  return sessionMaxMs !== null && expiresMs >= admittedMs + sessionMaxMs
}

/** Ends a session now. Its place is free once no edge can still hold a lease of it. */
export function end(session: Session, how: 'left' | 'revoked', rules: SessionRules, nowMs: number): void {
  session.ended = how
  session.expiresMs = Math.min(session.expiresMs, nowMs + leaseMs(rules))
}

/**
 * Returns the place at the front for a visitor whose session ended by inactivity a moment ago. Returns null if the
 * session ended in any other way, or had itself begun from such a place. Otherwise a visitor whose time is up could
 * come in again for ever, ahead of the line.
 */
export function again(session: Session, rules: SessionRules, nowMs: number): Again | null {
  if (session.ended !== null || session.endsByTime || session.isReentry) return null
  if (nowMs > session.expiresMs + rules.reentryGraceMs) return null
  return { sid: nextSid(session.sid), key: session.key, lane: session.lane }
}

/** True if a session ended because its visitor opened nothing for as long as the session lasts. */
export function endedByInactivity({ ended, endsByTime, returned }: Session): boolean {
  return ended === null && !endsByTime && returned
}

/**
 * A session's row can be deleted if it ended and began before these times, and its key lapsed long enough ago. The key
 * alone is not enough. A refused claim makes a ticket valid for another claim window, until its session begins. A place
 * at the front may be given until the grace period of the earlier session is over. It is then valid for one claim
 * window.
 */
export function prunableBefore(
  { claimWindowMs, reentryGraceMs }: SessionRules,
  nowMs: number,
): { readonly endedBeforeMs: number; readonly admittedBeforeMs: number } {
  const endedBeforeMs = nowMs - reentryGraceMs - SKEW_MS
  return { endedBeforeMs, admittedBeforeMs: endedBeforeMs - claimWindowMs }
}

/** True if the session's row can be deleted, because no ticket of its sid can be claimed any more. */
export function isPrunable(session: Session, lapsedKey: number, rules: SessionRules, nowMs: number): boolean {
  const { endedBeforeMs, admittedBeforeMs } = prunableBefore(rules, nowMs)
  return session.key <= lapsedKey && session.expiresMs < endedBeforeMs && session.admittedMs < admittedBeforeMs
}

/**
 * Returns the sid of the session that follows. It is derived, so that every replay of an ended pass gets the same
 * place.
 */
export function nextSid(sid: string): string {
  const [base, nth] = sid.split('~')
  return `${base}~${Number(nth ?? 0) + 1}`
}
