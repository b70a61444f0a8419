/**
 * Connections that outlast their request, such as WebSockets and event streams. An open connection keeps its session
 * alive, and is closed at most a lease after the session has ended: by then the place may be another visitor's (I2).
 */
import { leaseMs } from '../../core/session.ts'
import type { Admitted } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { callerAt } from '../room-client/caller.ts'

/** Leases of very short sessions would have the door asked all the time. */
const ASKED_EVERY_MIN_MS = 1_000

/**
 * Asks the door for the session each time that its lease is over, unless other requests of the session have renewed it.
 * Calls `end` when the session is gone, once. A door that does not answer ends no connection. Returns a function that
 * stops the asking.
 */
export function whileOpen(visit: Visit, { room, sid }: Admitted, end: () => void): () => void {
  let isOver = false
  let timer: number
  // As the settings are by then: a lease may have become shorter.
  const fromNow = () => Math.max(ASKED_EVERY_MIN_MS, leaseMs(room.settings.at(Date.now()).session))
  const ask = async () => {
    const nowMs = Date.now()
    const leftMs = (room.knownSession(sid)?.untilMs ?? 0) - nowMs
    if (leftMs > 0) {
      timer = setTimeout(ask, leftMs)
      return
    }
    try {
      // The request lives as long as its connection; its time does not stand still.
      const answer = await room.touch(callerAt(visit, nowMs), { sid, protectMs: 0 })
      if (answer.verdict === 'gone' && !isOver) {
        isOver = true
        end()
      }
    } catch (error) {
      console.warn(`the session of an open connection could not be renewed: ${String(error)}`)
    }
    if (!isOver) timer = setTimeout(ask, fromNow())
  }
  timer = setTimeout(ask, fromNow())
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
