/**
 * The WebSockets of open dashboards. They hibernate: a dashboard that is left open keeps no object in memory. They only
 * carry hints to read the room.
 */
import type { SocketOwner } from '../core/protocol/operators.ts'

/** A dashboard reads the room at each hint, so hints are at least this far apart. */
const HINT_EVERY_MS = 1_000
/** The most sockets, because each hint causes a read by each dashboard. Further dashboards just read once a second. */
const SOCKETS_MAX = 100
const HINT = 'news'
/** The platform answers a ping by itself, and wakes no object. */
const PING = 'ping'
const PONG = 'pong'
/**
 * Our own close codes. After `TIME_IS_UP` the dashboard may open a new socket. After `REVOKED` its token is no longer
 * valid.
 */
const TIME_IS_UP = 4_000
const REVOKED = 4_001
/** A close code of RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1_008

export class DashboardSockets {
  readonly #ctx: DurableObjectState
  #hintedAtMs = Number.NEGATIVE_INFINITY
  #isHintDue = false

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
  }

  /** Answers the request of the admin API for a socket. Its header `Owner` has a `SocketOwner` in JSON. */
  open(request: Request, nowMs: number): Response {
    const owner = JSON.parse(request.headers.get('Owner') ?? 'null') as SocketOwner | null
    if (owner === null || owner.endsAtMs <= nowMs) return new Response(null, { status: 400 })
    if (this.#ctx.getWebSockets().length >= SOCKETS_MAX) return new Response(null, { status: 503 })
    const { 0: client, 1: server } = new WebSocketPair()
    this.#ctx.acceptWebSocket(server, owner.tokenId === null ? [] : [owner.tokenId])
    server.serializeAttachment(owner)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Lets the dashboards know that there may be news: at once, or when the last hint is a second old. */
  hint(nowMs: number): void {
    if (this.#isHintDue || this.#ctx.getWebSockets().length === 0) return
    const waitMs = this.#hintedAtMs + HINT_EVERY_MS - nowMs
    if (waitMs <= 0) return this.#send(nowMs)
    this.#isHintDue = true
    setTimeout(() => {
      this.#isHintDue = false
      this.#send(Date.now())
    }, waitMs)
  }

  /** Closes the sockets that a token has opened. */
  end(tokenId: string): void {
    for (const socket of this.#ctx.getWebSockets(tokenId)) socket.close(REVOKED, 'The token was revoked')
  }

  /**
   * Closes a socket that sends anything but a ping. A dashboard never does, and each such message would wake the
   * object.
   */
  refuseMessage(socket: WebSocket): void {
    socket.close(POLICY_VIOLATION, 'This socket takes no messages')
  }

  #send(nowMs: number): void {
    this.#hintedAtMs = nowMs
    for (const socket of this.#ctx.getWebSockets()) {
      const { endsAtMs } = socket.deserializeAttachment() as SocketOwner
      if (endsAtMs <= nowMs) socket.close(TIME_IS_UP, 'Open the next socket')
      else if (socket.readyState === WebSocket.OPEN) socket.send(HINT)
    }
  }
}
