/** How an upstream served one request, in the terms of Apdex (apdex.org, version 1.1). */

/** Votes of this time are judged together. */
export const WINDOW_MS = 5_000
/** The name of the upstream for all requests that belong to no named upstream. */
export const ORIGIN = 'origin'

/**
 * The time of an answer by the target T. Satisfied: within T. Tolerating: within 4 T. Frustrated: later. Failed: a 5xx,
 * no answer in time, or no connection.
 */
export type Outcome = 'satisfied' | 'tolerating' | 'frustrated' | 'failed'

export function outcomeOf(tookMs: number, targetMs: number): Outcome {
  if (tookMs <= targetMs) return 'satisfied'
  return tookMs <= 4 * targetMs ? 'tolerating' : 'frustrated'
}

/** Returns the Apdex points of a sample. */
export function pointsOf(outcome: Outcome): number {
  if (outcome === 'satisfied') return 1
  return outcome === 'tolerating' ? 0.5 : 0
}
