/** The load of a room as its origin's health needs it. */
import type { Load } from '../../core/health/presence.ts'
import { voterShare } from '../../core/health/votes.ts'
import type { DoorReport, Snapshot } from '../../core/protocol/messages.ts'
import { type RoomState, readyCount, sums } from '../../core/room/room.ts'

/**
 * Returns the load of a room. With `report`, it is the load after that report, because sessions that have ended must
 * not count as gone ones.
 */
export function loadOf(room: RoomState, nowMs: number, report?: DoorReport): Load {
  const hasDemand = !room.open || readyCount(room, nowMs) > 0
  const inside = sums(room).live
  const admitted = room.totals.admitted ?? 0
  if (!report) return { inside, admitted, hasDemand }
  const door = room.doors.get(report.door)
  const spent = report.spent - (door?.epoch === report.epoch ? door.spent : 0)
  return {
    inside: inside + report.live - (door?.live ?? 0),
    admitted: admitted + Math.max(0, spent),
    hasDemand,
  }
}

/** Returns the share of sessions that vote, as a part of the snapshot. Returns nothing if all sessions vote. */
export function votersIn(room: RoomState): Pick<Snapshot, 'voterShare'> {
  const share = voterShare(sums(room).live)
  return share < 1 ? { voterShare: share } : {}
}
