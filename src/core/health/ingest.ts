/** Ingests what edges report of upstreams, and keeps it by windows and minutes. */
import { own, ownOr } from '../own.ts'
import { follow } from './failure-streak.ts'
import { add, type Counts, merge, noCounts, readCell, samplesOf } from './samples.ts'
import { type HealthRules, type HealthState, MINUTE_MS, type Minute, type UpstreamHealth, upstreamIn } from './state.ts'

/** A window with too few samples goes on, up to this many windows. */
export const THIN_WINDOWS_MAX = 4
/** The windows of the last minute. */
const RECENT_WINDOWS = 12

/** Ingests samples from the cells of a report. Other cells are ignored. */
export function hear(
  health: HealthState,
  cells: Readonly<Record<string, number>>,
  rules: HealthRules,
  nowMs: number,
): void {
  if (rules.mode === 'off') return
  for (const [cell, by] of Object.entries(cells)) {
    const read = readCell(cell, nowMs)
    if (!read || !rules.upstreams.some(({ name }) => name === read.upstream)) continue
    const { breaker, window, losses, faults, streak } = upstreamIn(health, read.upstream)
    add(ownOr(health.minute.upstreams, read.upstream, noCounts), read.mark, read.bucket, by)
    // A trial is judged only by requests that were sent during it.
    const sinceMs = breaker.state === 'closed' ? (breaker.sinceMs ?? 0) : breaker.sinceMs
    if (read.sentByMs <= sinceMs) continue
    add(window, read.mark, read.bucket, by)
    if (read.mark === 'loss') losses[read.bucket] = (losses[read.bucket] ?? 0) + by
    if (read.mark === 'fault') faults[read.bucket] = (faults[read.bucket] ?? 0) + by
    // An upstream may have only answers that are no samples. Its trial must end nevertheless.
    if (read.mark === 'answered' && breaker.state === 'half-open') add(window, 'tolerating', read.bucket, by)
    follow(streak, read, nowMs)
  }
}

/** Returns the minute that has ended, once, or null while it goes on. */
export function endMinute(health: HealthState, nowMs: number): Minute | null {
  const ended = health.minute
  const minute = Math.floor(nowMs / MINUTE_MS)
  if (minute === ended.minute) return null
  health.minute = { minute, upstreams: {} }
  return ended
}

/** Returns the samples of an upstream in the last minute. */
export function lastMinute(health: HealthState, name: string): Counts {
  const counts = noCounts()
  const known = own(health.upstreams, name)
  for (const window of known ? [...known.recent, known.window] : []) merge(counts, window)
  return counts
}

/**
 * Ends a window and keeps it for the stats. A window with too few samples goes on instead. With `isAwaited` it goes on
 * for longer, because its few samples are all there are.
 */
export function finish(heard: UpstreamHealth, isUsed: boolean, isAwaited = false): void {
  if (!isUsed && samplesOf(heard.window) > 0) {
    const goesOn = heard.thinWindows + 1 < THIN_WINDOWS_MAX
    if (goesOn) heard.thinWindows++
    if (goesOn || isAwaited) return
  }
  heard.recent.push(heard.window)
  if (heard.recent.length > RECENT_WINDOWS) heard.recent.shift()
  heard.window = noCounts()
  heard.losses = {}
  heard.faults = {}
  heard.thinWindows = 0
}
