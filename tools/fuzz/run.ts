/** A run: requests in batches, against each site in turn, judged from outside. */
import { Differences } from './differences.ts'
import { FIRST_ID } from './draft.ts'
import { generate } from './generate.ts'
import { faultsOf } from './judge.ts'
import { unexpected } from './log.ts'
import { Sender } from './sender.ts'
import type { FuzzedSite } from './site.ts'
import { Tally } from './tally.ts'

export interface Plan {
  readonly requests: number
  readonly seed: number
  /** Connections at once, to each site. */
  readonly connections: number
  progress?(done: number): void
}

export interface Result {
  readonly differences: Differences['found']
  readonly tally: Tally
}

interface Part {
  readonly site: FuzzedSite
  readonly sender: Sender
  readonly differences: Differences
}

const BATCH = 500

export async function fuzz(sites: readonly FuzzedSite[], plan: Plan): Promise<Result> {
  const tally = new Tally()
  const parts = sites.map((site, index) => {
    const sender = new Sender(site, plan.connections, FIRST_ID * (index + 1))
    return { site, sender, differences: new Differences(site, sender) }
  })
  try {
    for (let from = 0, batch = 0; from < plan.requests; from += BATCH, batch++) {
      const numbers = Array.from({ length: Math.min(BATCH, plan.requests - from) }, (_, index) => from + index)
      await runBatch(parts[batch % parts.length] as Part, numbers, plan.seed, tally)
      plan.progress?.(from + numbers.length)
    }
  } finally {
    for (const { sender } of parts) sender.close()
  }
  return { differences: parts.flatMap(({ differences }) => differences.found), tally }
}

async function runBatch({ site, sender, differences }: Part, numbers: readonly number[], seed: number, tally: Tally) {
  const [first = 0] = numbers
  const { exchanges, late, strays } = await sender.send(numbers.map(number => generate(seed, number)))
  const log = site.takeLog()
  for (const [index, exchange] of exchanges.entries()) {
    tally.add(exchange)
    for (const fault of faultsOf(exchange, site)) await differences.add(fault, first + index, exchange)
  }
  for (const exchange of late) {
    for (const fault of faultsOf(exchange, site)) await differences.add(`${fault}, late`, first, exchange)
    const isCut = exchange.sent.content === null
    if (!isCut) await differences.add('a request reached the origin after its answer', first, exchange)
  }
  for (const { text } of strays) differences.addStray(text, first)
  for (const words of unexpected(log)) await differences.addLogged(words, first, exchanges)
  if (!(await site.isWell()))
    throw new Error(`the site is out of order after request ${numbers.at(-1)} of seed ${seed}`)
}
