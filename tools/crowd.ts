/** Sends a crowd of real visitors to an address, and reports how they fared. */
import { writeFileSync } from 'node:fs'
import { runCrowd } from './crowd/crowd.ts'
import { Film } from './crowd/film.ts'
import type { Tally } from './crowd/tally.ts'
import { liveLine, summaryOf } from './crowd/words.ts'
import { address, type Given, number, run } from './support/cli.ts'

const USAGE = `npm run crowd -- --visitors N [--url URL] [--arrive S] [--stay S] [--no-shows SHARE] [--robots N] [--duration S] [--json]

Visitors with cookies of their own arrive, calculate where the room sets a challenge, wait in line if there is one, browse and shop, and
go silent. Send it only to a
site that is yours. Exit code 1 when the address cannot be reached.`

const FLAGS = {
  url: { value: 'URL', help: 'where the visitors go', default: 'http://localhost:8787/' },
  visitors: { value: 'N', help: 'number of visitors' },
  robots: { value: 'N', help: 'scripts beside them, which solve no challenge', default: '0' },
  arrive: { value: 'SECONDS', help: 'time within which they arrive', default: '10' },
  stay: { value: 'SECONDS', help: 'mean time inside', default: '30' },
  think: { value: 'SECONDS', help: 'mean pause between two pages', default: '3' },
  'no-shows': { value: 'SHARE', help: 'share of visitors who close the tab while they wait', default: '0' },
  duration: { value: 'SECONDS', help: 'the run ends after this time', default: '1800' },
  plot: { value: 'FILE.svg', help: 'draws the run: waiting, inside, admitted, latency' },
  json: { help: 'figures as one JSON object' },
}

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const url = address(given, 'url') ?? FLAGS.url.default
  const ms = (name: string, low: number, high: number) => 1_000 * number(given, name, low, high, 'fractions')
  const interrupted = new AbortController()
  const options = {
    url,
    visitors: number(given, 'visitors', 1, 100_000),
    robots: number(given, 'robots', 0, 100_000),
    arriveMs: ms('arrive', 0, 86_400),
    stayMs: ms('stay', 0, 86_400),
    thinkMs: ms('think', 0, 3_600),
    noShows: number(given, 'no-shows', 0, 1, 'fractions'),
    durationMs: ms('duration', 1, 86_400),
    signal: interrupted.signal,
  }
  // The first Ctrl-C ends the run and prints the figures so far. The second ends the program.
  process.once('SIGINT', () => interrupted.abort())
  const line = liveLine(process.stderr)
  const film = new Film()
  const watch = (tally: Tally, nowMs: number) => {
    line.watch(tally, nowMs)
    film.watch(tally, nowMs)
  }
  const figures = await runCrowd({ ...options, watch })
  line.end()
  if (given.plot !== undefined) writeFileSync(given.plot, film.draw())
  console.log(given.json === 'true' ? JSON.stringify(figures) : summaryOf(figures, url))
  return 0
}
