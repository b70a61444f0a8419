import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { goOn, nextStepMs, type Pause } from '../../../src/core/door/clock-freeze.ts'

const NOW = 1_700_000_000_000

/** Goes on with the pause at each moment. Returns by how much session ends moved in all, and in how many steps. */
function play(momentsMs: readonly number[]): { pause: Pause | null; movedMs: number; steps: number } {
  let pause: Pause | null = null
  let movedMs = 0
  let steps = 0
  for (const atMs of momentsMs) {
    const next = goOn(pause, NOW + atMs)
    pause = next.pause
    movedMs += next.byMs
    if (next.byMs > 0) steps++
  }
  return { pause, movedMs, steps }
}

const everySecond = (seconds: number) => Array.from({ length: seconds + 1 }, (_, second) => second * 1_000)

describe('a frozen session clock', () => {
  it('moves session ends by more than the outage, and by at most 30 s to 70 s more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_600 }), seconds => {
        const { movedMs } = play(everySecond(seconds))
        expect(movedMs).toBeGreaterThan(seconds * 1_000)
        expect(movedMs).toBeLessThanOrEqual(
          seconds * 1_000 + 10_000 + Math.min(60_000, Math.max(20_000, seconds * 1_000)),
        )
      }),
    )
  })

  it('costs about one write per session and minute', () => {
    expect(play(everySecond(3_600)).steps).toBeLessThan(65)
  })

  it('never ends before the next step of a door that wakes on time', () => {
    let { pause } = goOn(null, NOW)
    for (let step = 0; step < 100; step++) {
      const next = goOn(pause, nextStepMs(pause))
      expect(next.byMs).toBeGreaterThan(0)
      expect(nextStepMs(pause)).toBeLessThan(pause.untilMs)
      pause = next.pause
    }
  })

  it('moves session ends only once for two outages in quick succession', () => {
    const first = goOn(null, NOW).pause
    const second = goOn(first, NOW + 5_000)
    expect(second).toEqual({ pause: first, byMs: 0 })
    expect(goOn(first, NOW + 60_000).pause.sinceMs).toBe(NOW + 60_000)
  })
})
