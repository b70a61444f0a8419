import { expect } from 'vitest'
import { type Scenario, World } from '../../tools/simulation/world.ts'

/** A crowd arrives within two minutes. The room has a place for each visitor, and the network loses nothing. */
export const CALM: Omit<Scenario, 'visitors' | 'ratePerMinute'> = {
  seed: 1,
  arriveMs: 120_000,
  totalActiveUsers: 10_000_000,
  sessionMs: 300_000,
  stayMs: 30_000,
  noShows: 0,
  late: 0,
  edges: 8,
  doors: 3,
  clockSkewMs: 0,
  loss: 0,
  duplicate: 0,
  evictions: 0,
  changes: [],
  untilMs: 7_200_000,
}

/**
 * A small room and a very bad network. Messages are lost, repeated, reordered and up to eight seconds late, and doors
 * are evicted.
 */
export const ROUGH = {
  visitors: 250,
  arriveMs: 20_000,
  ratePerMinute: 240,
  totalActiveUsers: 40,
  sessionMs: 12_000,
  stayMs: 6_000,
  noShows: 0.2,
  late: 0.05,
  edges: 4,
  clockSkewMs: 2_000,
  loss: 0.05,
  duplicate: 0.05,
  evictions: 25,
  untilMs: 150_000,
} as const satisfies Partial<Scenario>

/** Plays a scenario to its end. Fails the test if the run broke a guarantee. */
export function played(scenario: Pick<Scenario, 'visitors' | 'ratePerMinute'> & Partial<Scenario>): World {
  const world = new World({ ...CALM, ...scenario })
  world.run()
  expect(world.checks.violations, `seed ${world.scenario.seed}`).toEqual([])
  return world
}
