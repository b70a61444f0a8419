/** `max_concurrent`: how many requests of one session may be under way at this isolate. */
import type { RoomSettings } from '../../settings/compiled/room.ts'
import { hasUpload, UPLOAD_MAX_MS } from '../request/upload.ts'
import type { Visit } from '../request/visit.ts'
import type { SessionLimits } from './session.ts'

/**
 * A slot expires this long after the longest possible request: an upload, then the timeout of the origin or of the
 * slowest upstream. An aborted request never reports its end, so its slot must expire.
 */
const SLOT_LOST_MS = 1_000

export class Concurrency {
  #most: number | null = null
  #slotLostMs = 0

  follow({ config, originTimeoutMs }: RoomSettings): void {
    this.#most = config.suspended || config.mode === 'observe' ? null : config.max_concurrent
    const timeoutsMs = config.upstreams.map(({ timeout }) => 1_000 * (timeout ?? 0))
    this.#slotLostMs = Math.max(originTimeoutMs, ...timeoutsMs) + SLOT_LOST_MS
  }

  isFull(session: SessionLimits, nowMs: number): boolean {
    return this.#most !== null && this.#running(session, nowMs) >= this.#most
  }

  begin(session: SessionLimits, visit: Visit): void {
    if (this.#most === null) return
    const lostMs = visit.nowMs + this.#slotLostMs + (hasUpload(visit.request) ? UPLOAD_MAX_MS : 0)
    session.running.push({ visit, lostMs })
  }

  end(session: SessionLimits, visit: Visit): void {
    const at = session.running.findIndex(one => one.visit === visit)
    if (at >= 0) session.running.splice(at, 1)
  }

  #running(session: SessionLimits, nowMs: number): number {
    if (session.running.length > 0) session.running = session.running.filter(({ lostMs }) => nowMs < lostMs)
    return session.running.length
  }
}
