/**
 * Compares the room's controller with a plain one over the same simulated origins. Prints a table for docs/health.md.
 */
import { type Control, PlainAimd, RoomHealth } from './health/control.ts'
import { figuresOf, type HealthFigures } from './health/figures.ts'
import { play } from './health/run.ts'
import { FILLED_SECOND, type NamedTrial, TRIALS } from './health/trials.ts'
import { type Given, run, UsageError } from './support/cli.ts'

const USAGE = `node tools/health-table.ts [--seeds N]

Plays a crowd before simulated origins that slow down, fail and recover, with the room's own controller (src/core/health) and with
a plain AIMD on the admission rate. Medians over the seeds.`

await run(USAGE, { seeds: { value: 'N', help: 'runs of each, 1 to 20', default: '3' } }, main)

async function main(given: Given): Promise<number> {
  const seeds = Number(given.seeds)
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > 20)
    throw new UsageError(`--seeds must be 1 to 20, got ${given.seeds}`)
  console.log('| room / plain | used | over target | turns an hour | p95 over 2 T |')
  console.log('|---|---|---|---|---|')
  for (const trial of TRIALS) {
    const ours = medians(trial, seeds, seed => new RoomHealth(seed))
    const plain = medians(trial, seeds, () => new PlainAimd())
    const cells = [
      `${percent(ours.used)} / ${percent(plain.used)}`,
      `${percent(ours.overTarget)} / ${percent(plain.overTarget)}`,
      `${ours.turnsAnHour.toFixed(0)} / ${plain.turnsAnHour.toFixed(0)}`,
      `${ours.slowSeconds} s / ${plain.slowSeconds} s`,
    ]
    console.log(`| ${trial.name} | ${cells.join(' | ')} |`)
  }
  return 0
}

function medians(trial: NamedTrial, seeds: number, controlOf: (seed: number) => Control): HealthFigures {
  const all = Array.from({ length: seeds }, (_, seed) =>
    figuresOf(play({ ...trial, seed: seed + 1 }, controlOf(seed + 1)), FILLED_SECOND),
  )
  const median = (name: keyof HealthFigures) => {
    const values = all.map(figures => figures[name]).sort((a, b) => a - b)
    return values[Math.floor(values.length / 2)] ?? 0
  }
  return {
    used: median('used'),
    overTarget: median('overTarget'),
    turnsAnHour: median('turnsAnHour'),
    slowSeconds: median('slowSeconds'),
    overshoot: median('overshoot'),
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}
