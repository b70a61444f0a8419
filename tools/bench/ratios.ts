/** The ratios of the benchmark: what they are measured from, what must hold, and how they are written down. */
import { round } from '../simulation/order.ts'

interface Ratio {
  readonly of: string
  readonly over: string
  /** The name of the ratio in the table of the docs. */
  readonly title: string
  readonly least: number
  /** The best possible ratio, measured with a Worker that does only the necessary work; null if it is unknown. */
  readonly floor: string | null
  readonly limitedBy: string
}

/** The ratios that must hold: one target's median over another's. */
const RATIOS: readonly Ratio[] = [
  {
    of: 'admitted',
    over: 'proxy',
    title: 'an admitted request / a plain proxy Worker',
    least: 0.6,
    floor: '0.86 to 0.93',
    limitedBy: 'copying the request',
  },
  {
    of: 'admitted (handed on)',
    over: 'proxy',
    title: 'an admitted request, pass in the cookie / a plain proxy Worker',
    least: 0.6,
    floor: null,
    limitedBy: 'reading the headers',
  },
  {
    of: 'admitted-two-policies',
    over: 'proxy',
    title: 'an admitted request under two policies / a plain proxy Worker',
    least: 0.58,
    floor: null,
    limitedBy: 'copying the request',
  },
  {
    of: 'limited',
    over: 'trivial',
    title: 'a refusal by a rate limit / a trivial Worker',
    least: 0.36,
    floor: null,
    limitedBy: 'parsing, and writing JSON and seven fields',
  },
  {
    of: 'poll, remembered',
    over: 'trivial',
    title: 'a poll, ticket remembered / a trivial Worker',
    least: 0.42,
    floor: '0.67 to 0.70',
    limitedBy: 'parsing the request, and writing JSON',
  },
  {
    of: 'poll, verified',
    over: 'trivial',
    title: 'a poll, ticket verified / a trivial Worker',
    least: 0.36,
    floor: null,
    limitedBy: 'verifying HS256',
  },
  {
    of: 'first visit',
    over: 'trivial',
    title: 'the waiting page, first visit / a trivial Worker',
    least: 0.24,
    floor: null,
    limitedBy: 'signing HS256, and a page of 15 KB',
  },
  {
    of: 'newly admitted',
    over: 'object',
    title: 'a new visitor admitted / a Worker with one object call and one row',
    least: 0.52,
    floor: null,
    limitedBy: 'the call, and signing Ed25519',
  },
  {
    of: 'admitted',
    over: 'remote',
    title: 'an admitted request / a Worker with two calls to Redis',
    least: 1.25,
    floor: null,
    limitedBy: 'the proxy',
  },
  {
    of: 'poll, remembered',
    over: 'remote',
    title: 'a poll, ticket remembered / a Worker with two calls to Redis',
    least: 2.5,
    floor: null,
    limitedBy: 'the isolate alone',
  },
  {
    of: 'first visit',
    over: 'remote',
    title: 'the waiting page, first visit / a Worker with two calls to Redis',
    least: 1.5,
    floor: null,
    limitedBy: 'signing HS256',
  },
]

export interface MeasuredRatio extends Ratio {
  /** The ratio of the medians. */
  readonly ratio: number
  /** Each round has its own ratio. These are the smallest and the greatest of them. */
  readonly spread: readonly [low: number, high: number]
  readonly enough: boolean
}

/** Returns the ratios of all targets that were measured. `rates` has the requests a second of each round, in order. */
export function ratiosOf(rates: ReadonlyMap<string, readonly number[]>): readonly MeasuredRatio[] {
  return RATIOS.flatMap(known => {
    const [of, over] = [rates.get(known.of), rates.get(known.over)]
    if (!of || !over) return []
    const each = of.map((perSecond, i) => perSecond / (over[i] ?? Number.NaN)).filter(Number.isFinite)
    const ratio = round(median(of) / median(over), 3)
    const spread = [round(Math.min(...each), 3), round(Math.max(...each), 3)] as const
    return [{ ...known, ratio, spread, enough: ratio >= known.least }]
  })
}

/** Returns the table of docs/performance.md. */
export function tableOf(ratios: readonly MeasuredRatio[]): string {
  const rows = ratios.map(({ title, ratio, spread: [low, high], least, floor, limitedBy }) => {
    const cells = [title, ratio.toFixed(2), `${low.toFixed(2)} to ${high.toFixed(2)}`, least, floor ?? '–', limitedBy]
    return `| ${cells.join(' | ')} |`
  })
  const heading = ['| | ratio | in one round | aim | at best | limited by |', '|---|---|---|---|---|---|']
  return [...heading, ...rows].join('\n')
}

const BEGIN = '<!-- written by npm run bench -- --write -->'
const END = '<!-- end of the ratios -->'

/** Returns the page with a new table between its two marks. Throws when a mark is missing. */
export function withTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`the page has no place for the table, between ${BEGIN} and ${END}`)
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
