/** The faults of one site. The first request that shows a fault is reduced as far as it still shows the fault. */
import type { Draft } from './draft.ts'
import type { Exchange } from './exchange.ts'
import { faultsOf } from './judge.ts'
import { unexpected } from './log.ts'
import type { Sender } from './sender.ts'
import { shrink } from './shrink.ts'
import type { FuzzedSite } from './site.ts'

export interface Difference {
  readonly fault: string
  readonly site: string
  /** The number of requests that showed the fault. A line in the log counts once for each batch of requests. */
  count: number
  /** The number of the first request that showed the fault, or of the first request in its batch. */
  readonly first: number
  /** The smallest request that shows the fault, and its result. */
  readonly example: Exchange | null
  /** A request at the origin that matches no request of the run. */
  readonly stray: string | null
}

export class Differences {
  readonly #site: FuzzedSite
  readonly #sender: Sender
  readonly #byFault = new Map<string, Difference>()

  constructor(site: FuzzedSite, sender: Sender) {
    this.#site = site
    this.#sender = sender
  }

  get found(): readonly Difference[] {
    return [...this.#byFault.values()]
  }

  async add(fault: string, first: number, exchange: Exchange): Promise<void> {
    if (this.#isKnown(fault)) return
    const example = await this.#smallest(exchange, async draft => {
      const { exchanges } = await this.#sender.send([draft])
      const [again] = exchanges
      return again && faultsOf(again, this.#site).includes(fault) ? again : null
    })
    this.#note({ fault, first, example })
  }

  addStray(text: string, first: number): void {
    const fault = 'the origin got a request that was not sent'
    if (!this.#isKnown(fault)) this.#note({ fault, first, stray: text })
  }

  /**
   * A log line does not name its request. The request is found by bisection: half of the requests are sent again, then
   * half of those.
   */
  async addLogged(words: string, first: number, exchanges: readonly Exchange[]): Promise<void> {
    const fault = `workerd logged: ${words}`
    if (this.#isKnown(fault)) return
    const logged = async (drafts: readonly Draft[]) => {
      const { exchanges: again } = await this.#sender.send(drafts)
      return unexpected(this.#site.takeLog()).includes(words) ? again : null
    }
    let suspects = exchanges
    while (suspects.length > 1) {
      const half = suspects.slice(0, Math.ceil(suspects.length / 2))
      const isThere = (await logged(half.map(({ sent }) => sent.draft))) !== null
      suspects = isThere ? half : suspects.slice(half.length)
    }
    const [suspect] = suspects
    const example = suspect && (await this.#smallest(suspect, async draft => (await logged([draft]))?.[0] ?? null))
    this.#note({ fault, first, example: example ?? null })
  }

  #isKnown(fault: string): boolean {
    const known = this.#byFault.get(fault)
    if (known) known.count += 1
    return known !== undefined
  }

  #note(difference: Pick<Difference, 'fault' | 'first'> & Partial<Difference>): void {
    const { name } = this.#site
    this.#byFault.set(difference.fault, { site: name, count: 1, example: null, stray: null, ...difference })
  }

  async #smallest(first: Exchange, shown: (draft: Draft) => Promise<Exchange | null>): Promise<Exchange> {
    let smallest = first
    await shrink(first.sent.draft, async draft => {
      const again = await shown(draft)
      smallest = again ?? smallest
      return again !== null
    })
    // The log lines of these tries are known already.
    this.#site.takeLog()
    return smallest
  }
}
