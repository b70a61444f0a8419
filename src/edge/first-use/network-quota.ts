/**
 * The quota of a network at this isolate for tickets without a session: how many of them are counted in the line, or
 * claim at once. The count is approximate and costs no call. Beyond the quota a ticket keeps its place and is counted
 * later. Only a room that rejects newcomers rejects it. So an office behind one address gets in line, and a script with
 * ten thousand tickets does not.
 */
import { type Quota, quotaOf } from '../../core/gcra.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** A /48 has this many times the quota of one network: it may be a company, or many customers of a provider. */
const WIDER_QUOTA = 4
/** The bounds of a delay. Delays are random, so that visitors do not come back at the same instant. */
const DELAY_MIN_MS = 2_000
const DELAY_MAX_MS = 60_000

/**
 * Returns the network to which the limits of this room apply. Null if the address is unknown, or `anonymous.mode` is
 * `off`.
 */
export function limitedNetwork(visit: Visit, room: RoomClient): string | null {
  return room.settings.anonymous && visit.network
}

/** Returns 0 when a ticket may be counted now, else the milliseconds until the next try. */
export function confirmDelayMs(visit: Visit, room: RoomClient): number {
  const quota = room.settings.anonymous
  if (!quota) return 0
  const retryAfterMs = networkDelayMs(visit, room, 'anonymous', quota)
  return retryAfterMs === 0 ? 0 : Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, retryAfterMs) * (1 + Math.random()))
}

/**
 * Takes one from a quota of the visitor's network, and for an IPv6 address also from that of its /48. Returns 0, or the
 * milliseconds until both have one left. `kind` names the quota.
 */
export function networkDelayMs(visit: Visit, room: RoomClient, kind: string, quota: Quota): number {
  const network = limitedNetwork(visit, room)
  if (network === null) return 0
  const delayMs = room.spendOrWaitMs(`${kind}/${network}`, quota, visit.nowMs)
  const wider = visit.widerNetwork
  if (delayMs > 0 || wider === null) return delayMs
  const ofWider = quotaOf(WIDER_QUOTA, quota.intervalMs, quota.burst * WIDER_QUOTA)
  const widerDelayMs = room.spendOrWaitMs(`${kind}-wider/${wider}`, ofWider, visit.nowMs)
  if (widerDelayMs > 0) room.giveBack(`${kind}/${network}`, quota, 1)
  return widerDelayMs
}
