/**
 * The rate limits' part of a room's totals: cells named `limit/<policy>/<figure>`, for the policies in the settings.
 */
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

/** Returns the totals that belong to no policy. */
export function otherTotals(totals: Totals): Totals {
  return Object.fromEntries(Object.entries(totals).filter(([name]) => !name.startsWith(PREFIX)))
}

/**
 * Deletes the totals of policies that no longer exist. Otherwise every renaming would make the room's stored row grow.
 */
export function forgetPolicies(totals: Record<string, number>, policies: readonly string[]): void {
  for (const cell of Object.keys(totals)) {
    if (cell.startsWith(PREFIX) && !policies.includes(cell.split('/')[1] ?? '')) delete totals[cell]
  }
}
