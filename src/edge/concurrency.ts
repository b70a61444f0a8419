/** `max_concurrent`: how many requests of one session may be under way at this isolate. */
import type { RoomSettings } from '../settings/compiled.ts'
import type { SessionLimits } from './session-limits.ts'

/** A slot is free by itself so long after the origin's time is up: a request may be cut off without a word. */
const SLOT_LOST_MS = 1_000

export class Concurrency {
  #most: number | null = null
  #slotLostMs = 0

  follow({ config, originTimeoutMs }: RoomSettings): void {
    this.#most = config.suspended || config.mode === 'observe' ? null : config.max_concurrent
    this.#slotLostMs = originTimeoutMs + SLOT_LOST_MS
  }

  isFull(session: SessionLimits, nowMs: number): boolean {
    return this.#most !== null && this.#running(session, nowMs) >= this.#most
  }

  begin(session: SessionLimits, nowMs: number): void {
    if (this.#most !== null) session.running.push(nowMs)
  }

  end(session: SessionLimits, beganMs: number): void {
    const at = session.running.indexOf(beganMs)
    if (at >= 0) session.running.splice(at, 1)
  }

  #running(session: SessionLimits, nowMs: number): number {
    if (session.running.length > 0) session.running = session.running.filter(at => nowMs - at < this.#slotLostMs)
    return session.running.length
  }
}
