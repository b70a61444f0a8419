/** Takes in what edges say of an upstream, and keeps it by windows and minutes. */
import { own, ownOr } from '../own.ts'
import { follow } from './failure-streak.ts'
import { add, type Counts, merge, noCounts, readCell, samplesOf } from './samples.ts'
import { type HealthRules, type HealthState, MINUTE_MS, type Minute, type UpstreamHealth, upstreamIn } from './state.ts'

/** A window that is too thin is added to the next, this many times. */
export const THIN_WINDOWS_MAX = 4
/** The last minute. */
const RECENT_WINDOWS = 12

/** Takes in samples from the cells of a report; other cells are left alone. */
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
    // A trial is judged by what was sent during it.
    const sinceMs = breaker.state === 'closed' ? (breaker.sinceMs ?? 0) : breaker.sinceMs
    if (read.sentByMs <= sinceMs) continue
    add(window, read.mark, read.bucket, by)
    if (read.mark === 'loss') losses[read.bucket] = (losses[read.bucket] ?? 0) + by
    if (read.mark === 'fault') faults[read.bucket] = (faults[read.bucket] ?? 0) + by
    // An upstream may have answers of which none is a sample, and its trial must end all the same.
    if (read.mark === 'answered' && breaker.state === 'half-open') add(window, 'tolerating', read.bucket, by)
    follow(streak, read, nowMs)
  }
}

/** The minute that is over, once; null while it goes on. */
export function endMinute(health: HealthState, nowMs: number): Minute | null {
  const ended = health.minute
  const minute = Math.floor(nowMs / MINUTE_MS)
  if (minute === ended.minute) return null
  health.minute = { minute, upstreams: {} }
  return ended
}

/** What was heard of an upstream in the last minute. */
export function lastMinute(health: HealthState, name: string): Counts {
  const counts = noCounts()
  const known = own(health.upstreams, name)
  for (const window of known ? [...known.recent, known.window] : []) merge(counts, window)
  return counts
}

/** Keeps the window for the figures, and a thin one for the next decision: longer where the few samples in it are all there are. */
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
