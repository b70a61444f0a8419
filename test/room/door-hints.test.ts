import { expect, it } from 'vitest'
import type { DoorRecord } from '../../src/core/room/room.ts'
import { DoorHints } from '../../src/room/door-hints.ts'
import { RoomLog } from '../../src/room/log.ts'
import type { Env } from '../../src/settings/env.ts'

const NOW = 1_700_000_000_000

it('hints at a change to the doors in use, and wakes no other door', async () => {
  const hinted: string[] = []
  const getByName = (name: string) => ({ nudge: async () => void hinted.push(name) })
  const door = (silentMs: number) => ({ reportedAtMs: NOW - silentMs }) as DoorRecord
  const doors = new Map([
    ['eu-0', door(900)],
    ['eu-1', door(59_000)],
    ['na-0', door(61_000)],
    ['as-7', door(90 * 24 * 3_600_000)],
  ])
  const started: Promise<unknown>[] = []
  const ctx = { waitUntil: (promise: Promise<unknown>) => void started.push(promise) } as unknown as DurableObjectState
  new DoorHints(ctx, { DOOR: { getByName } } as unknown as Env, new RoomLog('shop', false), doors).sendToAll(NOW)
  await Promise.all(started)
  expect(hinted).toEqual(['shop/eu-0', 'shop/eu-1'])
})
