/**
 * Plays a crowd against the real decisions in virtual time: how long do visitors wait, what does it cost, and does
 * every guarantee hold?
 */
import { writeFileSync } from 'node:fs'
import { FLAGS, scenarioOf } from './simulation/command-line.ts'
import { figuresOf } from './simulation/figures.ts'
import { plotOf } from './simulation/plot.ts'
import { explain } from './simulation/report.ts'
import { World } from './simulation/world.ts'
import { type Given, number, run } from './support/cli.ts'

const USAGE = `npm run simulate -- --visitors N --arrive SECONDS --rate R [more]

Runs src/core itself over virtual time and a network that fails as the flags set it, checks the guarantees I1, I2, I4, I5, I6, I7 and I11, and
prints the figures. When a guarantee was broken it prints the seed, the smallest run that still breaks it and the last events, and exits 1.`

const MORE_FLAGS = {
  ...FLAGS,
  json: { help: 'print one JSON object' },
  plot: { value: 'FILE.svg', help: 'draw arrivals, waiting, inside, admissions and limits over time' },
  shrink: { value: 'SECONDS', help: 'how long to look for a smaller run that breaks a guarantee', default: '2' },
}

await run(USAGE, MORE_FLAGS, main)

async function main(given: Given): Promise<number> {
  const scenario = scenarioOf(given)
  const shrinkForMs = 1_000 * number(given, 'shrink', 0, 3_600, 'fractions')
  const startMs = performance.now()
  const world = new World(scenario)
  world.run()
  const figures = { ...figuresOf(world), elapsedMs: Math.round(performance.now() - startMs) }
  if (given.plot !== undefined) writeFileSync(given.plot, plotOf(world.samples))
  if (given.json === 'true') console.log(JSON.stringify(figures))
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(26)}${JSON.stringify(value)}`)
  if (figures.violations === 0) return 0
  console.error(explain(world, { shrinkForMs, arrivalsFile: given.arrivals }))
  return 1
}
