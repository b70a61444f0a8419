/** Replays incidents against real processes, with the room and without it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { play } from './scenarios/play.ts'
import { lasting } from './scenarios/scenario.ts'
import { SCENARIOS } from './scenarios/stories.ts'
import { type Played, promisesOf, tableOf } from './scenarios/words.ts'
import { type Given, number, run, UsageError } from './support/cli.ts'

const NAMES = SCENARIOS.map(({ name }) => name)

const USAGE = `npm run scenarios -- [NAME|all] [--seconds S] [--json] [--plot DIR]

Replays an incident twice: the built Worker in workerd, an origin whose capacity collapses when it is overrun, and a crowd; once
with the room and once without. Everything is smaller and shorter than the incident, and each run prints by how much. Exit code 1
when a promise was broken. Names: ${NAMES.join(', ')}.`

const FLAGS = {
  seconds: { value: 'S', help: "length of a run, instead of the scenario's own" },
  json: { help: 'one JSON object' },
  plot: { value: 'DIR', help: 'draws each run: NAME-with.svg and NAME-without.svg' },
}

await run(USAGE, FLAGS, main, 'some')

async function main(given: Given): Promise<number> {
  const [name = 'all', ...more] = given._
  if (more.length > 0) throw new UsageError(`one name, or all, got ${[name, ...more].join(' ')}`)
  const chosen = name === 'all' ? SCENARIOS : SCENARIOS.filter(scenario => scenario.name === name)
  if (chosen.length === 0) throw new UsageError(`${name} is no scenario, there are ${NAMES.join(', ')}`)
  const seconds = given.seconds === undefined ? null : number(given, 'seconds', 30, 86_400)
  const all: Played[] = []
  for (const scenario of chosen) {
    const told = seconds === null ? scenario : lasting(scenario, seconds)
    const played = await playBoth(told, given.plot)
    all.push(played)
    if (given.json !== 'true') console.log(`${tableOf(played)}\n`)
  }
  if (given.json === 'true')
    console.log(JSON.stringify(Object.fromEntries(all.map(played => [played.scenario.name, jsonOf(played)]))))
  return all.flatMap(promisesOf).every(({ kept }) => kept) ? 0 : 1
}

async function playBoth(scenario: (typeof SCENARIOS)[number], plotTo: string | undefined): Promise<Played> {
  const tell = (words: string) => console.error(`  ${words}`)
  console.error(`${scenario.name}, with the room: ${scenario.seconds} s`)
  const withRoom = await play(scenario, true, tell)
  console.error(`${scenario.name}, without: ${scenario.seconds} s`)
  const without = await play(scenario, false, tell)
  if (plotTo !== undefined) {
    mkdirSync(plotTo, { recursive: true })
    writeFileSync(join(plotTo, `${scenario.name}-with.svg`), withRoom.svg)
    writeFileSync(join(plotTo, `${scenario.name}-without.svg`), without.svg)
  }
  return { scenario, withRoom: withRoom.column, without: without.column }
}

function jsonOf(played: Played) {
  const { scenario, withRoom, without } = played
  return { scale: scenario.scale, seconds: scenario.seconds, with: withRoom, without, promises: promisesOf(played) }
}
