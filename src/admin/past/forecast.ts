/** The limits for which the API can be asked to forecast. Their ranges are those of the settings. */
import type { AdmissionLimits } from '../../core/permits/bank.ts'
import type { Refused } from '../query.ts'

const RANGES = {
  new_users_per_minute: { limit: 'ratePerMinute', min: 0, max: 1_000_000 },
  total_active_users: { limit: 'totalActiveUsers', min: 1, max: 10_000_000 },
} as const satisfies Record<string, { limit: keyof AdmissionLimits; min: number; max: number }>

/** Returns the limits in the query, which have the names of their settings, or the problems with them. */
export function readForecastQuery(
  asked: Readonly<Record<string, string>>,
): Refused | { readonly limits: Partial<AdmissionLimits> } {
  const limits: Partial<Record<keyof AdmissionLimits, number>> = {}
  const problems = []
  for (const [path, { limit, min, max }] of Object.entries(RANGES)) {
    const given = asked[path]
    if (given === undefined) continue
    const value = given === '' ? Number.NaN : Number(given)
    if (value >= min && value <= max) limits[limit] = value
    else problems.push({ path, message: `must be a number, ${min} to ${max.toLocaleString('en')}, got ${given}` })
  }
  return problems.length > 0 ? { problems } : { limits }
}
