/** Compares our rate limits with others on the same bursty traffic: how exact, how many calls to a store, how fast. */

import { round } from '../simulation/order.ts'
import { type Given, number, run } from '../support/cli.ts'
import { limitersOf, OURS, type Policy } from './limiters.ts'
import { withRedis } from './redis.ts'
import { type Exactness, judge, race } from './run.ts'
import { trafficOf } from './traffic.ts'

const USAGE = `npm start -- [--sessions N --seconds S --seed N --json]

Plays bursty traffic of sessions at four isolates to our limits, to the three algorithms of @upstash/ratelimit, and to hono-rate-limiter with both of
its stores. Each decision is judged by what its limiter promises, with an exact log: so many in any window of the period, or of a
bucket ⌊Δ·count/period⌋ + burst in any window Δ. Needs redis-server.`

const FLAGS = {
  sessions: { value: 'N', help: 'that come and go', default: '40' },
  seconds: { value: 'S', help: 'of traffic, on a virtual clock', default: '900' },
  count: { value: 'N', help: 'requests of a session a minute', default: '60' },
  burst: { value: 'N', help: 'at once after a rest, for those that have a burst', default: '20' },
  isolates: { value: 'N', help: 'copies of a limiter', default: '4' },
  slices: { value: 'N', help: 'measurements of speed, of which the median counts', default: '15' },
  seed: { value: 'N', help: 'of the traffic', default: '1' },
  json: { help: 'print one JSON object' },
}

const PERIOD_MS = 60_000

interface Row extends Exactness {
  readonly name: string
  readonly perSecond: number
}

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const isolates = number(given, 'isolates', 1, 64)
  const slices = number(given, 'slices', 1, 1_000)
  const traffic = trafficOf({
    sessions: number(given, 'sessions', 1, 10_000),
    seconds: number(given, 'seconds', 60, 86_400),
    isolates,
    seed: number(given, 'seed', 0, 4_294_967_295),
  })
  const policy: Policy = {
    count: number(given, 'count', 1, 60_000),
    periodMs: PERIOD_MS,
    burst: number(given, 'burst', 1, 60_000),
  }
  const rows = await withRedis(async redis => {
    const judged: [string, Exactness][] = []
    for (const limiter of limitersOf({ redis, isolates, policy, keysEndBy: 'clock' }))
      judged.push([limiter.name, await judge(limiter, traffic)])
    const rates = await race(limitersOf({ redis, isolates, policy, keysEndBy: 'redis' }), traffic, slices)
    return judged.map(([name, exactness]): Row => ({ name, perSecond: rates.get(name) ?? 0, ...exactness }))
  })
  const ours = rows.find(({ name }) => name === OURS)
  if (given.json === 'true') console.log(JSON.stringify({ policy, requests: traffic.length, rows }))
  else report(rows, ours?.perSecond ?? 0, traffic.length)
  return ours?.over === 0 && ours.beyondGrain === 0 ? 0 : 1
}

function report(rows: readonly Row[], oursPerSecond: number, requests: number): void {
  console.log(`${requests.toLocaleString('en')} requests\n`)
  const head = ['', 'wrong', 'allowed beyond', 'refused early', 'fullest window', 'calls a request', 'speed']
  const lines = rows.map(row => [
    row.name,
    percent(row.over + row.refusedWrongly, row.decisions),
    percent(row.over, row.decisions),
    percent(row.refusedWrongly, row.decisions),
    `${round(row.worstShare * 100, 0)} %`,
    (row.calls / row.decisions).toFixed(3),
    (row.perSecond / oursPerSecond).toFixed(3),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map(line => (line[i] ?? '').length)))
  for (const line of [head, ...lines]) {
    const cells = line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    console.log(cells.join('   '))
  }
  const ours = rows.find(({ name }) => name === OURS)
  console.log(`
wrong, allowed beyond, refused early: shares of all decisions, by what each limiter promises
fullest window: the most it allowed in any window, of what it promises for that window
speed: decisions a second, as a share of ours; medians of slices taken in turns, in one process, Redis on a socket; our calls to a
door take the same way there and back
ours: ${ours?.over} allowed beyond the promise, ${ours?.beyondGrain} refused beyond the grain of leases (a session's requests that another isolate
holds, or has used and not reported yet)`)
}

function percent(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(2)} %`
}
