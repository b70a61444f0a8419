/** The results of the requests, by the state of the room that they were sent to. */
import { makerOf } from './answered.ts'
import type { Exchange } from './exchange.ts'
import { pathOf, regionsOf } from './promises.ts'
import { valuesOf } from './wire.ts'

export class Tally {
  readonly #counts = new Map<string, Map<string, number>>()

  add({ sent, answer }: Exchange): void {
    const [host = ''] = valuesOf(sent.headers, 'host')
    const [region, ...others] = regionsOf(host, pathOf(sent.target))
    const where = others.length > 0 ? 'several rooms' : (region?.name ?? 'no room')
    const what = answer.kind === 'answer' ? `${makerOf({ sent, answer })} ${answer.status}` : answer.kind
    const counts = this.#counts.get(where) ?? new Map<string, number>()
    counts.set(what, (counts.get(what) ?? 0) + 1)
    this.#counts.set(where, counts)
  }

  /** How many requests to a region ended in each way: `origin`, `edge 503` and the like. */
  count(where: string, what: string): number {
    const counts = [...(this.#counts.get(where) ?? [])]
    return counts.filter(([one]) => one === what || one.startsWith(`${what} `)).reduce((sum, [, n]) => sum + n, 0)
  }

  lines(): readonly string[] {
    const rows = [...this.#counts].sort(([a], [b]) => a.localeCompare(b))
    return rows.map(([where, counts]) => {
      const sorted = [...counts].sort(([, a], [, b]) => b - a)
      return `${where.padEnd(14)} ${sorted.map(([what, count]) => `${what}: ${count}`).join(', ')}`
    })
  }
}
