/** Judges health by many crowds: in how many seeds each story of `tools/health/replay.ts` keeps its promises. */
import { brokenPromises, replay, STORIES } from './health/replay.ts'
import { type Given, run, UsageError } from './support/cli.ts'

const USAGE = `node tools/health-replays.ts [--seeds N]

Plays the crowds of three incidents in virtual time, with the room's own health control (src/core/health). Prints in how many seeds
all promises are kept, and how often each is broken.`

await run(USAGE, { seeds: { value: 'N', help: 'runs of each story, 1 to 1000', default: '64' } }, main)

async function main(given: Given): Promise<number> {
  const seeds = Number(given.seeds)
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > 1_000)
    throw new UsageError(`--seeds must be 1 to 1000, got ${given.seeds}`)
  for (const story of STORIES) {
    const broken = Array.from({ length: seeds }, (_, seed) => brokenPromises(replay(story, seed + 1)))
    const kept = broken.filter(names => names.length === 0).length
    const counts = [...new Set(broken.flat())].map(name => `${name} ${broken.filter(all => all.includes(name)).length}`)
    console.log(
      `${story.name.padEnd(16)}${kept} of ${seeds} kept${counts.length > 0 ? `; broken: ${counts.join(', ')}` : ''}`,
    )
  }
  return 0
}
