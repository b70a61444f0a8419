/**
 * The report of a run that broke a guarantee: which one, where, the events before, and the smallest command that shows
 * it.
 */
import { commandOf } from './command-line.ts'
import { Events } from './events.ts'
import { firstOf, shrink } from './shrink.ts'
import { World } from './world.ts'

const VIOLATIONS_SHOWN = 10
const EVENTS_SHOWN = 25

interface Explained {
  /** How long to look for a smaller run. */
  readonly shrinkForMs: number
  readonly arrivalsFile?: string | undefined
}

export function explain(broken: World, { shrinkForMs, arrivalsFile }: Explained): string {
  const { violations } = broken.checks
  const seconds = (atMs: number) => ((atMs - broken.startMs) / 1_000).toFixed(3)
  const shown = violations
    .slice(0, VIOLATIONS_SHOWN)
    .map(({ invariant, atMs, detail }) => `${invariant} broken at ${seconds(atMs)} s: ${detail}`)
  const smallest = shrink(broken, shrinkForMs)
  const { invariant } = firstOf(broken)
  const events = new Events()
  // The same scenario once more, this time with its events recorded.
  const again = new World(smallest.scenario, events)
  again.run(invariant)
  const violation = again.checks.violations.find(other => other.invariant === invariant) ?? firstOf(again)
  const story = events.before(violation.atMs, violation.visitor, EVENTS_SHOWN)
  return [
    `seed ${broken.scenario.seed}: ${violations.length} violations`,
    ...shown,
    '',
    `The smallest run found that still breaks ${invariant}:`,
    `  ${commandOf(smallest.scenario, arrivalsFile)}`,
    `Its last events before ${violation.detail}:`,
    ...story.map(({ atMs, text }) => `  ${seconds(atMs).padStart(9)} s  ${text}`),
  ].join('\n')
}
