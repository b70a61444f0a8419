/** How an upstream served one request, as Apdex (apdex.org, version 1.1) has it. */

/** Votes are judged together over this time. */
export const WINDOW_MS = 5_000
/** The name of the upstream for all requests that belong to no named upstream. */
export const ORIGIN = 'origin'

/** Satisfied within T, tolerating within 4 T, frustrated beyond. Failed: a 5xx, no answer in time, no connection. */
export type Outcome = 'satisfied' | 'tolerating' | 'frustrated' | 'failed'

export function outcomeOf(tookMs: number, targetMs: number): Outcome {
  if (tookMs <= targetMs) return 'satisfied'
  return tookMs <= 4 * targetMs ? 'tolerating' : 'frustrated'
}

/** Returns what a sample is worth in the Apdex. */
export function pointsOf(outcome: Outcome): number {
  if (outcome === 'satisfied') return 1
  return outcome === 'tolerating' ? 0.5 : 0
}
