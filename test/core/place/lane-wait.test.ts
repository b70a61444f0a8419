import { describe, expect, it } from 'vitest'
import type { LaneSnapshot } from '../../../src/core/line/line.ts'
import { laneWaitMs } from '../../../src/core/place/lane-wait.ts'
import type { Snapshot } from '../../../src/core/protocol/messages.ts'
import { figuresOf } from '../../../tools/simulation/figures.ts'
import type { Scenario } from '../../../tools/simulation/scenario.ts'
import { played } from '../../support/simulated.ts'

const T0 = 1_700_000_000_000
const MINUTE_MS = 60_000

/** `people` arrived evenly from `sinceMs` to `untilMs` (relative to T0), and `share` of the permits serves them. */
function lane(
  people: number,
  share: number,
  more: Partial<LaneSnapshot> & { sinceMs?: number; untilMs?: number } = {},
) {
  const { sinceMs = -10 * MINUTE_MS, untilMs = -5 * MINUTE_MS, ...rest } = more
  const curve = people === 0 ? [] : [T0 + sinceMs, 0, T0 + untilMs, people]
  const own: LaneSnapshot = {
    frontierKey: T0 + sinceMs,
    lapsedKey: 0,
    calledAhead: 0,
    curve,
    speed: null,
    share,
    showRate: 1,
  }
  return { ...own, ...rest }
}

function viewOf(lanes: Record<string, LaneSnapshot>): Snapshot {
  return { asOfMs: T0, generation: 1, open: false, held: false, full: false, ratePerSecond: 10, settledKey: T0, lanes }
}

const seconds = (ahead: number, name: string, lanes: Record<string, LaneSnapshot>) =>
  (laneWaitMs(ahead, name, viewOf(lanes)) ?? Number.NaN) / 1_000

describe('the wait in a lane', () => {
  it('follows the share of the lane while all lanes have people', () => {
    const lanes = { main: lane(10_000, 0.75), vip: lane(10_000, 0.25) }
    expect(seconds(500, 'vip', lanes)).toBeCloseTo(200)
    expect(seconds(1_500, 'main', lanes)).toBeCloseTo(200)
  })

  it('gets shorter when other lanes run empty and leave their shares', () => {
    // Serving the 250 people of vip takes 100 s. Main serves 750 in that time, and ten a second after that.
    expect(seconds(1_750, 'main', { main: lane(10_000, 0.75), vip: lane(250, 0.25) })).toBeCloseTo(200)
  })

  it('counts the permits that newcomers of other lanes take', () => {
    // 150 came to vip in the last minute, 2.5 a second. The share of vip serves as many, so vip never runs empty.
    const full = lane(150, 0.25, { sinceMs: -MINUTE_MS, untilMs: 0 })
    expect(seconds(1_500, 'main', { main: lane(10_000, 0.75), vip: full })).toBeCloseTo(200)
    // 60 came to vip, one a second. The lane runs empty after 40 s, and then nine a second are left.
    const half = lane(60, 0.25, { sinceMs: -MINUTE_MS, untilMs: 0 })
    expect(seconds(300 + 900, 'main', { main: lane(10_000, 0.75), vip: half })).toBeCloseTo(140)
  })

  it('counts a lane with hardly any line at its current speed', () => {
    const speed = { latelyPerSecond: 2, longPerSecond: 2, fastestPerSecond: 2 }
    const vip = lane(5, 0.25, { sinceMs: -5_000, untilMs: 0, speed })
    const main = lane(10_000, 0.75, { speed: { latelyPerSecond: 8, longPerSecond: 8, fastestPerSecond: 8 } })
    expect(seconds(1_600, 'main', { main, vip })).toBeCloseTo(200)
  })

  it('is half as long where half of the people do not come', () => {
    const lanes = { main: lane(10_000, 0.5), vip: lane(10_000, 0.5, { showRate: 0.5 }) }
    expect([seconds(1_000, 'main', lanes), seconds(1_000, 'vip', lanes)]).toEqual([200, 100])
  })

  it('is unknown in a lane without a share while people may keep coming to other lanes', () => {
    const vip = lane(150, 1, { sinceMs: -MINUTE_MS, untilMs: 0 })
    const coming = lane(10_000, 1, { sinceMs: -MINUTE_MS, untilMs: 0 })
    expect(laneWaitMs(100, 'main', viewOf({ main: lane(500, 0), vip: coming }))).toBeNull()
    // Vip runs empty after 20 s: it has 150 people, and 2.5 a second come. Then 7.5 permits a second are left.
    expect(seconds(75, 'main', { main: lane(500, 0), vip })).toBeCloseTo(30, 0)
  })

  it('is unknown while no lane moves', () => {
    const speed = { latelyPerSecond: 0, longPerSecond: 0, fastestPerSecond: 0 }
    expect(
      laneWaitMs(100, 'main', viewOf({ main: lane(500, 0.75, { speed }), vip: lane(5, 0.25, { speed }) })),
    ).toBeNull()
  })
})

describe('shown waits of ten minutes and more, with lanes and 30 % no-shows', () => {
  const CROWD = { visitors: 10_000, ratePerMinute: 300, arriveMs: MINUTE_MS, noShows: 0.3 }
  const vip = (share: number, crowd: number) => ({ name: 'vip', share, crowd })
  const press = { name: 'press', share: 0.1, crowd: 0.3 }
  const slow = { visitors: 3_000, ratePerMinute: 60 }

  it.each<[what: string, Partial<Scenario>]>([
    ['a lane that runs empty early, and leaves half of the permits', { lanes: [vip(0.5, 0.2)] }],
    ['a slow room with a crowded lane', { ...slow, lanes: [vip(0.2, 0.4)] }],
    ['three lanes that run empty one after another', { ...slow, lanes: [vip(0.3, 0.2), press] }],
    ['people who come all the time', { ...slow, arriveMs: 30 * MINUTE_MS, lanes: [vip(0.3, 0.2)] }],
    [
      'three lanes, and people who come all the time',
      { ...slow, arriveMs: 20 * MINUTE_MS, lanes: [vip(0.3, 0.2), press] },
    ],
  ])(
    'are off by a fifth at most in the median, also when first shown, for %s',
    (_, more) => {
      const { estimateErrorMedian, estimateErrorFirstMedian, waitRiseMax } = figuresOf(played({ ...CROWD, ...more }))
      expect(estimateErrorMedian).toBeLessThanOrEqual(0.2)
      expect(estimateErrorFirstMedian).toBeLessThanOrEqual(0.2)
      expect(waitRiseMax).toBeLessThanOrEqual(1.1)
    },
    60_000,
  )
})
