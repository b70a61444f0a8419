import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DOOR_CALLS_TARGET, type DoorPlan, followDoors, newDoorPlan } from '../../../src/core/room/doors.ts'

const T0 = 1_700_000_000_000
const AUTO = { least: 1, most: 100 }
const MINUTE = 60_000

/** Doors of one region with these calls a second. */
function doors(calls: readonly number[], atMs: number, region = 'eu') {
  return new Map(calls.map((callsPerSecond, i) => [`${region}-${i}`, { callsPerSecond, reportedAtMs: atMs }] as const))
}

/** Returns a plan after the doors of Europe had these calls a second. It is decided every ten seconds. */
function followed(plan: DoorPlan, calls: readonly (readonly number[])[], range = AUTO, fromMs = T0): DoorPlan {
  calls.forEach((now, i) => {
    const atMs = fromMs + i * 10_000
    followDoors(plan, range, doors(now, atMs), atMs)
  })
  return plan
}

describe('the number of doors', () => {
  it('is what the settings need, before anything is measured', () => {
    expect(followed(newDoorPlan(), [[]])).toMatchObject({ count: 1, from: 0 })
    expect(followed(newDoorPlan(), [[]], { least: 7, most: 100 })).toMatchObject({ count: 7, from: 0 })
  })

  it('is that of the settings where they fix it, whatever the doors have to do', () => {
    expect(
      followed(
        newDoorPlan(),
        [
          [5_000, 0],
          [5_000, 0],
        ],
        { least: 2, most: 2 },
      ),
    ).toMatchObject({ count: 2, from: 0 })
  })

  it('grows so that each door would have 300 calls a second, and newcomers go to the new doors', () => {
    expect(followed(newDoorPlan(), [[900]])).toMatchObject({ count: 3, from: 1 })
  })

  it('follows the busiest region', () => {
    const plan = newDoorPlan()
    followDoors(plan, AUTO, new Map([...doors([100], T0), ...doors([1_000], T0, 'na')]), T0)
    expect(plan).toMatchObject({ count: 4, from: 1 })
  })

  it('is never above a hundred', () => {
    expect(followed(newDoorPlan(), [[1_000_000]]).count).toBe(100)
  })

  it('stays when newcomers go to all doors again because the new doors have as much to do', () => {
    const plan = followed(newDoorPlan(), [[600]])
    expect(followed(plan, [[400, 100]], AUTO, T0 + MINUTE)).toMatchObject({ count: 2, from: 1 })
    expect(followed(plan, [[250, 260]], AUTO, T0 + 2 * MINUTE)).toMatchObject({ count: 2, from: 0 })
  })

  it('stays when newcomers go to all doors again although old sessions keep the doors of a quiet region uneven', () => {
    const plan = followed(newDoorPlan(), [[600]])
    const atMs = T0 + MINUTE
    followDoors(plan, AUTO, new Map([...doors([250, 260], atMs), ...doors([9, 0], atMs, 'na')]), atMs)
    expect(plan).toMatchObject({ count: 2, from: 0 })
  })

  it('falls only after ten minutes in which fewer would have been enough', () => {
    const plan = followed(newDoorPlan(), [[900]])
    const calm = (minutes: number) => Array.from({ length: minutes * 6 }, () => [50, 50, 50])
    expect(followed(plan, calm(9), AUTO, T0 + MINUTE).count).toBe(3)
    expect(followed(plan, calm(3), AUTO, T0 + 10 * MINUTE)).toMatchObject({ count: 1, from: 0 })
  })

  it('does not change while the load stays the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), total => {
        const plan = followed(newDoorPlan(), [[total]])
        const { count } = plan
        const spread = Array.from({ length: count }, () => total / count)
        expect(
          followed(
            plan,
            Array.from({ length: 100 }, () => spread),
            AUTO,
            T0 + MINUTE,
          ).count,
        ).toBe(count)
        expect(total / count).toBeLessThanOrEqual(DOOR_CALLS_TARGET)
      }),
      { numRuns: 50 },
    )
  })

  it('does not depend on what a silent door had to do', () => {
    const plan = newDoorPlan()
    followDoors(plan, AUTO, doors([3_000], T0 - 20_000), T0)
    expect(plan.count).toBe(1)
  })
})
