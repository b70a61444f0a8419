/** Converts the flags of `npm run simulate` to a scenario and back, so that a printed command repeats the run. */
import { readFileSync } from 'node:fs'
import { LANES_MAX, MAIN_LANE } from '../../src/core/ticket.ts'
import { type Flags, type Given, number, UsageError } from '../support/cli.ts'
import { ArrivalsError, readArrivals, VISITORS_MAX } from './arrivals-file.ts'
import type { Limit, Scenario, SimulatedLane } from './scenario.ts'

export const FLAGS = {
  visitors: { value: 'N', help: 'number of visitors', default: '10000' },
  arrive: { value: 'SECONDS', help: 'time over which they arrive, evenly at random', default: '120' },
  arrivals: {
    value: 'FILE.csv',
    help: 'instead of both: a line per visitor, SECONDS, or per second, SECOND,COUNT; # begins a comment',
  },
  rate: { value: 'R', help: 'new users a minute', default: '600' },
  total: { value: 'T', help: 'places', default: '10000000' },
  session: { value: 'M', help: 'session duration in minutes', default: '5' },
  stay: { value: 'S', help: 'seconds a visitor browses, on average', default: '30' },
  'no-shows': { value: 'P', help: 'share of visitors who close the tab while waiting', default: '0' },
  late: { value: 'P', help: 'share who sleep through their call', default: '0' },
  robots: { value: 'P', help: 'share of arrivals that keep no cookies', default: '0' },
  scripts: { value: 'P', help: 'share of arrivals that keep a ticket and solve no challenge', default: '0' },
  networks: { value: 'N', help: 'networks from which these scripts come', default: '10' },
  challenge: { help: 'a ticket must solve a challenge before it counts' },
  tickets: { value: 'K', help: 'tickets that each of the holders has at once', default: '2' },
  holders: { value: 'P', help: 'share of people who hold several tickets', default: '0' },
  droppers: { value: 'P', help: 'share of people who drop their first ticket and come again', default: '0' },
  edges: { value: 'E', help: 'isolates', default: '8' },
  doors: {
    value: 'D|auto',
    help: 'doors, or auto: the room adds them; when not given one for every 6,000 a minute, at least 3',
  },
  method: { value: 'fifo|random', help: 'queueing method', default: 'fifo' },
  'shuffle-window': {
    value: 'SECONDS',
    help: 'visitors who come within this time are drawn together in a random line',
    default: '60',
  },
  lanes: { value: 'NAME:SHARE:PART,…', help: 'lanes, each with its share of the permits and its part of the crowd' },
  limit: {
    value: 'COUNT/SECONDS[/BURST]',
    help: 'requests of a session; visitors then ask for whole pages at several isolates',
  },
  prequeue: { value: 'SECONDS', help: 'how long the line is held before the first visitor is let in', default: '0' },
  'event-draw': { help: 'visitors of the prequeue are drawn at its end, the start of an event' },
  'clock-skew': { value: 'MS', help: 'the clocks of edges are off by up to this', default: '0' },
  loss: { value: 'P', help: 'share of messages lost, and of those that are late', default: '0' },
  duplicate: {
    value: 'P',
    help: 'share of messages that come twice, and of old tickets that come again',
    default: '0',
  },
  evictions: { value: 'N', help: 'a door or the room loses its memory this often', default: '0' },
  until: { value: 'SECONDS', help: 'the run ends after this at the latest', default: '86400' },
  seed: { value: 'K', help: 'the same seed gives the same run', default: '1' },
} as const satisfies Flags

/**
 * The numbers of a scenario: the flag, the field, how many of the field's units one of the flag's has, and the range of
 * the flag.
 */
