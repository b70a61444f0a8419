/** Leases of rate limits that nobody uses: what a session lets lie is given back within some seconds, so that it is not charged for it. */
import type { Caller } from './doors.ts'
import type { Limits } from './limits.ts'
import type { Memory } from './memory.ts'
import type { SessionLimits } from './session-limits.ts'
import type { Touches } from './touches.ts'

/** Idle leases are looked for this often, so many times after one was lent. */
const IDLE_AFTER_MS = 2_000
const IDLE_LOOKS = 5
/** Sessions watched for being idle. */
const WATCHED_MAX = 10_000

export class IdleLeases {
  readonly #memory: Memory
  readonly #limits: Limits
  readonly #touchesOf: (sid: string) => Touches
  /** Sessions with leases that may become idle, and until when somebody looks. */
  readonly #watched = new Set<string>()
  #watchedUntilMs = 0

  constructor(memory: Memory, limits: Limits, touchesOf: (sid: string) => Touches) {
    this.#memory = memory
    this.#limits = limits
    this.#touchesOf = touchesOf
  }

  /** A session has just been lent something. */
  note(sid: string, session: SessionLimits, nowMs: number): void {
    if (this.#watched.size >= WATCHED_MAX || !this.#limits.hasMuch(session, nowMs)) return
    this.#limits.isIdle(session, nowMs)
    this.#watched.add(sid)
  }

  /** Begins to look, in the background, unless somebody does. */
  watch(caller: Caller, nowMs: number): void {
    if (this.#watched.size === 0 || nowMs < this.#watchedUntilMs) return
    this.#watchedUntilMs = nowMs + IDLE_AFTER_MS * (IDLE_LOOKS + 1)
    caller.waitUntil(this.#look(caller))
  }

  async #look(caller: Caller): Promise<void> {
    for (let look = 0; look < IDLE_LOOKS && this.#watched.size > 0; look++) {
      await new Promise<void>(resolve => setTimeout(resolve, IDLE_AFTER_MS))
      const nowMs = Date.now()
      const { env, calls, continent } = caller
      const later: Caller = { env, calls, continent, nowMs, waitUntil: promise => caller.waitUntil(promise) }
      for (const touches of this.#giveBack(later)) touches.sendLater(later)
    }
    this.#watchedUntilMs = 0
  }

  /** Asks for everything idle to be taken back; answers whom to send now. */
  #giveBack(caller: Caller): ReadonlySet<Touches> {
    const asked = new Set<Touches>()
    for (const sid of this.#watched) {
      const lease = this.#memory.leases.peek(sid)
      if (!lease || !this.#limits.hasMuch(lease.limits, caller.nowMs)) this.#watched.delete(sid)
      else if (this.#limits.isIdle(lease.limits, caller.nowMs)) {
        this.#watched.delete(sid)
        const touches = this.#touchesOf(sid)
        touches.askLater(caller, { sid, protectMs: 0, isIdle: true }, () => undefined)
        asked.add(touches)
      }
    }
    return asked
  }
}
