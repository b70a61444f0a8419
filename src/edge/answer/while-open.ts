/**
 * Connections that outlast their request, such as WebSockets and event streams. An open connection keeps its session
 * alive. It is closed at most one lease after the session has ended, because the place may be another visitor's by then
 * (I2).
 */
import { leaseMs } from '../../core/session.ts'
import { seldom } from '../../runtime/log.ts'
import type { Admitted } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { callerAt } from '../room-client/door-client.ts'

/** The shortest time between two renewals. Without it, very short leases would keep the door busy. */
const ASKED_EVERY_MIN_MS = 1_000

/**
 * Renews the session at its door each time its lease is over, unless other requests have renewed it. Calls `end` once,
 * when the session has ended. A door that does not answer ends no connection. Returns a function that stops the
 * renewals.
 */
export function whileOpen(visit: Visit, { room, sid }: Admitted, end: () => void): () => void {
  let isOver = false
  let timer: number
  // The current settings are used, because a lease may have become shorter.
  const fromNow = () => Math.max(ASKED_EVERY_MIN_MS, leaseMs(room.settings.at(Date.now()).session))
  const ask = async () => {
    const nowMs = Date.now()
    const leftMs = (room.sessions.known(sid)?.untilMs ?? 0) - nowMs
    if (leftMs > 0) {
      timer = setTimeout(ask, leftMs)
      return
    }
    try {
      // The request lasts as long as its connection, so the renewal needs the current time.
      const answer = await room.sessions.renew(callerAt(visit, nowMs), { sid, protectMs: 0 })
      if (answer.verdict === 'ended' && !isOver) {
        isOver = true
        end()
      }
    } catch (error) {
      seldom.note('session-not-renewed', { room: room.name, detail: String(error) }, nowMs)
    }
    if (!isOver) timer = setTimeout(ask, fromNow())
  }
  timer = setTimeout(ask, fromNow())
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
