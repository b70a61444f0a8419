/** One language at the edge: its texts, and how it writes numbers and times. */

import type { Texts } from '../../settings/texts/keys.ts'
import type { LanguageTag } from '../../settings/texts/languages.ts'

export interface Language {
  /** The BCP 47 tag of the texts. */
  readonly tag: LanguageTag
  readonly dir: 'ltr' | 'rtl'
  /** The tags for `Intl`, best first. A runtime may have no data for the first one. */
  readonly locales: readonly string[]
  readonly texts: Texts
  number(count: number): string
  pluralOf(count: number): Intl.LDMLPluralRule
  /**
   * Returns a moment in a time zone (IANA), with the name of that zone. If the runtime does not know the zone, it uses
   * UTC.
   */
  moment(ms: number, timeZone: string): string
  /** Returns a time of day in a time zone (IANA), or null if the runtime does not know the zone. */
  time(ms: number, timeZone: string): string | null
}

/** The greatest count whose text and plural form a language remembers. */
const SMALL_MAX = 100

/** Makes a language. Its formats are created when they are first used, because each of them is costly. */
export function makeLanguage({ tag, dir, locales }: Pick<Language, 'tag' | 'dir' | 'locales'>, texts: Texts): Language {
  let numbers: Intl.NumberFormat | undefined
  let plurals: Intl.PluralRules | undefined
  const small: { readonly text: string; readonly rule: Intl.LDMLPluralRule }[] = []
  const format = (count: number) => {
    numbers ??= new Intl.NumberFormat([...locales])
    return numbers.format(count)
  }
  const select = (count: number) => {
    plurals ??= new Intl.PluralRules(tag)
    return plurals.select(count)
  }
  const known = (count: number) => {
    small[count] ??= { text: format(count), rule: select(count) }
    return small[count]
  }
  const moments = new Map<string, Intl.DateTimeFormat>()
  const times = new Map<string, Intl.DateTimeFormat | null>()
  return {
    tag,
    dir,
    locales,
    texts,
    number(count) {
      return isSmall(count) ? known(count).text : format(count)
    },
    pluralOf(count) {
      return isSmall(count) ? known(count).rule : select(count)
    },
    moment(ms, timeZone) {
      const known = moments.get(timeZone) ?? momentsIn(locales, timeZone)
      moments.set(timeZone, known)
      return known.format(ms)
    },
    time(ms, timeZone) {
      const known = times.get(timeZone)
      const format = known === undefined ? formatIn(locales, { timeStyle: 'short', timeZone }) : known
      times.set(timeZone, format)
      return format?.format(ms) ?? null
    },
  }
}

/** Whether a count is so small that pages show it again and again, such as minutes and seconds. */
function isSmall(count: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= SMALL_MAX
}

/** Months are numbers, because a runtime may lack their names. */
const MOMENT: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
}

function momentsIn(locales: readonly string[], timeZone: string): Intl.DateTimeFormat {
  const inZone = formatIn(locales, { ...MOMENT, timeZone })
  return inZone ?? new Intl.DateTimeFormat([...locales], { ...MOMENT, timeZone: 'UTC' })
}

/** Returns a format, or null for a time zone that the runtime does not know. */
function formatIn(locales: readonly string[], options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat([...locales], options)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** Returns the headers of an answer in a language that was chosen for its visitor. */
export function languageHeaders({ tag }: Language): Record<string, string> {
  return { 'Content-Language': tag, Vary: 'Accept-Language' }
}
