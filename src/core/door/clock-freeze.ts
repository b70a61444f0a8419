/**
 * The freeze of the session clock during an outage. Sessions have no clock that could stop, so their ends are moved
 * instead. Each step moves them so far ahead that an outage costs few writes, and none per request.
 */

/** Plain data, so that it can be stored. */
export interface Pause {
  readonly sinceMs: number
  /** The ends of sessions have been moved for a freeze up to this time. */
  readonly untilMs: number
}

/**
 * A step is as long as the freeze has lasted so far, within these limits. So a visitor who has left keeps the place for
 * little longer than the outage.
 */
const STEP_MIN_MS = 20_000
const STEP_MAX_MS = 60_000
/** The next step comes this long before the present one is over, so that no session ends in between. */
const AHEAD_MS = 10_000

/**
 * Begins or continues a freeze. Returns by how many milliseconds the ends move now, 0 for none. Extra calls do no harm.
 */
export function goOn(before: Pause | null, nowMs: number): { readonly pause: Pause; readonly byMs: number } {
  const pause = before && nowMs <= before.untilMs ? before : { sinceMs: nowMs, untilMs: nowMs }
  if (nowMs < nextStepMs(pause)) return { pause, byMs: 0 }
  const byMs = Math.min(STEP_MAX_MS, Math.max(STEP_MIN_MS, nowMs - pause.sinceMs))
  return { pause: { ...pause, untilMs: pause.untilMs + byMs }, byMs }
}

/** Returns when to call `goOn` again, while the freeze lasts. */
export function nextStepMs({ untilMs }: Pause): number {
  return untilMs - AHEAD_MS
}
