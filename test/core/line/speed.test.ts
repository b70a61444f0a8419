import { describe, expect, it } from 'vitest'
import {
  fastest,
  leaveOut,
  measure,
  newSpeed,
  resetLongRun,
  type Speed,
  speedFor,
  speedOf,
} from '../../../src/core/line/speed.ts'

/** A line that passes `perSecond(second)` tickets in each second. */
function moved(seconds: number, perSecond: (second: number) => number) {
  const state = newSpeed(0)
  for (let second = 1; second <= seconds; second++) measure(state, perSecond(second), second * 1_000)
  return state
}

const known = (state: ReturnType<typeof newSpeed>) => speedOf(state) as Speed

describe('the speed of a line', () => {
  it('is not known before the line has moved for ten seconds', () => {
    expect(speedOf(moved(9, () => 5))).toBeNull()
    expect(known(moved(12, () => 5)).latelyPerSecond).toBeCloseTo(5)
  })

  it('does not fall while the line is held', () => {
    const state = moved(600, () => 5)
    leaveOut(state, 1_500_000)
    expect(known(state).latelyPerSecond).toBeCloseTo(5)
    measure(state, 5, 1_501_000)
    expect(known(state).latelyPerSecond).toBeCloseTo(5)
  })

  it('is not known after a hold of a line that has not moved before', () => {
    const state = newSpeed(0)
    leaveOut(state, 900_000)
    measure(state, 5, 901_000)
    expect(speedOf(state)).toBeNull()
  })

  it('is the same for all waits where permits come at a steady rate', () => {
    const speed = known(moved(1_200, () => 5))
    expect([speed.latelyPerSecond, speed.longPerSecond, fastest(speed)].map(Math.round)).toEqual([5, 5, 5])
  })

  it('is the mean over many waves of leavers for a long wait, and the current speed for a short one', () => {
    // Ten a second for a minute, then nothing for four minutes: two a second on average.
    const speed = known(moved(3_600, second => (second % 300 < 60 ? 10 : 0)))
    expect(speed.latelyPerSecond).toBeLessThan(1)
    expect(speedFor(10_000, speed)).toBeGreaterThan(1.5)
    expect(speedFor(10_000, speed)).toBeLessThan(2.5)
    expect(speedFor(1, speed)).toBe(speed.latelyPerSecond)
  })

  it('is the mean for the timing of polls in a line that moves evenly', () => {
    const speed = known(moved(1_200, second => (second % 10 === 0 ? 7 : 5)))
    expect(speed.fastestPerSecond).toBeGreaterThan(speed.latelyPerSecond)
    expect(fastest(speed)).toBe(speed.latelyPerSecond)
  })

  it('is the speed of the last run for the timing of polls in a line that stands still and runs', () => {
    const standing = known(moved(3_600, second => (second % 300 < 60 ? 10 : 0)))
    expect(fastest(standing)).toBeGreaterThan(7)
    expect(fastest(standing)).toBeLessThan(11)
  })

  it('has no long-run mean under new limits', () => {
    const state = moved(3_600, () => 10)
    for (let second = 3_601; second <= 3_660; second++) measure(state, 1, second * 1_000)
    expect(known(state).longPerSecond).toBeGreaterThan(8)
    resetLongRun(state)
    expect(known(state).longPerSecond).toBe(known(state).latelyPerSecond)
  })

  it('does not change when the clock goes back', () => {
    const state = moved(100, () => 5)
    const before = known(state)
    measure(state, 0, 50_000)
    expect(known(state)).toEqual(before)
  })
})
