/**
 * Parts of a room's totals. `limit/<policy>/<figure>` are decisions of the rate limits, for the policies in the
 * settings. `verdict/<kind>/<why>` are decisions of the gate.
 */
import type { LimitStats } from '../protocol/calls.ts'

const PREFIX = 'limit/'
const VERDICT = 'verdict/'
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
  const verdicts = Object.entries(totals).filter(([cell]) => cell.startsWith(VERDICT))
  return Object.fromEntries(verdicts.map(([cell, total]) => [cell.slice(VERDICT.length), total]))
}

/** Returns the totals that belong neither to limits nor to verdicts. */
export function otherTotals(totals: Totals): Totals {
  const others = Object.entries(totals).filter(([cell]) => !cell.startsWith(PREFIX) && !cell.startsWith(VERDICT))
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
