/** Sends many requests over several connections at once, and collects what the origin has received of each. */
import { Connection } from './connection.ts'
import { type Draft, fill, NETWORKS, type Network, type Sent } from './draft.ts'
import type { Exchange } from './exchange.ts'
import type { Arrival } from './origin.ts'
import type { FuzzedSite } from './site.ts'
import { headerOf } from './wire.ts'

/** A request that can be read is answered within this time, also on a busy machine. */
const ANSWER_WITHIN_MS = 30_000
/** The time to wait for a doubtful answer: if a request looks unfinished, the server waits for more bytes. */
const DOUBTFUL_WITHIN_MS = 300
/** Few requests come from the trusted network. */
const TRUSTED_CONNECTIONS = 2

/** Requests are remembered for a while, because a request that was cut off may arrive late. */
const REMEMBERED_MAX = 5_000

type Answered = Omit<Exchange, 'arrivals'>

interface Outcome {
  /** The exchanges of this batch, in the order of the drafts. */
  readonly exchanges: readonly Exchange[]
  /** Arrivals of requests that were sent in an earlier batch. */
  readonly late: readonly Exchange[]
  /** Arrivals that match no request. */
  readonly strays: readonly Arrival[]
}

export class Sender {
  readonly #site: FuzzedSite
  readonly #connections: Readonly<Record<Network, readonly Connection[]>>
  readonly #before = new Map<string, Answered>()
  #lastId: number

  constructor(site: FuzzedSite, connections: number, firstId: number) {
    // Each connection comes from its own network, so that limits by address are not reached.
    const open = (network: Network, count: number) =>
      Array.from({ length: count }, (_, index) => new Connection(site.port, `${NETWORKS[network]}.${index}.1`))
    this.#site = site
    this.#connections = { ordinary: open('ordinary', connections), trusted: open('trusted', TRUSTED_CONNECTIONS) }
    this.#lastId = firstId
  }

  async send(drafts: readonly Draft[]): Promise<Outcome> {
    const answered = await this.#ask(drafts)
    // An answer may come before its request has reached the origin. Two more requests give it the time.
    await this.#site.isWell()
    const arrivals = this.#site.origin.take().filter(arrival => !isOwn(arrival))
    const byId = Map.groupBy(arrivals, ({ id }) => id ?? '')
    const exchanges = answered.map(one => ({ ...one, arrivals: byId.get(one.sent.id) ?? [] }))
    for (const { sent } of answered) byId.delete(sent.id)
    const late: Exchange[] = []
    for (const [id, those] of byId) {
      const before = this.#before.get(id)
      if (before) late.push({ ...before, arrivals: those })
    }
    this.#remember(answered)
    return { exchanges, late, strays: [...byId.values()].flat().filter(({ id }) => !this.#before.has(id ?? '')) }
  }

  close(): void {
    for (const connection of Object.values(this.#connections).flat()) connection.close()
  }

  async #ask(drafts: readonly Draft[]): Promise<readonly Answered[]> {
    const answered: Answered[] = []
    const queues: Record<Network, number[]> = { ordinary: [], trusted: [] }
    for (const [index, { from }] of drafts.entries()) queues[from].push(index)
    const work = async (network: Network, connection: Connection) => {
      for (let index = queues[network].shift(); index !== undefined; index = queues[network].shift()) {
        this.#lastId += 1
        const sent = fill(drafts[index] as Draft, this.#site.tokens, this.#lastId)
        answered[index] = { sent, answer: await askOf(connection, sent) }
      }
    }
    const networks = ['ordinary', 'trusted'] as const
    await Promise.all(networks.flatMap(network => this.#connections[network].map(one => work(network, one))))
    return answered
  }

  #remember(answered: readonly Answered[]): void {
    for (const one of answered) this.#before.set(one.sent.id, one)
    const ids = this.#before.keys()
    for (let over = this.#before.size - REMEMBERED_MAX; over > 0; over--) this.#before.delete(ids.next().value ?? '')
  }
}

function askOf(connection: Connection, { draft, text, content }: Sent): Promise<Exchange['answer']> {
  return connection.ask({
    bytes: Buffer.from(text, 'latin1'),
    isHead: draft.method === 'HEAD',
    isLast:
      content === null || draft.version !== 'HTTP/1.1' || draft.lines.some(line => headerOf(line)[0] === 'connection'),
    withinMs: content === null ? DOUBTFUL_WITHIN_MS : ANSWER_WITHIN_MS,
  })
}

/** The plain requests that check whether the site still works. */
function isOwn({ target }: Arrival): boolean {
  return target.endsWith('/well')
}
