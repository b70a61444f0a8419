/** Finds a smaller scenario that still breaks a guarantee, by halving whatever can be halved. */
import { type Scenario, START_MS } from './scenario.ts'
import { World } from './world.ts'

/** A person reads the result, so it need not be the very smallest. */
const RUNS_MAX = 60

/** Looks for at most `forMs` of real time. Returns the smallest run found, which is `broken` when none is smaller. */
export function shrink(broken: World, forMs: number): World {
  const { invariant } = firstOf(broken)
  const startMs = performance.now()
  let smallest = broken
  let runs = 0
  for (let found = true; found; ) {
    found = false
    for (const scenario of smallerThan(smallest)) {
      if (runs++ >= RUNS_MAX || performance.now() - startMs >= forMs) return smallest
      const world = new World(scenario)
      world.run(invariant)
      if (world.checks.violations.some(violation => violation.invariant === invariant)) {
        smallest = world
        found = true
        break
      }
    }
  }
  return smallest
}

export function firstOf(world: World) {
  const [first] = world.checks.violations
  if (!first) throw new Error('a run without a violation has nothing to shrink')
  return first
}

const SHARES = [
  'loss',
  'duplicate',
  'noShows',
  'late',
  'robots',
  'scripts',
  'holders',
  'droppers',
  'clockSkewMs',
] as const

/** The most useful steps first: a shorter run, a smaller crowd, fewer failures. */
function* smallerThan(world: World): Generator<Scenario> {
  const { scenario } = world
  const endMs = 1_000 * Math.ceil((firstOf(world).atMs - START_MS + 1) / 1_000)
  if (endMs < scenario.untilMs) yield { ...scenario, untilMs: endMs }
  if (scenario.visitors > 1 && !scenario.arrivalsMs) {
    const visitors = scenario.visitors >> 1
    // First half the crowd in half the time: often the arrival rate is what matters.
    if (scenario.arriveMs >= 200) yield { ...scenario, visitors, arriveMs: Math.round(scenario.arriveMs / 2) }
    yield { ...scenario, visitors }
  }
  for (const name of SHARES) {
    if ((scenario[name] ?? 0) > 0) yield { ...scenario, [name]: 0 }
  }
  if (scenario.evictions > 0) yield { ...scenario, evictions: scenario.evictions >> 1 }
  if (scenario.edges > 1) yield { ...scenario, edges: scenario.edges >> 1 }
  if (scenario.doors > 1 && !scenario.growsFrom) yield { ...scenario, doors: scenario.doors >> 1 }
}
