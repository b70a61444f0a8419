/** Figures of rate limits among a room's totals: cells named `limit/<policy>/<figure>`, for the policies there are. */
import type { LimitFigures } from '../protocol/calls.ts'

const PREFIX = 'limit/'
type Totals = Readonly<Record<string, number>>

export function limitFigures(totals: Totals, policies: readonly string[]): Record<string, LimitFigures> {
  return Object.fromEntries(
    policies.map(name => {
      const total = (figure: keyof LimitFigures) => totals[`${PREFIX}${name}/${figure}`] ?? 0
      const figures: LimitFigures = {
        allowed: total('allowed'),
        limited: total('limited'),
        shadow: total('shadow'),
        near: total('near'),
        fallback: total('fallback'),
      }
      return [name, figures]
    }),
  )
}

/** The totals that are not of policies. */
export function otherTotals(totals: Totals): Totals {
  return Object.fromEntries(Object.entries(totals).filter(([name]) => !name.startsWith(PREFIX)))
}

/** Forgets policies that are not there any more: an operator's renaming must not grow the room's row without end. */
export function forgetPolicies(totals: Record<string, number>, policies: readonly string[]): void {
  for (const cell of Object.keys(totals)) {
    if (cell.startsWith(PREFIX) && !policies.includes(cell.split('/')[1] ?? '')) delete totals[cell]
  }
}