const NUMBERS = [
  ['visitors', 'visitors', 1, 1, VISITORS_MAX, 'whole'],
  ['arrive', 'arriveMs', 1_000, 0.1, 86_400, 'fractions'],
  ['rate', 'ratePerMinute', 1, 0, 1_000_000, 'whole'],
  ['total', 'totalActiveUsers', 1, 1, 10_000_000, 'whole'],
  ['session', 'sessionMs', 60_000, 0.05, 1_440, 'fractions'],
  ['stay', 'stayMs', 1_000, 0.1, 86_400, 'fractions'],
  ['no-shows', 'noShows', 1, 0, 1, 'fractions'],
  ['late', 'late', 1, 0, 1, 'fractions'],
  ['robots', 'robots', 1, 0, 1, 'fractions'],
  ['scripts', 'scripts', 1, 0, 1, 'fractions'],
  ['networks', 'networks', 1, 1, 1_000_000, 'whole'],
  ['tickets', 'tickets', 1, 1, 100, 'whole'],
  ['holders', 'holders', 1, 0, 1, 'fractions'],
  ['droppers', 'droppers', 1, 0, 1, 'fractions'],
  ['edges', 'edges', 1, 1, 10_000, 'whole'],
  ['doors', 'doors', 1, 1, 400, 'whole'],
  ['clock-skew', 'clockSkewMs', 1, 0, 10_000, 'whole'],
  ['loss', 'loss', 1, 0, 0.5, 'fractions'],
  ['duplicate', 'duplicate', 1, 0, 1, 'fractions'],
  ['evictions', 'evictions', 1, 0, 100_000, 'whole'],
  ['until', 'untilMs', 1_000, 1, 864_000, 'whole'],
  ['seed', 'seed', 1, 0, 2 ** 31, 'whole'],
] as const

export function scenarioOf(given: Given): Scenario {
  const { method } = given
  if (method !== 'fifo' && method !== 'random') throw new UsageError(`--method must be fifo or random, got ${method}`)
  const shuffleMs = 1_000 * number(given, 'shuffle-window', 6, 3_600)
  const arrivalsMs = given.arrivals === undefined ? null : arrivalsFrom(given.arrivals)
  const grows = given.doors === 'auto'
  const doors = grows ? String(DOORS_MAX) : (given.doors ?? doorsFor(Number(given.rate)))
  const numbers = numbersOf(Object.assign({}, given, { doors }))
  const { ratePerMinute, holders, droppers } = numbers
  if (holders + droppers > 1)
    throw new UsageError(`--holders and --droppers must be at most 1 in all, got ${holders + droppers}`)
  const prequeueMs = 1_000 * number(given, 'prequeue', 0, 86_400)
  const isDrawn = given['event-draw'] === 'true'
  if (isDrawn && prequeueMs === 0) throw new UsageError('--event-draw needs a --prequeue of some seconds')
  const isHeld = prequeueMs > 0 && !isDrawn
  return {
    ...numbers,
    ...(grows ? { growsFrom: Math.max(1, Math.ceil(numbers.ratePerMinute / RATE_PER_DOOR)) } : {}),
    ...(arrivalsMs ? { visitors: arrivalsMs.length, arrivalsMs } : {}),
    ratePerMinute: isHeld ? 0 : ratePerMinute,
    ...(given.limit === undefined ? {} : { limit: limitOf(given.limit) }),
    ...(given.lanes === undefined ? {} : { lanes: lanesOf(given.lanes) }),
    ...(method === 'random' ? { shuffleMs } : {}),
    ...(isDrawn ? { drawAtMs: prequeueMs } : {}),
    ...(given.challenge === 'true' ? { challenge: true } : {}),
    changes: isHeld ? [{ atMs: prequeueMs, ratePerMinute }] : [],
  }
}

function numbersOf(given: Given) {
  const numbers = NUMBERS.map(([flag, field, unit, low, high, kind]) => [
    field,
    unit * number(given, flag, low, high, kind),
  ])
  return Object.fromEntries(numbers) as Record<(typeof NUMBERS)[number][1], number>
}

function limitOf(text: string): Limit {
  const [count = 0, seconds = 0, burst = count, more] = text.split('/').map(Number)
  const ok = more === undefined && [count, seconds, burst].every(number => Number.isInteger(number) && number >= 1)
  if (!ok || count > 1_000_000 || seconds > 86_400 || burst > 1_000_000 || count > 1_000 * seconds) {
    const range = 'up to 1,000,000 requests in 1 to 86,400 seconds and a burst of 1 to 1,000,000'
    throw new UsageError(`--limit must be like 120/60/40, ${range}, at most 1,000 a second, got ${text}`)
  }
  return { count, periodMs: 1_000 * seconds, burst }
}

