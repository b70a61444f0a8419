/**
 * The rules of a session: when it ends, when it is renewed, and who may come back.
 *
 * A sid is claimed once. Its row outlives the session until no ticket of that sid can be claimed, so that a replayed
 * ticket always meets its row.
 */
import { SKEW_MS } from './ticket.ts'

/** One admitted visitor, as the door stores it. Times are milliseconds of the door's clock. */
export interface Session {
  readonly sid: string
  readonly key: number
  readonly lane: string
  readonly admittedMs: number
  /** The place is taken until then; a session that was ended keeps it until its last lease is over. */
  expiresMs: number
  /** Ended before its time. */
  ended: 'left' | 'revoked' | null
  /** Its pass has come back at least once, so the visitor keeps cookies. */
  returned: boolean
  /** Requests do not move its end: the settings allow no more time, however busy the visitor is. */
  endsByTime: boolean
  /** Its place was one at the front, given for an earlier session. */
  readonly isReentry: boolean
}

/** The part of a room's settings that sessions obey. */
export interface SessionRules {
  readonly sessionMs: number
  readonly renewal: boolean
  readonly sessionMaxMs: number | null
  readonly reentryGraceMs: number
  readonly claimWindowMs: number
}

/**
 * A session whose pass never came back is over within a minute, so that robots without cookies do not fill the room. The three
 * seconds are what the end of a session may take to reach the room.
 */
const FIRST_MS = 57_000
/** A lease is never longer, so an ended session's place is free this soon. */
const LEASE_MAX_MS = 10_000

/** A place at the front for somebody whose session has just ended; the same for every replay. */
export interface Again {
  readonly sid: string
  readonly key: number
  readonly lane: string
}

export function leaseMs(rules: SessionRules): number {
  return Math.min(LEASE_MAX_MS, rules.sessionMs / 4)
}

/** A new session. `claimedSid` is the sid of the claim, where the session has another name. */
export function admit(
  claim: { sid: string; key: number; lane: string },
  rules: SessionRules,
  nowMs: number,
  claimedSid = claim.sid,
): Session {
  const expiresMs = nowMs + Math.min(rules.sessionMs, FIRST_MS)
  const { sid, key, lane } = claim
  const endsByTime = (!rules.renewal && rules.sessionMs <= FIRST_MS) || isAtMaximum(rules, nowMs, expiresMs)
  // Only a place at the front has a ticket with the name of a later life.
  const isReentry = claimedSid.includes('~')
  return { sid, key, lane, admittedMs: nowMs, expiresMs, ended: null, returned: false, endsByTime, isReentry }
}

export function isLive(session: Session, nowMs: number): boolean {
  return session.ended === null && session.expiresMs > nowMs
}

/**
 * When a live session ends after a request now. It is renewed for a quarter more than it needs, and only when less than
 * the session's duration is left: at most four renewals per duration, and an end between D and 1.25 D after the last request.
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

/** Whether the end that `renewedExpiry` has given is final. A later change of the settings may make it move again. */
export function endsByTime({ admittedMs }: Session, rules: SessionRules, expiresMs: number): boolean {
  return !rules.renewal || isAtMaximum(rules, admittedMs, expiresMs)
}

function isAtMaximum({ sessionMaxMs }: SessionRules, admittedMs: number, expiresMs: number): boolean {
  return sessionMaxMs !== null && expiresMs >= admittedMs + sessionMaxMs
}

/** Ends a session now. Its place is free when no edge can still hold a lease of it. */
export function end(session: Session, how: 'left' | 'revoked', rules: SessionRules, nowMs: number): void {
  session.ended = how
  session.expiresMs = Math.min(session.expiresMs, nowMs + leaseMs(rules))
}

/**
 * The place at the front for a visitor who was cut off by inactivity a moment ago; null for any other end, and after a
 * place at the front. A visitor whose time is up would otherwise take the same place again and again, and those in line
 * would never get it.
 */
export function again(session: Session, rules: SessionRules, nowMs: number): Again | null {
  if (session.ended !== null || session.endsByTime || session.isReentry) return null
  if (nowMs > session.expiresMs + rules.reentryGraceMs) return null
  return { sid: nextLife(session.sid), key: session.key, lane: session.lane }
}

/**
 * Sessions that ended, and began, before these moments can be forgotten if their key had lapsed a claim window (and SKEW_MS) ago. The key
 * alone does not say it: a refused claim makes a ticket good for another window until its session begins, and a place at the
 * front is given, good for a window, until the grace of the session before is over, which had ended by then.
 */
export function forgettable(
  { claimWindowMs, reentryGraceMs }: SessionRules,
  nowMs: number,
): { readonly endedBeforeMs: number; readonly admittedBeforeMs: number } {
  const endedBeforeMs = nowMs - reentryGraceMs - SKEW_MS
  return { endedBeforeMs, admittedBeforeMs: endedBeforeMs - claimWindowMs }
}

/** Whether the row of a session can go: no ticket of its sid can be claimed any more. */
export function isForgettable(session: Session, lapsedKey: number, rules: SessionRules, nowMs: number): boolean {
  const { endedBeforeMs, admittedBeforeMs } = forgettable(rules, nowMs)
  return session.key <= lapsedKey && session.expiresMs < endedBeforeMs && session.admittedMs < admittedBeforeMs
}

/** Derived, so that every replay of one ended pass is given the same place. */
export function nextLife(sid: string): string {
  const [base, life] = sid.split('~')
  return `${base}~${Number(life ?? 0) + 1}`
}
