/** Applies what edges and doors have counted: places in line, called visitors who were seen, and totals. */

import { enter } from '../events/draws.ts'
import { BUCKET_MS, chunkOf } from '../line/arrivals.ts'
import { confirm, uncount } from '../line/line.ts'
import type { Cells } from '../tally.ts'
import { MAIN_LANE } from '../ticket.ts'
import { markDirty } from './settings.ts'
import { count, type DoorRecord, lineOf, type RoomState } from './state.ts'
import { noteTransfer } from './transferred.ts'
import { noteUnstored } from './unstored.ts'

/** A skewed clock may put a ticket this far into the future. Tickets further ahead are not counted. */
const FUTURE_MS = 60_000

/**
 * Applies counted cells. Their names are:
 * - `line/<lane>/<bucket>`: confirmed tickets
 * - `gone/<lane>/<bucket>`: tickets that were given up
 * - `entry/<draw>`: entries in a draw
 * - `shown/<lane>`: called visitors who were seen
 * - `transfer/<place>/<n>`: the place has gone to another browser for the nth time
 * - `health/...`: samples of the origin's health, which are not applied here
 * - any other name: a total
 */
export function applyCells(room: RoomState, door: DoorRecord, cells: Cells, nowMs: number): void {
  for (const [cell, by] of Object.entries(cells)) {
    const [kind, lane = '', bucketText = ''] = cell.split('/')
    const places = { door, lane, bucket: Number(bucketText), by }
    if (kind === 'line') confirmIn(room, places, nowMs)
    else if (kind === 'gone') giveUp(room, places)
    else if (kind === 'health') continue
    else if (kind === 'entry') enter(room.events, Number(lane), by)
    else if (kind === 'transfer') countTransfer(room, lane, Number(bucketText), nowMs)
    else if (kind === 'shown') countShown(room, room.lines.has(lane) ? lane : MAIN_LANE, by)
    else count(room, cell, by)
  }
}

/** Counted places in one bucket. `lane` is the lane of their tickets; it may have been removed. */
interface Places {
  readonly door: DoorRecord
  readonly lane: string
  readonly bucket: number
  readonly by: number
}

function confirmIn(room: RoomState, { door, lane: ofTickets, bucket, by }: Places, nowMs: number): void {
  const endKey = (bucket + 1) * BUCKET_MS
  if (!Number.isSafeInteger(bucket) || endKey > Math.max(nowMs, room.draws.untilKey) + FUTURE_MS) return
  const lane = lineOf(room, ofTickets, endKey)
  const line = room.lines.get(lane)
  if (!line) return
  confirm(line, bucket, endKey, by)
  noteUnstored(room, door, `line/${lane}/${bucket}`, by)
  markDirty(room, lane, chunkOf(bucket))
  count(room, 'confirmed', by)
}

/** Removes a ticket that was given up. If its visitor changes lanes, the old ticket does not come back. */
function giveUp(room: RoomState, { door, lane: ofTickets, bucket, by }: Places): void {
  if (!Number.isSafeInteger(bucket)) return
  const endKey = (bucket + 1) * BUCKET_MS
  const lane = lineOf(room, ofTickets, endKey)
  const line = room.lines.get(lane)
  if (!line) return
  uncount(line, bucket, endKey, by)
  noteUnstored(room, door, `gone/${lane}/${bucket}`, by)
  markDirty(room, lane, chunkOf(bucket))
}

function countShown(room: RoomState, lane: string, by: number): void {
  room.shown.set(lane, (room.shown.get(lane) ?? 0) + by)
  count(room, 'shown', by)
}

function countTransfer(room: RoomState, id: string, transfers: number, nowMs: number): void {
  noteTransfer(room.transferred, id, transfers, nowMs)
  count(room, 'transferred', 1)
}

/** Returns the samples of the origin's health among counted cells. */
export function healthIn(cells: Cells): Cells {
  const health: Record<string, number> = {}
  for (const cell in cells) if (cell.startsWith('health/')) health[cell] = cells[cell] as number
  return health
}
