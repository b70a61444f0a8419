import { describe, expect, it } from 'vitest'
import { played, ROUGH } from '../../support/simulated.ts'

/** The operator holds the line, releases it, and changes the number of places twice. */
const changes = [
  { atMs: 20_000, ratePerMinute: 0 },
  { atMs: 30_000, ratePerMinute: 600 },
  { atMs: 50_000, totalActiveUsers: 15 },
  { atMs: 70_000, totalActiveUsers: 60 },
]

describe('the protocol over a rough network', () => {
  it('keeps I1, I2, I4 and I7 on 120 seeds', () => {
    let admitted = 0
    for (let seed = 1; seed <= 120; seed++) {
      admitted += played({ ...ROUGH, changes, seed }).checks.admissions.length
    }
    // Visitors must have been admitted: a room that admits none breaks no bound.
    expect(admitted).toBeGreaterThan(120 * 100)
  }, 60_000)

  it('fills every place of a small room, and no more, when a crowd comes at once', () => {
    const world = played({
      visitors: 1_000,
      arriveMs: 1_000,
      ratePerMinute: 60_000,
      totalActiveUsers: 10,
      sessionMs: 600_000,
      stayMs: 600_000,
      clockSkewMs: 2_000,
      untilMs: 30_000,
    })
    expect(world.live).toBe(10)
    expect(world.checks.mostInside).toBe(10)
  })

  it('is back at full speed after the operator lifts a hold', () => {
    const world = played({
      ...{ sessionMs: 12_000, stayMs: 6_000, noShows: 0.2, clockSkewMs: 2_000 },
      visitors: 3_000,
      arriveMs: 10_000,
      ratePerMinute: 600,
      totalActiveUsers: 10_000,
      changes: [
        { atMs: 30_000, ratePerMinute: 0 },
        { atMs: 400_000, ratePerMinute: 600 },
      ],
      untilMs: 460_000,
    })
    expect(world.counts.missed).toBe(0)
    const afterMs = world.checks.admissions.map(({ atMs }) => atMs - world.startMs)
    const during = afterMs.filter(ms => ms > 32_000 && ms < 400_000)
    const after = afterMs.filter(ms => ms >= 402_000 && ms < 422_000)
    expect(during).toEqual([])
    expect(after.length).toBeGreaterThan(195)
  })
})
