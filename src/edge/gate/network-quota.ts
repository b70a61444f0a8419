/**
 * What a network may do without a session: have so many tickets counted in the line, or let in at once, at this isolate. Approximate, and
 * without any call. Beyond it nobody is refused: the ticket keeps its place and is counted later, so that an office behind one address gets
 * in line, and a script with ten thousand tickets does not.
 */
import { networkOf } from '../request/address.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomAtEdge } from '../room-client/room-client.ts'

export { networkOf }

/** Everybody who is told to wait comes back about then, not at one instant. */
const DELAY_MIN_MS = 2_000
const DELAY_MAX_MS = 60_000

/** 0 when a ticket may be counted now, else when to try again. A challenge, where there is one, will be asked for here instead. */
export function mayConfirm(visit: Visit, room: RoomAtEdge): number {
  const quota = room.settings.anonymous
  const network = quota && visit.network
  if (!network) return 0
  const retryAfterMs = room.spend(`anonymous/${network}`, quota, visit.nowMs)
  return retryAfterMs === 0 ? 0 : Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, retryAfterMs) * (1 + Math.random()))
}
