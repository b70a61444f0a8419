/** Plays a crowd against the real decisions in virtual time: how long will they wait, and does every guarantee hold? */

import { figuresOf } from './simulation/figures.ts'
import { type Scenario, World } from './simulation/world.ts'
import { type Given, number, run } from './support/cli.ts'

const USAGE = `npm run simulate -- --visitors N --arrive SECONDS --rate R [more]

Runs src/core itself over virtual time and a network that fails as told, checks the guarantees I1, I2, I4 and I7 at every event, and
prints the figures. Exit code 1 when a guarantee was broken.`

const FLAGS = {
  visitors: { value: 'N', help: 'how many come', default: '10000' },
  arrive: { value: 'SECONDS', help: 'they arrive evenly at random over this', default: '120' },
  rate: { value: 'R', help: 'new users a minute', default: '600' },
  total: { value: 'T', help: 'places', default: '10000000' },
  session: { value: 'M', help: 'session duration in minutes', default: '5' },
  stay: { value: 'S', help: 'seconds a visitor browses, on average', default: '30' },
  'no-shows': { value: 'P', help: 'share who close the tab while waiting', default: '0' },
  late: { value: 'P', help: 'share who sleep through their call', default: '0' },
  edges: { value: 'E', help: 'isolates', default: '8' },
  doors: { value: 'D', help: 'doors', default: '3' },
  'clock-skew': { value: 'MS', help: 'edges are off by up to this', default: '0' },
  loss: { value: 'P', help: 'share of messages lost, and of those that are late', default: '0' },
  duplicate: { value: 'P', help: 'share of messages that come twice', default: '0' },
  evictions: { value: 'N', help: 'doors lose their memory this often', default: '0' },
  until: { value: 'SECONDS', help: 'at the latest it ends after this', default: '86400' },
  seed: { value: 'K', help: 'the same seed gives the same run', default: '1' },
  json: { help: 'print one JSON object' },
}

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const scenario: Scenario = {
    seed: number(given, 'seed', 0, 2 ** 31),
    visitors: number(given, 'visitors', 1, 5_000_000),
    arriveMs: 1_000 * number(given, 'arrive', 0.1, 86_400, 'fractions'),
    ratePerMinute: number(given, 'rate', 0, 1_000_000),
    totalActiveUsers: number(given, 'total', 1, 10_000_000),
    sessionMs: 60_000 * number(given, 'session', 0.05, 1_440, 'fractions'),
    stayMs: 1_000 * number(given, 'stay', 0.1, 86_400, 'fractions'),
    noShows: number(given, 'no-shows', 0, 1, 'fractions'),
    late: number(given, 'late', 0, 1, 'fractions'),
    edges: number(given, 'edges', 1, 1_000),
    doors: number(given, 'doors', 1, 400),
    clockSkewMs: number(given, 'clock-skew', 0, 10_000),
    loss: number(given, 'loss', 0, 0.5, 'fractions'),
    duplicate: number(given, 'duplicate', 0, 1, 'fractions'),
    evictions: number(given, 'evictions', 0, 100_000),
    changes: [],
    untilMs: 1_000 * number(given, 'until', 1, 864_000),
  }
  const startMs = performance.now()
  const world = new World(scenario)
  world.run()
  const figures = { ...figuresOf(world), elapsedMs: Math.round(performance.now() - startMs) }
  if (given.json === 'true') console.log(JSON.stringify(figures))
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(24)}${JSON.stringify(value)}`)
  for (const { invariant, atMs, detail } of world.checks.violations.slice(0, 20)) {
    console.error(
      `${invariant} broken at ${((atMs - world.startMs) / 1_000).toFixed(3)} s: ${detail} (seed ${scenario.seed})`,
    )
  }
  return world.checks.violations.length === 0 ? 0 : 1
}
