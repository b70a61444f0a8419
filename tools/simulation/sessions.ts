/** A door's sessions in memory, with the behaviour of the SQLite store: rows survive an eviction of the door. */
import type { SessionStore } from '../../src/core/door.ts'
import { isForgettable, type Session, type SessionRules } from '../../src/core/sessions.ts'
import { Heap } from './heap.ts'

export class MemorySessions implements SessionStore {
  readonly #rows = new Map<string, Session>()
  /** When which session ends. A renewed one has a later entry of its own; the earlier is passed over. */
  readonly #ends = new Heap<{ atMs: number; sid: string }>((a, b) => a.atMs < b.atMs)
  #live = 0
  #settledMs = Number.NEGATIVE_INFINITY
  rowsWritten = 0

  get(sid: string): Session | undefined {
    const row = this.#rows.get(sid)
    return row && { ...row }
  }

  insert(session: Session): void {
    this.#rows.set(session.sid, { ...session })
    this.#live++
    this.rowsWritten++
    this.#expect(session.expiresMs, session.sid)
  }

  update(session: Session): void {
    const moved = this.#rows.get(session.sid)?.expiresMs !== session.expiresMs
    this.#rows.set(session.sid, { ...session })
    this.rowsWritten++
    if (moved) this.#expect(session.expiresMs, session.sid)
  }

  live(nowMs: number): number {
    this.#settledMs = Math.max(this.#settledMs, nowMs)
    for (let top = this.#ends.first; top && top.atMs <= this.#settledMs; top = this.#ends.first) {
      this.#ends.pop()
      if (this.#rows.get(top.sid)?.expiresMs === top.atMs) this.#live--
    }
    return this.#live
  }

  nextEndMs(): number | undefined {
    return this.#ends.first?.atMs
  }

  forget(lapsedKey: number, rules: SessionRules, nowMs: number): void {
    for (const [sid, row] of this.#rows) if (isForgettable(row, lapsedKey, rules, nowMs)) this.#rows.delete(sid)
  }

  #expect(atMs: number, sid: string): void {
    this.#ends.push({ atMs, sid })
  }
}
