/** Times and counts in words, as visitors read them. */
import type { Wait } from '../../core/place/estimate.ts'
import type { PluralText } from '../../settings/texts/keys.ts'
import { seconds } from '../problem.ts'
import type { Language } from './language.ts'

/** A shorter time is shown in seconds. */
const COUNTED_MS = 120_000
/** From here on a wait is shown in hours. */
const HOURS_FROM_MINUTES = 90

/** Returns a wait in words, as a range: "3 to 5 minutes". */
export function waitInWords(wait: Wait | null, language: Language): string {
  const { time } = language.texts
  if (wait === null) return time.unknown
  const low = Math.floor(wait.lowMs / 60_000)
  const high = Math.ceil(wait.highMs / 60_000)
  if (high <= 1) return time.short
  if (high >= HOURS_FROM_MINUTES) return range(hours(low / 60), hours(high / 60 + 0.4), time.hour, language)
  return low < 1 ? counted(time.upTo, high, language) : range(low, high, time.minute, language)
}

/** Returns a time to come in words: "12 minutes", "2 hours 5 minutes". */
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

/** Returns a time that visitors count down: to the second when it is short. */
export function countdownInWords(ms: number, language: Language): string {
  return ms < COUNTED_MS ? counted(language.texts.time.second, seconds(ms), language) : inWords(ms, language)
}

/** Returns the plural form of a text for a count, with the count in it. */
export function counted(text: PluralText, count: number, language: Language): string {
  return filled(text[language.pluralOf(count)] ?? text.other, { count: language.number(count) })
}

/** Returns a text with its values. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}

function range(low: number, high: number, unit: PluralText, language: Language): string {
  return filled(language.texts.time.range, { low: language.number(low), high: counted(unit, high, language) })
}

function hours(count: number): number {
  return Math.max(1, Math.round(count))
}
