/** Times in words, as visitors read them. */
import type { Wait } from '../../core/place/estimate.ts'
import { seconds } from '../problem.ts'

/** A shorter time is shown in seconds. */
const COUNTED_MS = 120_000

/** Returns a wait in words, as a range: "3 to 5 minutes". */
export function waitInWords(wait: Wait | null): string {
  if (wait === null) return 'unavailable'
  const low = Math.floor(wait.lowMs / 60_000)
  const high = Math.ceil(wait.highMs / 60_000)
  if (high <= 1) return 'less than a minute'
  if (high >= 90) return `${round(low / 60)} to ${round(high / 60 + 0.4)} hours`
  return low < 1 ? `up to ${high} minutes` : `${low} to ${high} minutes`
}

/** Returns a time to come in words: "12 minutes", "2 hours 5 minutes". */
export function inWords(ms: number): string {
  const all = Math.ceil(ms / 60_000)
  if (all <= 1) return 'less than a minute'
  const days = Math.floor(all / 1_440)
  const hours = Math.floor((all % 1_440) / 60)
  const parts = days > 0 ? [some(days, 'day'), some(hours, 'hour')] : [some(hours, 'hour'), some(all % 60, 'minute')]
  return parts.filter(part => part !== '').join(' ')
}

/** Returns a time that visitors count down: to the second when it is short. */
export function countdownInWords(ms: number): string {
  return ms < COUNTED_MS ? some(seconds(ms), 'second') : inWords(ms)
}

function some(count: number, unit: string): string {
  return count === 0 ? '' : `${count} ${unit}${count === 1 ? '' : 's'}`
}

function round(hours: number): number {
  return Math.max(1, Math.round(hours))
}
