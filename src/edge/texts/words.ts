/** Times and counts in words, as visitors read them. */
import type { Wait } from '../../core/place/estimate.ts'
import type { PluralText } from '../../settings/texts/keys.ts'
import { seconds } from '../problem.ts'
import type { Language } from './language.ts'

/** A time shorter than this is shown in seconds. */
const COUNTED_MS = 120_000
/** A wait of this many minutes or more is shown in hours. */
const HOURS_FROM_MINUTES = 90

/** A range in seconds begins and ends at a multiple of this. If it would begin at 0, no range is shown. */
const STEP_SECONDS = 10
/**
 * The time of day at which a wait ends is rounded to `step` minutes. The first row whose `from` is at most the wait
 * applies.
 */
const STEPS_MINUTES = [
  { from: 90, step: 15 },
  { from: 15, step: 5 },
  { from: 2, step: 1 },
] as const
/** For a longer wait no time of day is shown, because it may end on another day. */
const TIME_MAX_MS = 12 * 60 * 60_000

/** Returns a wait in words, as a range: "3 to 5 minutes". A wait below two minutes is given in seconds. */
export function waitInWords(wait: Wait | null, language: Language): string {
  const { time } = language.texts
  if (wait === null) return time.unknown
  const fromSeconds = Math.floor(wait.lowMs / 1_000 / STEP_SECONDS) * STEP_SECONDS
  const toSeconds = Math.ceil(wait.highMs / 1_000 / STEP_SECONDS) * STEP_SECONDS
  if (wait.highMs < COUNTED_MS && fromSeconds > 0) return range(fromSeconds, toSeconds, time.second, language)
  const low = Math.floor(wait.lowMs / 60_000)
  const high = Math.ceil(wait.highMs / 60_000)
  if (high <= 1) return time.short
  if (high >= HOURS_FROM_MINUTES) return range(hours(low / 60), hours(high / 60 + 0.4), time.hour, language)
  return low < 1 ? counted(time.upTo, high, language) : range(low, high, time.minute, language)
}

/** Returns when a wait ends, as a time of day to show. Returns null for a wait that is short, unknown or very long. */
export function endOfWaitMs(wait: Wait | null, nowMs: number): number | null {
  if (wait === null || wait.highMs < COUNTED_MS || wait.likelyMs > TIME_MAX_MS) return null
  const minutes = wait.likelyMs / 60_000
  const stepMs = (STEPS_MINUTES.find(({ from }) => minutes >= from)?.step ?? 1) * 60_000
  return Math.round((nowMs + wait.likelyMs) / stepMs) * stepMs
}

/** Returns how long something will take, in words: "12 minutes", "2 hours 5 minutes". */
export function inWords(ms: number, language: Language): string {
  const { time } = language.texts
  const all = Math.ceil(ms / 60_000)
  if (all <= 1) return time.short
  const days = Math.floor(all / 1_440)
  const hours = Math.floor((all % 1_440) / 60)
  const parts: readonly (readonly [number, PluralText])[] =
    days > 0
      ? [
          [days, time.day],
          [hours, time.hour],
        ]
      : [
          [hours, time.hour],
          [all % 60, time.minute],
        ]
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => counted(unit, count, language))
    .join(' ')
}

/** Returns the time left in a countdown, in words. A short time is given to the second. */
export function countdownInWords(ms: number, language: Language): string {
  return ms < COUNTED_MS ? counted(language.texts.time.second, seconds(ms), language) : inWords(ms, language)
}

/** Returns a text in the plural form for a count, with the count in it. */
export function counted(text: PluralText, count: number, language: Language): string {
  return filled(text[language.pluralOf(count)] ?? text.other, { count: language.number(count) })
}

/** Returns a text with values in its placeholders. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}

function range(low: number, high: number, unit: PluralText, language: Language): string {
  return filled(language.texts.time.range, { low: language.number(low), high: counted(unit, high, language) })
}

function hours(count: number): number {
  return Math.max(1, Math.round(count))
}
