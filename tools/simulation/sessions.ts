/**
 * A door's sessions in memory, with the behaviour of the SQLite store. Rows survive an eviction of the door, and a
 * reader gets a copy. A session that is written belongs to the store: the caller must not change it later.
 */
import type { SessionStore } from '../../src/core/door/door.ts'
import { isPrunable, type Session, type SessionRules } from '../../src/core/session.ts'
import { Queue } from './queue.ts'

export class MemorySessions implements SessionStore {
  readonly #rows = new Map<string, Session>()
  /** The end of each session. A renewal leaves the old end here, until its time comes: then the new end replaces it. */
  readonly #ends = new Queue<{ readonly dueMs: number; readonly sid: string }>()
  #live = 0
  #settledMs = Number.NEGATIVE_INFINITY
  /** The rows that Cloudflare would bill: one for each statement. */
  rowsWritten = 0
  rowsRead = 0

  get(sid: string): Session | undefined {
    const row = this.#rows.get(sid)
    if (row) this.rowsRead++
    return row && { ...row }
  }

  lastSessions(sid: string): Session[] {
    const lives = [...this.#rows.values()].filter(row => row.sid === sid || row.sid.startsWith(`${sid}~`))
    return lives.sort((a, b) => a.admittedMs - b.admittedMs).slice(-2)
  }

  insert(session: Session): Session | undefined {
    const known = this.get(session.sid)
    if (known) return known
    this.#rows.set(session.sid, session)
    this.#live++
    this.rowsWritten++
    this.#ends.add({ dueMs: session.expiresMs, sid: session.sid })
    return undefined
  }

  update(session: Session): void {
    const { sid, expiresMs } = session
    const beforeMs = this.#rows.get(sid)?.expiresMs ?? expiresMs
    this.#rows.set(sid, session)
    this.rowsWritten++
    if (expiresMs < beforeMs) this.#ends.add({ dueMs: expiresMs, sid })
  }

  live(nowMs: number): number {
    this.#settledMs = Math.max(this.#settledMs, nowMs)
    for (let end = this.#ends.take(this.#settledMs); end; end = this.#ends.take(this.#settledMs)) {
      this.rowsRead++
      const endMs = this.#rows.get(end.sid)?.expiresMs ?? Number.NEGATIVE_INFINITY
      if (endMs === end.dueMs) this.#live--
      else if (endMs > end.dueMs) this.#ends.add({ dueMs: endMs, sid: end.sid })
    }
    return this.#live
  }

  clock(nowMs: number): number {
    return Math.max(nowMs, this.#settledMs)
  }

  /** Returns a time at or before the next end. It may be the old end of a session that was renewed. */
  nextEndMs(): number | undefined {
    return this.#ends.nextMs()
  }

  forget(lapsedKey: number, rules: SessionRules, nowMs: number): void {
    for (const [sid, row] of this.#rows) if (isPrunable(row, lapsedKey, rules, nowMs)) this.#rows.delete(sid)
  }
}
