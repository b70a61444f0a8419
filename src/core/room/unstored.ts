/**
 * Decides when histograms are stored. All changed chunks are stored together, at most once a second, however many doors
 * report. Until then each count is in the row of the door that reported it. So it is durable before the door gets its
 * answer, and an object that starts again adds it to its histogram.
 */

import { BUCKET_MS, chunkOf } from '../line/arrivals.ts'
import { confirm, uncount } from '../line/line.ts'
import { markDirty } from './settings.ts'
import type { DoorRecord, RoomState } from './state.ts'

const STORED_EVERY_MS = 1_000
/** A door's row also has its last report, and can be 2 MB at most. These counts are at most half a megabyte. */
const COUNTS_MAX = 10_000

/** Adds a count to the row of the door that reported it. */
export function noteUnstored(room: RoomState, door: DoorRecord, cell: string, by: number): void {
  door.unstored ??= { after: room.chunksStored.times, cells: {}, counts: 0 }
  const { cells } = door.unstored
  door.unstored.counts++
  cells[cell] = (cells[cell] ?? 0) + by
}

/** Adds the counts in the rows of doors to the histograms. Both must have been loaded. */
export function addUnstored(room: RoomState): void {
  for (const kind of ['line', 'gone']) for (const door of room.doors.values()) addFrom(room, door, kind)
}

/** True if chunks must be stored now. A removed lane is stored at once, because its people have moved. */
export function isStoringDue(room: RoomState, nowMs: number): boolean {
  if (room.dirty.size === 0) return false
  const sinceMs = nowMs - room.chunksStored.atMs
  if (sinceMs >= STORED_EVERY_MS || sinceMs < 0) return true
  for (const lane of room.dirty.keys()) if (!room.lines.has(lane)) return true
  for (const { unstored } of room.doors.values()) if (unstored && unstored.counts > COUNTS_MAX) return true
  return false
}

/** Returns the chunks of the histograms that the caller must store now, by lane, and clears the list. */
export function takeDirty(room: RoomState, nowMs: number): ReadonlyMap<string, ReadonlySet<number>> {
  const dirty = new Map(room.dirty)
  room.dirty.clear()
  room.chunksStored.times++
  room.chunksStored.atMs = nowMs
  for (const door of room.doors.values()) delete door.unstored
  return dirty
}

function addFrom(room: RoomState, door: DoorRecord, kind: string): void {
  if (door.unstored?.after !== room.chunksStored.times) {
    delete door.unstored
    return
  }
  for (const [cell, by] of Object.entries(door.unstored.cells)) {
    const [ofKind, lane = '', bucketText] = cell.split('/')
    const line = room.lines.get(lane)
    const bucket = Number(bucketText)
    if (ofKind !== kind || !line) continue
    if (kind === 'line') confirm(line, bucket, (bucket + 1) * BUCKET_MS, by)
    else uncount(line, bucket, (bucket + 1) * BUCKET_MS, by)
    markDirty(room, lane, chunkOf(bucket))
  }
}
