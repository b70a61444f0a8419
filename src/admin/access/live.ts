/**
 * The WebSocket of a dashboard. It only carries hints that the room has news: the dashboard then reads the room, and
 * that request checks the token and the role again.
 */
import type { SocketOwner } from '../../core/protocol/operators.ts'
import { MINUTE_MS } from '../../core/timing.ts'
import { roomStub } from '../../settings/env.ts'
import { type Admin, withRoom } from '../context.ts'
import { fail } from '../refusals.ts'
import { isSocket, LIVE_PROTOCOL, protocolsOf } from './socket.ts'

/** The longest life of a socket. The dashboard opens the next one, and its token is checked again. */
const LIFE_MS = 15 * MINUTE_MS

export function liveRoute(app: Admin): void {
  app.get('/api/v1/rooms/:name/live', context =>
    withRoom(context, async (env, name) => {
      const { raw } = context.req
      if (!isSocket(raw) || !protocolsOf(raw).includes(LIVE_PROTOCOL)) {
        const headers = { Upgrade: 'websocket' }
        return fail(426, 'This is a WebSocket', `Ask for the subprotocol ${LIVE_PROTOCOL}.`, { headers })
      }
      const { tokenId, endsAtMs } = context.get('identity')
      const lifeEndMs = context.env.visit.nowMs + LIFE_MS
      const owner: SocketOwner = { tokenId, endsAtMs: Math.min(endsAtMs ?? lifeEndMs, lifeEndMs) }
      const headers = { Upgrade: 'websocket', Owner: JSON.stringify(owner) }
      const { status, webSocket } = await roomStub(env, name).fetch('https://room/live', { headers })
      if (!webSocket)
        return fail(503, 'The room takes no more dashboards', `It has answered ${status}.`, {
          headers: { 'Retry-After': '60' },
        })
      return new Response(null, { status: 101, webSocket, headers: { 'Sec-WebSocket-Protocol': LIVE_PROTOCOL } })
    }),
  )
}