/** The admissions a minute for which a room has a door, and the most doors, as in a room's settings. */
const RATE_PER_DOOR = 6_000
const DOORS_MAX = 100

/** The same names as in a room's settings. */
const LANE_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/

function lanesOf(text: string): SimulatedLane[] {
  const lanes = text.split(',').map(part => {
    const [name = '', share, crowd] = part.split(':')
    const lane = { name, share: Number(share), crowd: Number(crowd) }
    const isNamed = LANE_NAME.test(name) && name !== MAIN_LANE
    if (!isNamed || ![lane.share, lane.crowd].every(number => number >= 0 && number <= 1))
      throw new UsageError(
        `--lanes must be like vip:0.2:0.1, a name as in the settings with a share and a part of 0 to 1, got ${part}`,
      )
    return lane
  })
  const twice = lanes.find(({ name }, index) => lanes.findIndex(other => other.name === name) !== index)
  if (twice) throw new UsageError(`--lanes must name each lane once, got ${twice.name} twice`)
  const sums = [lanes.reduce((sum, { share }) => sum + share, 0), lanes.reduce((sum, { crowd }) => sum + crowd, 0)]
  if (lanes.length > LANES_MAX || sums.some(sum => sum > 1 + 1e-9)) {
    throw new UsageError(`--lanes must be at most ${LANES_MAX}, with shares and parts of at most 1 in all, got ${text}`)
  }
  return lanes
}

/** An object handles about 1,000 requests a second, and an admission takes a few calls. */
function doorsFor(ratePerMinute: number): string {
  return String(Math.max(3, Math.ceil(ratePerMinute / RATE_PER_DOOR)))
}

/** The command with those flags that differ from their defaults. */
export function commandOf(scenario: Scenario, arrivalsFile?: string): string {
  const { changes, drawAtMs, lanes, shuffleMs, limit } = scenario
  const ratePerMinute = changes[0]?.ratePerMinute ?? scenario.ratePerMinute
  const { visitors, arrive, ...others } = Object.fromEntries(
    NUMBERS.map(([flag, field, unit]) => {
      const value = { ...scenario, ratePerMinute }[field]
      return [flag, value === undefined ? undefined : String(value / unit)]
    }),
  )
  const given: Record<string, string | undefined> = {
    ...(arrivalsFile ? { arrivals: arrivalsFile } : { visitors, arrive }),
    ...others,
    ...(scenario.growsFrom ? { doors: 'auto' } : {}),
    prequeue: String((changes[0]?.atMs ?? drawAtMs ?? 0) / 1_000),
    method: shuffleMs ? 'random' : 'fifo',
    'shuffle-window': shuffleMs ? String(shuffleMs / 1_000) : undefined,
    limit: limit && `${limit.count}/${limit.periodMs / 1_000}/${limit.burst}`,
    'event-draw': drawAtMs === undefined ? undefined : '',
    challenge: scenario.challenge ? '' : undefined,
    lanes: lanes?.map(({ name, share, crowd }) => `${name}:${share}:${crowd}`).join(','),
  }
  const defaults: Record<string, string> = { doors: doorsFor(ratePerMinute) }
  for (const [name, flag] of Object.entries(FLAGS)) if ('default' in flag) defaults[name] = flag.default
  const flags = Object.entries(given).filter(([name, value]) => value !== undefined && value !== defaults[name])
  return ['npm run simulate --', ...flags.map(([name, value]) => `--${name} ${value}`.trimEnd())].join(' ')
}

function arrivalsFrom(file: string): Float64Array {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--arrivals cannot be read: ${(error as Error).message}`)
  }
  try {
    return readArrivals(text)
  } catch (error) {
    if (error instanceof ArrivalsError) throw new UsageError(`--arrivals ${file}, ${error.message}`)
    throw error
  }
}
