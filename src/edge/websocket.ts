/**
 * A WebSocket through the room: messages pass both ways, the session stays alive while it is open, and the socket is
 * closed when the session is gone.
 */

import { callerAt } from './caller.ts'
import { commandHeaders } from './commands.ts'
import { giveCookie } from './cookie-giving.ts'
import type { Admitted } from './verdict.ts'
import type { Visit } from './visit.ts'

/** RFC 6455 section 7.4.1: the endpoint's policy was violated. */
const POLICY_VIOLATION = 1008

export function relay(
  visit: Visit,
  response: Response,
  upstream: WebSocket,
  admissions: readonly Admitted[],
): Response {
  const { 0: visitor, 1: edge } = new WebSocketPair()
  upstream.accept()
  edge.accept()
  join(edge, upstream)
  join(upstream, edge)
  for (const admission of admissions) keepAlive(visit, admission, edge, upstream)
  const headers = new Headers(response.headers)
  for (const name of commandHeaders(headers)) headers.delete(name)
  for (const { room, pass, isNew } of admissions) {
    if (isNew) giveCookie(visit, room, headers, pass)
  }
  return new Response(null, { status: 101, webSocket: visitor, headers })
}

function join(from: WebSocket, to: WebSocket): void {
  from.addEventListener('message', event => to.send(event.data))
  from.addEventListener('close', event => close(to, event.code, event.reason))
  from.addEventListener('error', () => close(to, 1011, 'the other side failed'))
}

/** Whoever comes in by a socket has nothing else that would come back with the pass: until then a session is short. */
const FIRST_TOUCH_MS = 20_000

/** Touches the session soon, and then each quarter of its duration. A door that does not answer ends nobody's connection. */
function keepAlive(visit: Visit, { room, sid }: Admitted, ...sockets: WebSocket[]): void {
  // As the settings are by then: a shorter session must be touched more often.
  const everyMs = () => Math.max(1_000, room.settings.at(Date.now()).session.sessionMs / 4)
  let isOver = false
  const touch = async () => {
    try {
      // The request of the upgrade lives as long as the socket; its time does not stand still.
      const answer = await room.touch(callerAt(visit, Date.now()), { sid, protectMs: 0 })
      if (answer.verdict === 'gone')
        for (const socket of sockets) close(socket, POLICY_VIOLATION, 'the session has ended')
    } catch (error) {
      console.warn(`a WebSocket's session could not be touched: ${String(error)}`)
    }
    if (!isOver) timer = setTimeout(touch, everyMs())
  }
  let timer = setTimeout(touch, Math.min(everyMs(), FIRST_TOUCH_MS))
  for (const socket of sockets)
    socket.addEventListener('close', () => {
      isOver = true
      clearTimeout(timer)
    })
}

/** Codes that only describe a broken connection (1005, 1006, 1015) cannot be sent. */
function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code === 1005 || code === 1006 || code === 1015 ? 1000 : code, reason)
  } catch {
    // It is closed already: the other side was faster.
  }
}
