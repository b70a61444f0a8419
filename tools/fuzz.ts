/**
 * Fuzzes the built Worker: sends mutated requests in all states of a room, and judges what origin and client receive.
 */
import { differenceText } from './fuzz/report.ts'
import { fuzz } from './fuzz/run.ts'
import { startFuzzedSites } from './fuzz/site.ts'
import { number, run } from './support/cli.ts'

const USAGE = `npm run fuzz -- [--requests 50000] [--seed 1] [--connections 12]

Sends mutated requests, byte for byte, to the built Worker in plain workerd: a site with a room in each state, before an
origin that records what it gets. Prints what became of them, and each difference with the smallest request that shows
it: a request at the origin that was not let in or is not the one that was sent, an answer without the contract, an
error in the log. The same seed gives the same requests. The exit code is 1 when there is a difference.`

const FLAGS = {
  requests: { value: 'N', help: 'how many', default: '50000' },
  seed: { value: 'N', help: 'which', default: '1' },
  connections: { value: 'N', help: 'at once, to each of the two sites', default: '12' },
}

await run(USAGE, FLAGS, async given => {
  const requests = number(given, 'requests', 1, 10_000_000)
  const seed = number(given, 'seed', 0, 4_294_967_295)
  const connections = number(given, 'connections', 1, 200)
  const sites = await startFuzzedSites()
  try {
    const startMs = Date.now()
    const { differences, tally } = await fuzz(sites, { requests, seed, connections, progress })
    for (const line of tally.lines()) console.log(line)
    for (const difference of differences) console.log(`\n${differenceText(difference, seed)}`)
    const seconds = ((Date.now() - startMs) / 1_000).toFixed(0)
    console.log(`\n${requests} requests, seed ${seed}, ${seconds} s: ${differences.length} differences`)
    return differences.length === 0 ? 0 : 1
  } finally {
    await Promise.all(sites.map(site => site.stop()))
  }
})

function progress(done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done}`)
}
