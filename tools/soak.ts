/** Runs many simulations with random parameters, one line each. Ends at the first that breaks a guarantee. */
import { commandOf } from './simulation/command-line.ts'
import { figuresOf } from './simulation/figures.ts'
import { Random } from './simulation/random.ts'
import { explain } from './simulation/report.ts'
import type { Limit, Scenario, SimulatedLane } from './simulation/scenario.ts'
import { World } from './simulation/world.ts'
import { type Given, number, run } from './support/cli.ts'

const USAGE = `npm run simulate:soak -- [--seeds N] [--from K]

Plays random crowds, rooms and networks, and prints a line of figures and the command of each. Exit code 1 at the first that breaks
a guarantee.`

const FLAGS = {
  seeds: { value: 'N', help: 'how many scenarios', default: '200' },
  from: { value: 'K', help: 'the first seed', default: '1' },
}

/** With so few visitors a scenario takes only a second or two. */
const VISITORS_MAX = 8_000

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const seeds = number(given, 'seeds', 1, 1_000_000)
  const from = number(given, 'from', 0, 2 ** 30)
  for (let seed = from; seed < from + seeds; seed++) {
    const world = new World(randomScenario(seed))
    world.run()
    const { admitted, violations, usedShare, displacementP95Places } = figuresOf(world)
    const figures = `admitted ${admitted}, used ${(usedShare * 100).toFixed(1)} %, displaced ${displacementP95Places}`
    console.log(`${violations === 0 ? 'ok    ' : 'broken'} ${figures}: ${commandOf(world.scenario)}`)
    if (violations > 0) {
      console.error(explain(world, { shrinkForMs: 2_000 }))
      return 1
    }
  }
  return 0
}

/**
 * Half of the networks are good, and half of the rooms have places for all visitors, so that every bound is reached in
 * some runs.
 */
function randomScenario(seed: number): Scenario {
  const random = new Random(seed)
  const sometimes = (value: () => number, otherwise: number) => (random.chance(0.5) ? value() : otherwise)
  const ratePerMinute = Math.round(30 * 2_000 ** random.next())
  const minutes = random.between(2, 30)
  const visitors = Math.min(VISITORS_MAX, Math.ceil(ratePerMinute * minutes))
  const isRough = random.chance(0.5)
  const rough = (most: number, digits: number) =>
    isRough && random.chance(0.7) ? Number((random.next() * most).toFixed(digits)) : 0
  const prequeueMs = random.chance(0.3) ? 1_000 * random.below(300) : 0
  const isDrawn = prequeueMs > 0 && random.chance(0.5)
  const isHeld = prequeueMs > 0 && !isDrawn
  return {
    seed,
    visitors,
    arriveMs: 1_000 * Math.ceil(random.between(0.02, 1.2) * (visitors / ratePerMinute) * 60),
    ratePerMinute: isHeld ? 0 : ratePerMinute,
    totalActiveUsers: sometimes(() => Math.ceil(ratePerMinute * random.between(0.05, 5)), 10_000_000),
    sessionMs: 60_000 * sometimes(() => Number(random.between(0.2, 10).toFixed(2)), 5),
    stayMs: 1_000 * (5 + random.below(90)),
    noShows: sometimes(() => Number((0.6 * random.next()).toFixed(2)), 0),
    late: sometimes(() => Number((0.2 * random.next()).toFixed(2)), 0),
    robots: sometimes(() => Number((0.5 * random.next()).toFixed(2)), 0),
    holders: sometimes(() => Number((0.3 * random.next()).toFixed(2)), 0),
    tickets: 2 + random.below(4),
    droppers: sometimes(() => Number((0.3 * random.next()).toFixed(2)), 0),
    edges: 1 + random.below(20),
    doors: 1 + random.below(6),
    clockSkewMs: isRough ? random.below(2_000) : 0,
    loss: rough(0.05, 3),
    duplicate: rough(0.05, 3),
    evictions: isRough ? random.below(60) : 0,
    ...(random.chance(0.3) ? { shuffleMs: 1_000 * (6 + random.below(115)) } : {}),
    ...(isDrawn ? { drawAtMs: prequeueMs } : {}),
    ...(random.chance(0.3) ? { lanes: lanesOf(random) } : {}),
    ...(random.chance(0.3) ? { limit: limitOf(random) } : {}),
    changes: isHeld ? [{ atMs: prequeueMs, ratePerMinute }] : [],
    untilMs: 7_200_000,
  }
}

/** One or two lanes. A lane's share and its part of the crowd are independent. */
function lanesOf(random: Random): SimulatedLane[] {
  return ['vip', 'press'].slice(0, 1 + random.below(2)).map(name => ({
    name,
    share: Number(random.between(0.02, 0.45).toFixed(2)),
    crowd: Number(random.between(0, 0.45).toFixed(2)),
  }))
}

/** Returns a limit between one request an hour and 120 requests a second. */
function limitOf(random: Random): Limit {
  const seconds = [1, 10, 60, 3_600][random.below(4)] as number
  return { count: 1 + random.below(120), periodMs: 1_000 * seconds, burst: 1 + random.below(60) }
}
