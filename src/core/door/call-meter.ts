/** How much a door has to do: its calls and syncs a second, smoothed. */

/** The time constant of the smoothed mean. */
const OVER_MS = 3_000

export interface CallMeter {
  /** The decayed number of calls. Divided by the time constant in seconds, it is the mean number of calls a second. */
  calls: number
  atMs: number
}

export function newCallMeter(nowMs: number): CallMeter {
  return { calls: 0, atMs: nowMs }
}

export function noteCall(meter: CallMeter, nowMs: number): void {
  meter.calls = decayed(meter, nowMs) + 1
  meter.atMs = Math.max(meter.atMs, nowMs)
}

export function callsPerSecond(meter: CallMeter, nowMs: number): number {
  return Math.round((decayed(meter, nowMs) * 10_000) / OVER_MS) / 10
}

function decayed({ calls, atMs }: CallMeter, nowMs: number): number {
  return calls * Math.exp(-Math.max(0, nowMs - atMs) / OVER_MS)
}
