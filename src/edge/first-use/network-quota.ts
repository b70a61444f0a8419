/**
 * The quota of a network at this isolate for tickets without a session: it bounds how many are counted in the line, or
 * claim at once. The count is approximate and costs no call. Beyond the quota a ticket keeps its place and is counted
 * later. Only a room that rejects newcomers rejects them. So an office behind one address gets in line, and a script
 * with ten thousand tickets does not.
 */
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** The bounds of a delay. It is random, so that delayed visitors do not come back at one instant. */
const DELAY_MIN_MS = 2_000
const DELAY_MAX_MS = 60_000

/** Returns the network that has a limit in this room. Null: its address is unknown, or `anonymous.mode` is `off`. */
export function limitedNetwork(visit: Visit, room: RoomClient): string | null {
  return room.settings.anonymous && visit.network
}

/** Returns 0 when a ticket may be counted now, else the milliseconds until the next try. */
export function confirmDelayMs(visit: Visit, room: RoomClient): number {
  const quota = room.settings.anonymous
  const network = limitedNetwork(visit, room)
  if (!quota || !network) return 0
  const retryAfterMs = room.spendOrWaitMs(`anonymous/${network}`, quota, visit.nowMs)
  return retryAfterMs === 0 ? 0 : Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, retryAfterMs) * (1 + Math.random()))
}
