import { describe, expect, it } from 'vitest'
import { Events } from '../../../tools/simulation/events.ts'
import { type Figures, figuresOf } from '../../../tools/simulation/figures.ts'
import { type Scenario, START_MS } from '../../../tools/simulation/scenario.ts'
import type { Visitor } from '../../../tools/simulation/visitor.ts'
import { World } from '../../../tools/simulation/world.ts'
import { CALM, played } from '../../support/simulated.ts'

function play(scenario: Pick<Scenario, 'visitors' | 'ratePerMinute'> & Partial<Scenario>): Figures {
  return figuresOf(played(scenario))
}

function admittedMs({ stay }: Visitor): number {
  return stay?.admittedMs ?? 0
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

/** A crowd that arrives within one window of a random line. */
const oneWindow = { arriveMs: 50_000, shuffleMs: 60_000 }

function expectBounds(figures: Figures, ratePerMinute: number): void {
  expect(figures.usedShare).toBeGreaterThanOrEqual(0.98)
  expect(figures.displacementP95Places).toBeLessThanOrEqual(Math.max((10 * ratePerMinute) / 60, 5))
  for (const [seconds, bound] of Object.entries(figures.boundWindow)) {
    expect(figures.maxWindow[seconds], `in ${seconds} s`).toBeLessThanOrEqual(bound)
  }
}

/** Returns enough visitors for 23 minutes of service, although this share of them does not come. */
const forTwentyMinutes = (ratePerMinute: number, noShows: number) => Math.ceil((23 * ratePerMinute) / (1 - noShows))

describe.each([30, 600])('a room with %i admissions a minute for twenty minutes', ratePerMinute => {
  it.each([0, 0.3, 0.6])(
    'uses its rate, in order, with a share of %f no-shows',
    noShows => {
      const visitors = forTwentyMinutes(ratePerMinute, noShows)
      const figures = play({ visitors, ratePerMinute, noShows })
      expectBounds(figures, ratePerMinute)
      expect(figures.kendallTau).toBeGreaterThanOrEqual(0.99)
      expect(figures.admitted).toBeGreaterThan(20 * ratePerMinute)
      expect(figures.estimateErrorMedian).toBeLessThanOrEqual(0.2)
      expect(figures.rangesTrueShare).toBeGreaterThanOrEqual(0.95)
      expect(figures.waitRiseMax).toBeLessThanOrEqual(1.1)
    },
    60_000,
  )
})

describe('a room with 60,000 admissions a minute', () => {
  it.each([0, 0.3, 0.6])(
    'uses its rate with a share of %f no-shows',
    noShows => {
      const visitors = Math.ceil(40_000 / (1 - noShows))
      const figures = play({ visitors, ratePerMinute: 60_000, noShows, arriveMs: 12_000 })
      expectBounds(figures, 60_000)
      expect(figures.admitted).toBeGreaterThan(38_000)
    },
    60_000,
  )
})

describe('a network that fails', () => {
  it('breaks no bound with 1 % of messages lost, 1 % repeated, clocks off by 2 s, and 50 evictions', () => {
    const rough = { loss: 0.01, duplicate: 0.01, clockSkewMs: 2_000, evictions: 50 }
    const figures = play({ visitors: forTwentyMinutes(600, 0.3), ratePerMinute: 600, noShows: 0.3, ...rough })
    expectBounds(figures, 600)
    expect(figures.kendallTau).toBeGreaterThanOrEqual(0.99)
    expect(figures.rangesTrueShare).toBeGreaterThanOrEqual(0.95)
  }, 60_000)
})

describe('a random line', () => {
  it('uses the rate in the order of the draws, and shows no place before its draw', () => {
    const figures = play({ visitors: forTwentyMinutes(600, 0.3), ratePerMinute: 600, noShows: 0.3, shuffleMs: 60_000 })
    expectBounds(figures, 600)
    expect(figures.kendallTau).toBeGreaterThanOrEqual(0.99)
  }, 60_000)

  it('draws all visitors of a window together: the first to arrive wait as long as the last', () => {
    const world = played({ visitors: 4_000, ratePerMinute: 600, arriveMs: 60_000, shuffleMs: 60_000 })
    // The clock of a run begins in the middle of a minute. So the first window is short, and is left out.
    const untilMs = Math.ceil(world.startMs / 60_000) * 60_000
    const drawn = world.visitors.filter(({ arrivesMs }) => arrivesMs >= untilMs)
    const meanMs = (visitors: Visitor[]) => mean(visitors.map(admittedMs))
    const half = drawn.length / 2
    const [first, last] = [meanMs(drawn.slice(0, half)), meanMs(drawn.slice(half))]
    expect(drawn.length).toBeGreaterThan(1_000)
    // In a fair draw of so many visitors, the means of both halves differ by a few hundredths of the whole time.
    const wholeMs = (drawn.length / 600) * 60_000
    expect(Math.abs(first - last) / wholeMs).toBeLessThan(0.05)
  }, 60_000)
})

describe('an event for which a crowd waits', () => {
  const event = { drawAtMs: 300_000, arriveMs: 400_000, visitors: 18_000, ratePerMinute: 600 }

  it('admits no visitor before its start, and then all in the order of the draw', () => {
    const figures = play({ ...event, noShows: 0.3 })
    expectBounds(figures, 600)
    expect(figures.kendallTau).toBeGreaterThanOrEqual(0.99)
    expect(figures.admitted).toBeGreaterThan(11_000)
  }, 60_000)

  it('draws without regard to the arrival, and puts later visitors behind the draw', () => {
    const world = played({ ...event, visitors: 6_000 })
    const startMs = world.startMs + event.drawAtMs
    const inMs = (visitors: readonly Visitor[]) => visitors.map(admittedMs)
    const drawn = world.visitors.filter(({ arrivesMs }) => arrivesMs < startMs)
    const late = world.visitors.slice(drawn.length)
    const half = Math.floor(drawn.length / 2)
    // 4,500 visitors are drawn: 7.5 minutes of service. The means of both halves differ by about four seconds.
    expect(Math.abs(mean(inMs(drawn.slice(0, half))) - mean(inMs(drawn.slice(half))))).toBeLessThan(15_000)
    expect(Math.min(...inMs(late))).toBeGreaterThan(inMs(drawn).toSorted((a, b) => a - b)[drawn.length * 0.95] ?? 0)
  }, 60_000)
})

describe('robots that keep no cookies', () => {
  it('do not lengthen the line, even if they are as many as people', () => {
    const people = { visitors: 2_000, ratePerMinute: 600 }
    const alone = play(people)
    const among = play({ ...people, visitors: 4_000, robots: 0.5 })
    expect(among.robots?.requests).toBeGreaterThan(30_000)
    // Robots use only the burst of the open room: five seconds of the rate, and the blur of one window.
    expect(among.waitP95Seconds).toBeLessThan(alone.waitP95Seconds + 10)
  }, 60_000)
})

describe('scripts that keep their tickets', () => {
  /** 10,000 scripts from ten networks, and about 300 people. */
  const attack = { visitors: 10_300, scripts: 0.971, networks: 10, ratePerMinute: 60 }

  it('stand in line like people in a room without a challenge', () => {
    const { scripts } = play({ ...attack, untilMs: 600_000 })
    expect(scripts?.counted).toBeGreaterThan(9_000)
    // The run serves 600 visitors in ten minutes, of whom about three in a hundred are people.
    expect(scripts?.peopleAdmitted).toBeLessThan(50)
  }, 60_000)

  it('hardly delay people in a room with a challenge', () => {
    const people = play({ visitors: 300, ratePerMinute: 60 })
    const { scripts, waitP95Seconds } = play({ ...attack, challenge: true, untilMs: 600_000 })
    expect(scripts?.peopleAdmitted).toBeGreaterThan(250)
    expect(waitP95Seconds).toBeLessThan(1.5 * people.waitP95Seconds)
  }, 60_000)

  it('lose no turn at an edge whose door has no permits', () => {
    expect(play({ ...attack, challenge: true, seed: 2, untilMs: 600_000 }).violations).toBe(0)
  }, 60_000)

  it('take no part in a draw that comes before their tickets count', () => {
    const draw = { ...attack, arriveMs: 50_000, drawAtMs: 55_000, challenge: true, untilMs: 600_000 }
    expect(play(draw).waitP95Seconds).toBeLessThan(400)
    expect(play({ ...draw, challenge: false }).scripts?.peopleAdmitted).toBeLessThan(50)
  }, 60_000)
})

describe('people with several tickets', () => {
  it('gain by each ticket in a random line, but not by dropping a ticket and coming again', () => {
    const habits = play({ visitors: 4_000, ratePerMinute: 600, ...oneWindow, holders: 0.25, droppers: 0.25 }).habits
    const [single, several, drops] = [habits?.single, habits?.several, habits?.drops].map(
      one => one?.waitMeanSeconds ?? 0,
    )
    // The better of two draws counts: a third of the window is ahead of it on average, not a half.
    expect(several).toBeLessThan(0.9 * (single ?? 0))
    expect(drops).toBeGreaterThan(several ?? 0)
    // The mean of a thousand draws over seven minutes is exact to about four seconds.
    expect(Math.abs((drops ?? 0) - (single ?? 0))).toBeLessThan(12)
  }, 60_000)

  it('gain nothing in a line by arrival', () => {
    const habits = play({ visitors: 4_000, ratePerMinute: 600, arriveMs: 50_000, holders: 0.2, tickets: 4 }).habits
    expect(habits?.several?.waitMeanSeconds).toBeGreaterThan(0.97 * (habits?.single?.waitMeanSeconds ?? 0))
    expect(habits?.several?.admitted).toBe(habits?.several?.people)
  }, 60_000)
})

describe('a room with few places', () => {
  it('keeps its places taken, and admits no visitor beyond them', () => {
    const figures = play({
      visitors: 2_000,
      ratePerMinute: 600,
      totalActiveUsers: 200,
      stayMs: 60_000,
      arriveMs: 60_000,
    })
    expect(figures.mostInside).toBe(200)
    expect(figures.usedShare).toBeGreaterThan(0.95)
  }, 60_000)
})

describe('a room whose places are left in waves', () => {
  it('keeps the order when the line runs, and shows the mean for a long wait', () => {
    const waves = { visitors: 12_000, ratePerMinute: 600, totalActiveUsers: 1_000, noShows: 0.3, arriveMs: 300_000 }
    const figures = play(waves)
    expect(figures.displacementP95Seconds).toBeLessThanOrEqual(10)
    expect(figures.estimateErrorFirstMedian).toBeLessThanOrEqual(0.2)
    expect(figures.waitRiseMax).toBeLessThanOrEqual(1.1)
  }, 60_000)
})

describe('a line that was held for a quarter of an hour before it moved', () => {
  it('keeps its order after the release, and shows waits that hold', () => {
    const changes = [{ atMs: 900_000, ratePerMinute: 600 }]
    const figures = play({ visitors: 6_000, ratePerMinute: 0, arriveMs: 120_000, changes })
    expect(figures.usedShare).toBeGreaterThanOrEqual(0.98)
    expect(figures.displacementP95Seconds).toBeLessThanOrEqual(10)
    expect(figures.kendallTau).toBeGreaterThanOrEqual(0.99)
    expect(figures.rangesTrueShare).toBeGreaterThanOrEqual(0.9)
  }, 60_000)
})

describe('a rate that is cut to a third', () => {
  it('makes shown waits jump only where the page also shows the reason', () => {
    const changes = [{ atMs: 300_000, ratePerMinute: 200 }]
    const figures = play({ visitors: 8_000, ratePerMinute: 600, arriveMs: 200_000, changes })
    expect(figures.estimateErrorMedian).toBeLessThanOrEqual(0.2)
    expect(figures.waitRiseMax).toBeLessThanOrEqual(1.1)
  }, 60_000)
})

/** When each visitor was first answered after a change. */
class FirstSeen extends Events {
  readonly fromMs: number
  readonly atMs = new Map<Visitor, number>()

  constructor(fromMs: number) {
    super()
    this.fromMs = fromMs
  }

  override note(atMs: number, visitor: Visitor | null): void {
    if (visitor && atMs >= this.fromMs && !this.atMs.has(visitor)) this.atMs.set(visitor, atMs)
  }
}

/** The longest time between two polls of a line that moves. */
const LONGEST_SECONDS = 300

describe('a change in the middle of a long line', () => {
  const line = { visitors: 6_000, ratePerMinute: 600, noShows: 0.2, arriveMs: 30_000, stayMs: 60_000 }
  const atMs = 240_000
  const admittedWithin = (seconds: number, scenario: Partial<Scenario>) => {
    const { checks, startMs } = played({ ...line, untilMs: atMs + 60_000, ...scenario })
    return checks.admissions.filter(
      admission => admission.atMs >= startMs + atMs && admission.atMs < startMs + atMs + seconds * 1_000,
    ).length
  }
  /** The admissions of ten seconds at the rate before the change. */
  const TEN_SECONDS = 100

  it.each([
    [
      'a release after two minutes',
      [
        { atMs: atMs - 120_000, ratePerMinute: 0 },
        { atMs, ratePerMinute: 600 },
      ],
      0.7,
      {},
    ],
    ['a rate four times as high', [{ atMs, ratePerMinute: 2_400 }], 3.3, {}],
    ['a rate ten times as high', [{ atMs, ratePerMinute: 6_000 }], 7, {}],
    ['ten times as many places', [{ atMs, totalActiveUsers: 2_000 }], 1, { totalActiveUsers: 200 }],
  ] as const)('%s is felt within ten seconds', (_, changes, times, scenario) => {
    expect(admittedWithin(10, { changes, ...scenario })).toBeGreaterThan(times * TEN_SECONDS)
  })

  it.each([
    [
      'a release',
      [
        { atMs: atMs - 120_000, ratePerMinute: 0 },
        { atMs, ratePerMinute: 600 },
      ],
    ],
    ['a rate ten times as high', [{ atMs, ratePerMinute: 6_000 }]],
    ['a hold', [{ atMs, ratePerMinute: 0 }]],
  ] as const)('%s is seen by all within the longest time between two polls', (_, changes) => {
    const seen = new FirstSeen(START_MS + atMs)
    const world = new World({ ...CALM, ...line, changes, untilMs: atMs + 600_000 }, seen)
    world.run()
    const waited = world.visitors.filter(
      ({ stay, isFaithful }) => isFaithful && !(stay && stay.admittedMs < seen.fromMs),
    )
    expect(waited.length).toBeGreaterThan(1_500)
    const seenAfter = waited.map(
      visitor => ((seen.atMs.get(visitor) ?? Number.POSITIVE_INFINITY) - seen.fromMs) / 1_000,
    )
    expect(Math.max(...seenAfter)).toBeLessThanOrEqual(LONGEST_SECONDS + 3)
  })

  it('lets all visitors in if it suspends the room, and nine in ten of the front within ten seconds', () => {
    const changes = [{ atMs, suspended: true }] as const
    const world = played({ ...line, changes, untilMs: atMs + 600_000 })
    const waited = world.visitors.filter(({ stay, isFaithful }) => isFaithful && stay === null)
    const afterSeconds = waited.map(
      ({ passedMs }) => ((passedMs ?? Number.POSITIVE_INFINITY) - START_MS - atMs) / 1_000,
    )
    expect(afterSeconds.slice(0, TEN_SECONDS).filter(seconds => seconds <= 10).length).toBeGreaterThan(90)
    expect(Math.max(...afterSeconds)).toBeLessThanOrEqual(LONGEST_SECONDS + 3)
  })

  it('takes fewer than sixteen polls a visitor in all', () => {
    const { pollsPerVisitor } = play({ ...line, visitors: 3_000 })
    expect(pollsPerVisitor).toBeLessThan(16)
  })
})

describe('more doors than isolates', () => {
  it('waste hardly any permits at doors that no isolate reports to', () => {
    expectBounds(play({ visitors: 4_000, ratePerMinute: 1_200, arriveMs: 20_000, edges: 1, doors: 6 }), 1_200)
  }, 60_000)
})
