/** How much a door has to do: its calls and syncs a second, smoothed. */

/** The time constant of the mean. */
const OVER_MS = 10_000

export interface Load {
  /** Calls, decayed: divided by the time constant they are a mean a second. */
  calls: number
  atMs: number
}

export function newLoad(nowMs: number): Load {
  return { calls: 0, atMs: nowMs }
}

export function noteCall(load: Load, nowMs: number): void {
  load.calls = decayed(load, nowMs) + 1
  load.atMs = Math.max(load.atMs, nowMs)
}

export function callsPerSecond(load: Load, nowMs: number): number {
  return Math.round((decayed(load, nowMs) * 10_000) / OVER_MS) / 10
}

function decayed({ calls, atMs }: Load, nowMs: number): number {
  return calls * Math.exp(-Math.max(0, nowMs - atMs) / OVER_MS)
}
