/**
 * A door's sessions in memory, with the behaviour of the SQLite store: rows survive an eviction of the door, and who reads one gets a
 * copy. What is written belongs to the store from then on.
 */
import type { SessionStore } from '../../src/core/door/door.ts'
import { isForgettable, type Session, type SessionRules } from '../../src/core/session.ts'
import { Ends } from './ends.ts'

export class MemorySessions implements SessionStore {
  readonly #rows = new Map<string, Session>()
  /** When which session ends, or ended before it was renewed: then it is put back to its new end. */
  readonly #ends = new Ends()
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

  lastLives(sid: string): Session[] {
    const lives = [...this.#rows.values()].filter(row => row.sid === sid || row.sid.startsWith(`${sid}~`))
    return lives.sort((a, b) => a.admittedMs - b.admittedMs).slice(-2)
  }

  insert(session: Session): void {
    this.#rows.set(session.sid, session)
    this.#live++
    this.rowsWritten += 2
    this.#ends.add({ atMs: session.expiresMs, sid: session.sid })
  }

  update(session: Session): void {
    const { sid, expiresMs } = session
    const beforeMs = this.#rows.get(sid)?.expiresMs ?? expiresMs
    this.#rows.set(sid, session)
    this.rowsWritten += expiresMs === beforeMs ? 1 : 2
    if (expiresMs < beforeMs) this.#ends.add({ atMs: expiresMs, sid })
  }

  live(nowMs: number): number {
    this.#settledMs = Math.max(this.#settledMs, nowMs)
    for (let end = this.#ends.take(this.#settledMs); end; end = this.#ends.take(this.#settledMs)) {
      this.rowsRead++
      const endMs = this.#rows.get(end.sid)?.expiresMs ?? Number.NEGATIVE_INFINITY
      if (endMs === end.atMs) this.#live--
      else if (endMs > end.atMs) this.#ends.add({ atMs: endMs, sid: end.sid })
    }
    return this.#live
  }

  clock(nowMs: number): number {
    return Math.max(nowMs, this.#settledMs)
  }

  /** Not later than the next end: a renewal only shows when the end before it has passed. */
  nextEndMs(): number | undefined {
    return this.#ends.nextMs()
  }

  forget(lapsedKey: number, rules: SessionRules, nowMs: number): void {
    for (const [sid, row] of this.#rows) if (isForgettable(row, lapsedKey, rules, nowMs)) this.#rows.delete(sid)
  }
}
