/**
 * Unused token leases of rate limits. Tokens that a session does not use are given back within some seconds, so that
 * the session is not charged for them.
 */
import { IDLE_LOOK_MS, isIdle, isWorthReturning, noteLook, returnTokens } from '../../core/limits/token-lease.ts'
import type { TokenRequest } from '../../core/protocol/messages.ts'
import { type SessionLimits, tokenLeasesOf } from '../limits/session.ts'
import { type Caller, callerAt } from './door-client.ts'
import type { Memory } from './memory.ts'
import type { Renewals } from './renewals.ts'

/** After a lease was granted, the isolate looks this many times for idle leases. */
const IDLE_LOOKS = 5
/** The most sessions that are watched at once. */
const WATCHED_MAX = 10_000

export class IdleLeases {
  readonly #memory: Memory
  readonly #renewalsOf: (sid: string) => Renewals
  /** Sessions with leases that may become idle, and the time at which the looks end. */
  readonly #watched = new Set<string>()
  #watchedUntilMs = 0

  constructor(memory: Memory, renewalsOf: (sid: string) => Renewals) {
    this.#memory = memory
    this.#renewalsOf = renewalsOf
  }

  /** Begins to watch a session that was just lent tokens. */
  note(sid: string, session: SessionLimits, nowMs: number): void {
    if (this.#watched.size >= WATCHED_MAX || !hasIdleTokens(session, nowMs)) return
    noteLookAt(session)
    this.#watched.add(sid)
  }

  /** Begins to look for idle leases in the background, unless that is under way. */
  watch(caller: Caller, nowMs: number): void {
    if (this.#watched.size === 0 || nowMs < this.#watchedUntilMs) return
    this.#watchedUntilMs = nowMs + IDLE_LOOK_MS * (IDLE_LOOKS + 1)
    caller.waitUntil(this.#look(caller))
  }

  async #look(caller: Caller): Promise<void> {
    for (let look = 0; look < IDLE_LOOKS && this.#watched.size > 0; look++) {
      await new Promise<void>(resolve => setTimeout(resolve, IDLE_LOOK_MS))
      const nowMs = Date.now()
      const later = callerAt(caller, nowMs)
      for (const renewals of this.#returnIdle(later)) renewals.sendLater(later)
    }
    this.#watchedUntilMs = 0
  }

  /** Queues the return of all idle tokens. Returns the queues to send now. */
  #returnIdle(caller: Caller): ReadonlySet<Renewals> {
    const asked = new Set<Renewals>()
    for (const sid of this.#watched) {
      const session = this.#memory.sessions.peek(sid)
      if (!session || !hasIdleTokens(session.limits, caller.nowMs)) this.#watched.delete(sid)
      else if (!hasIdleLease(session.limits, caller.nowMs)) noteLookAt(session.limits)
      else {
        this.#watched.delete(sid)
        const renewals = this.#renewalsOf(sid)
        renewals.addLater(caller, { sid, protectMs: 0, isReportOnly: true }, () => undefined)
        asked.add(renewals)
      }
    }
    return asked
  }
}

/** Returns requests that give back an idle session's tokens. Returns none while a request of the session waits. */
export function returnIdle(session: SessionLimits, nowMs: number): readonly TokenRequest[] {
  const open = tokenLeasesOf(session)
  if (open.some(({ lease }) => lease.waiting > 0)) return []
  return open
    .filter(one => isWorthReturning(one.lease, one.policy.quota, nowMs))
    .map(one => returnTokens(one.lease, nowMs))
}

/** True if a session has something here that will be worth giving back once it is idle. */
function hasIdleTokens(session: SessionLimits, nowMs: number): boolean {
  return tokenLeasesOf(session).some(({ policy, lease }) => isWorthReturning(lease, policy.quota, nowMs))
}

/** True if a session has a lease that was not used since the last look, and is worth giving back. */
function hasIdleLease(session: SessionLimits, nowMs: number): boolean {
  return tokenLeasesOf(session).some(({ policy, lease }) => isIdle(lease, policy.quota, nowMs))
}

function noteLookAt(session: SessionLimits): void {
  for (const { lease } of tokenLeasesOf(session)) noteLook(lease)
}
