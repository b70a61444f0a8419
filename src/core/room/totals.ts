/**
 * Parts of a room's totals. `limit/<policy>/<figure>` are decisions of the rate limits, for the policies in the
 * settings. `verdict/<kind>/<why>` are decisions of the gate, and `answer/<state>/<why>` are answers of ours.
 */
import type { LimitStats } from '../protocol/calls.ts'

const PREFIX = 'limit/'
const VERDICT = 'verdict/'
const ANSWER = 'answer/'
type Totals = Readonly<Record<string, number>>

export function limitStats(totals: Totals, policies: readonly string[]): Record<string, LimitStats> {
  return Object.fromEntries(
    policies.map(name => {
      const total = (figure: keyof LimitStats) => totals[`${PREFIX}${name}/${figure}`] ?? 0
      const stats: LimitStats = {
        allowed: total('allowed'),
        limited: total('limited'),
        shadow: total('shadow'),
        near: total('near'),
        fallback: total('fallback'),
      }
      return [name, stats]
    }),
  )
}

/** Returns the decisions of the gate, by `<kind>/<why>`. */
export function verdictTotals(totals: Totals): Totals {
  return totalsBelow(VERDICT, totals)
}

/** Returns the answers that are not the origin's, by `<state>/<why>`. */
export function answerTotals(totals: Totals): Totals {
  return totalsBelow(ANSWER, totals)
}

function totalsBelow(prefix: string, totals: Totals): Totals {
  const cells = Object.entries(totals).filter(([cell]) => cell.startsWith(prefix))
  return Object.fromEntries(cells.map(([cell, total]) => [cell.slice(prefix.length), total]))
}

/** Returns the totals that belong neither to limits nor to verdicts nor to answers. */
export function otherTotals(totals: Totals): Totals {
  const isOther = (cell: string) => ![PREFIX, VERDICT, ANSWER].some(prefix => cell.startsWith(prefix))
  const others = Object.entries(totals).filter(([cell]) => isOther(cell))
  // A part of a bucket may be called, so the total of called people has fractions.
  return Object.fromEntries(others.map(([cell, total]) => [cell, Math.round(total)]))
}

/**
 * Deletes the totals of policies that no longer exist. Otherwise every renaming would make the room's stored row grow.
 */
export function prunePolicies(totals: Record<string, number>, policies: readonly string[]): void {
  for (const cell of Object.keys(totals)) {
    if (cell.startsWith(PREFIX) && !policies.includes(cell.split('/')[1] ?? '')) delete totals[cell]
  }
}
