/** A door's sessions in memory, with the behaviour of the SQLite store: rows survive an eviction of the door. */
import type { SessionStore } from '../../src/core/door.ts'
import { isForgettable, type Session, type SessionRules } from '../../src/core/sessions.ts'
import { Heap } from './heap.ts'

export class MemorySessions implements SessionStore {
  readonly #rows = new Map<string, Session>()
  /** When which session ends, or ended before it was renewed: then it is put back to its new end. */
  readonly #ends = new Heap<{ atMs: number; sid: string }>((a, b) => a.atMs < b.atMs)
  #live = 0
  #settledMs = Number.NEGATIVE_INFINITY
  /** As they are billed: a row, and one of the index by end when that moves. */
  rowsWritten = 0
  rowsRead = 0

  get(sid: string): Session | undefined {
    const row = this.#rows.get(sid)
    if (row) this.rowsRead++
    return row && { ...row }
  }

  insert(session: Session): void {
    this.#rows.set(session.sid, { ...session })
    this.#live++
    this.rowsWritten += 2
    this.#ends.push({ atMs: session.expiresMs, sid: session.sid })
  }

  update(session: Session): void {
    const { sid, expiresMs } = session
    const beforeMs = this.#rows.get(sid)?.expiresMs ?? expiresMs
    this.#rows.set(sid, { ...session })
    this.rowsWritten += expiresMs === beforeMs ? 1 : 2
    if (expiresMs < beforeMs) this.#ends.push({ atMs: expiresMs, sid })
  }

  live(nowMs: number): number {
    this.#settledMs = Math.max(this.#settledMs, nowMs)
    for (let top = this.#ends.first; top && top.atMs <= this.#settledMs; top = this.#ends.first) {
      this.#ends.pop()
      this.rowsRead++
      const endMs = this.#rows.get(top.sid)?.expiresMs ?? Number.NEGATIVE_INFINITY
      if (endMs === top.atMs) this.#live--
      else if (endMs > top.atMs) this.#ends.push({ atMs: endMs, sid: top.sid })
    }
    return this.#live
  }

  /** Not later than the next end: a renewal only shows when the end before it has passed. */
  nextEndMs(): number | undefined {
    return this.#ends.first?.atMs
  }

  forget(lapsedKey: number, rules: SessionRules, nowMs: number): void {
    for (const [sid, row] of this.#rows) if (isForgettable(row, lapsedKey, rules, nowMs)) this.#rows.delete(sid)
  }
}
