/**
 * Sessions whose time stands still: instead of a clock of their own, their ends are moved, so far ahead at a time that an outage costs
 * few writes, and none per request.
 */

/** Plain data, so that it can be stored. */
export interface Pause {
  readonly sinceMs: number
  /** The ends have been moved for a pause up to here. */
  readonly untilMs: number
}

/** A step is as long as the pause has lasted, within these: whoever left keeps a place for little longer than the outage was. */
const STEP_MIN_MS = 20_000
const STEP_MAX_MS = 60_000
/** The next step comes before the last one is over: no session ends in between. */
const AHEAD_MS = 10_000

/** The pause goes on, or begins: by how much the ends move now. Asked at any time. */
export function goOn(before: Pause | null, nowMs: number): { readonly pause: Pause; readonly byMs: number } {
  const pause = before && nowMs <= before.untilMs ? before : { sinceMs: nowMs, untilMs: nowMs }
  if (nowMs < nextStepMs(pause)) return { pause, byMs: 0 }
  const byMs = Math.min(STEP_MAX_MS, Math.max(STEP_MIN_MS, nowMs - pause.sinceMs))
  return { pause: { ...pause, untilMs: pause.untilMs + byMs }, byMs }
}

/** When to ask again, while it goes on. */
export function nextStepMs({ untilMs }: Pause): number {
  return untilMs - AHEAD_MS
}
