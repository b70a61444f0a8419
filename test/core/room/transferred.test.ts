import { describe, expect, it } from 'vitest'
import { newRoom, type RoomState, sync } from '../../../src/core/room/room.ts'
import { emptyReport } from '../../support/reports.ts'

const T0 = 1_700_000_000_000
const MINUTE_MS = 60_000
const rules = { ratePerMinute: 600, totalActiveUsers: 1_000, claimWindowMs: 300_000 }

/** Applies a report with these cells, and returns the transfers in the next snapshot. */
function transferredAfter(room: RoomState, seq: number, cells: Record<string, number>, nowMs: number) {
  sync(room, { ...emptyReport('a'), seq, cells, base: seq - 1 }, rules, nowMs)
  return room.snapshot?.transferred
}

describe('the transferred places in a snapshot', () => {
  it('have the number of their last transfer, and a late report changes nothing', () => {
    const room = newRoom(T0)
    expect(transferredAfter(room, 1, {}, T0)).toBeUndefined()
    expect(transferredAfter(room, 2, { 'transfer/AAAAAAAA/2': 1 }, T0 + 1_000)).toEqual({ AAAAAAAA: 2 })
    const both = { 'transfer/AAAAAAAA/1': 1, 'transfer/BBBBBBBB.7/1': 1 }
    expect(transferredAfter(room, 3, both, T0 + 2_000)).toEqual({ AAAAAAAA: 2, 'BBBBBBBB.7': 1 })
    expect(room.totals.transferred).toBe(3)
  })

  it('are named for a quarter of an hour', () => {
    const room = newRoom(T0)
    transferredAfter(room, 1, { 'transfer/AAAAAAAA/1': 1 }, T0)
    expect(transferredAfter(room, 2, {}, T0 + 15 * MINUTE_MS)).toEqual({ AAAAAAAA: 1 })
    expect(transferredAfter(room, 3, {}, T0 + 16 * MINUTE_MS)).toBeUndefined()
  })

  it('are the newest 500', () => {
    const room = newRoom(T0)
    const cells = Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`transfer/place${n}/1`, 1]))
    const named = Object.keys(transferredAfter(room, 1, cells, T0) ?? {})
    expect([named.length, named[0], named.at(-1)]).toEqual([500, 'place1', 'place500'])
  })

  it('do not contain what no door has written', () => {
    const room = newRoom(T0)
    expect(transferredAfter(room, 1, { 'transfer/AAAAAAAA/x': 1, 'transfer/': 1 }, T0)).toBeUndefined()
  })
})
