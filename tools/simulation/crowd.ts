/** Draws the crowd of a run: when each visitor arrives, and how it will behave. */
import { MAIN_LANE } from '../../src/core/ticket.ts'
import type { Random } from './random.ts'
import { type Scenario, START_MS } from './scenario.ts'
import { type Habit, type Person, type Plan, Visitor } from './visitor.ts'

/** Several tickets of one person are taken one after another within this time, one in each tab. */
const TAKEN_WITHIN_MS = 2_000
/** A visitor who will close the tab polls at most this many times before that. */
const POLLS_MAX = 6
/** The mean number of requests of a robot without cookies. */
const ROBOT_REQUESTS = 20

/** Returns the visitors in order of their arrival. */
export function newCrowd(scenario: Scenario, random: Random): Visitor[] {
  const { visitors, arriveMs, arrivalsMs, tickets = 2 } = scenario
  const afterMs = arrivalsMs ?? new Float64Array(visitors).map(() => random.next() * arriveMs)
  const arrivals: { readonly person: Person; readonly arrivesMs: number }[] = []
  for (const after of afterMs) {
    const person = { arrivesMs: START_MS + Math.floor(after), habit: habitOf(scenario, random), isIn: false }
    arrivals.push({ person, arrivesMs: person.arrivesMs })
    for (let more = 1; person.habit === 'several' && more < tickets; more++)
      arrivals.push({ person, arrivesMs: person.arrivesMs + random.below(TAKEN_WITHIN_MS) })
  }
  arrivals.sort((a, b) => a.arrivesMs - b.arrivesMs)
  return arrivals.map(
    ({ person, arrivesMs }, number) => new Visitor(number, person, arrivesMs, planOf(scenario, random)),
  )
}

function habitOf({ holders = 0, droppers = 0 }: Scenario, random: Random): Habit {
  if (holders + droppers === 0) return 'single'
  const drawn = random.next()
  if (drawn < holders) return 'several'
  return drawn < holders + droppers ? 'drops' : 'single'
}

/** The traits of a visitor who waits to the end. */
const STAYS = { lane: MAIN_LANE, isRobot: false, isScript: false, isLate: false, pollsMax: null } as const

function planOf(scenario: Scenario, random: Random): Plan {
  const { noShows, late, edges, robots = 0, scripts = 0 } = scenario
  const edge = random.below(edges)
  if (random.chance(robots)) return { ...STAYS, edge, isRobot: true, pollsMax: 1 + random.below(2 * ROBOT_REQUESTS) }
  // Without scripts nothing is drawn for them, so that a seed gives the same run as before.
  if (scripts > 0 && random.chance(scripts)) return { ...STAYS, edge, isScript: true }
  const goes = random.chance(noShows)
  const pollsMax = goes ? 1 + random.below(POLLS_MAX) : null
  return { ...STAYS, edge, lane: laneOf(scenario, random), pollsMax, isLate: !goes && random.chance(late) }
}

function laneOf({ lanes }: Scenario, random: Random): string {
  if (!lanes) return MAIN_LANE
  let drawn = random.next()
  for (const { name, crowd } of lanes) {
    if (drawn < crowd) return name
    drawn -= crowd
  }
  return MAIN_LANE
}
