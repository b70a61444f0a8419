/**
 * A WebSocket through the room. Messages pass both ways unchanged, and the socket is closed when its session is over.
 *
 * The runtime answers pings by itself, and gives a Worker neither pings nor back-pressure. So messages that one side
 * does not read wait in the isolate's memory. A socket that needs no session is handed to the runtime, which supports
 * both.
 */

import type { Admitted } from '../gate/verdict.ts'
import { withheldHeaders } from '../origin/directives.ts'
import { giveCookie } from '../request/set-cookie.ts'
import type { Visit } from '../request/visit.ts'
import { whileOpen } from './while-open.ts'

/** Close codes of RFC 6455 section 7.4.1 and of IANA's registry. */
const GOING_AWAY = 1001
const NO_STATUS = 1005
const ABNORMAL = 1006
const POLICY_VIOLATION = 1008
const INTERNAL_ERROR = 1011
const BAD_GATEWAY = 1014
const TLS_FAILED = 1015

/**
 * After a Close frame from one side, the other side has this long to answer it. Then the first side is closed without
 * an answer.
 */
const CLOSES_WITHIN_MS = 10_000

/** One end of the relay. */
interface Side {
  readonly socket: WebSocket
  /** True once our Close frame was sent. Nothing may follow it. */
  isClosed: boolean
  /** The close code for the other side if this one is lost without a Close frame. */
  readonly lostCode: number
}

export function relay(
  visit: Visit,
  response: Response,
  upstream: WebSocket,
  admissions: readonly Admitted[],
): Response {
  const headers = new Headers(response.headers)
  for (const name of withheldHeaders(headers)) headers.delete(name)
  if (admissions.length === 0) return new Response(null, { status: 101, webSocket: upstream, headers })
  const { 0: visitor, 1: edge } = new WebSocketPair()
  const outer: Side = { socket: edge, isClosed: false, lostCode: GOING_AWAY }
  const inner: Side = { socket: upstream, isClosed: false, lostCode: BAD_GATEWAY }
  join(outer, inner)
  join(inner, outer)
  for (const { socket } of [outer, inner]) {
    // By default the runtime gives a Blob, which `send` would turn into text.
    socket.binaryType = 'arraybuffer'
    // A Close frame is answered by the other side, not by this Worker. So messages on their way still arrive.
    socket.accept({ allowHalfOpen: true })
  }
  for (const admission of admissions) {
    const stop = whileOpen(visit, admission, () => {
      for (const side of [outer, inner]) close(side, POLICY_VIOLATION, 'the session has ended')
    })
    for (const { socket } of [outer, inner]) socket.addEventListener('close', stop)
  }
  for (const { room, pass, isNew } of admissions) {
    if (isNew) giveCookie(visit, room.settings.config, headers, pass)
  }
  return new Response(null, { status: 101, webSocket: visitor, headers })
}

function join(from: Side, to: Side): void {
  from.socket.addEventListener('message', ({ data }) => {
    if (!to.isClosed) to.socket.send(data)
  })
  from.socket.addEventListener('close', ({ code, reason }) => {
    if (code === ABNORMAL || code === TLS_FAILED) close(to, from.lostCode, 'the other side was cut off')
    else close(to, code, reason)
    setTimeout(() => close(from, code, reason), CLOSES_WITHIN_MS)
  })
  from.socket.addEventListener('error', () => close(to, INTERNAL_ERROR, 'the other side failed'))
}

/**
 * Closes one side, once. Codes that only describe a connection cannot be sent. The peer gets 1005 again if no code is
 * sent.
 */
function close(side: Side, code: number, reason: string): void {
  if (side.isClosed) return
  side.isClosed = true
  try {
    if (code === NO_STATUS || code === ABNORMAL || code === TLS_FAILED) side.socket.close()
    else side.socket.close(code, reason)
  } catch {
    // The connection is lost, so there is nothing left to close.
  }
}
