/** One language at the edge: its texts, and how it writes numbers and times. */

import type { Texts } from '../../settings/texts/keys.ts'
import type { LanguageTag } from '../../settings/texts/languages.ts'

export interface Language {
  /** The BCP 47 tag of the texts. */
  readonly tag: LanguageTag
  readonly dir: 'ltr' | 'rtl'
  /** The tags for `Intl`, best first: a runtime may have no data for the first one. */
  readonly locales: readonly string[]
  readonly texts: Texts
  number(count: number): string
  pluralOf(count: number): Intl.LDMLPluralRule
  /** A moment in UTC, with the name of that zone. */
  moment(ms: number): string
}

/** Makes a language. Its formats are made when they are first used, because each of them is costly. */
export function makeLanguage({ tag, dir, locales }: Pick<Language, 'tag' | 'dir' | 'locales'>, texts: Texts): Language {
  let numbers: Intl.NumberFormat | undefined
  let plurals: Intl.PluralRules | undefined
  let moments: Intl.DateTimeFormat | undefined
  return {
    tag,
    dir,
    locales,
    texts,
    number(count) {
      numbers ??= new Intl.NumberFormat([...locales])
      return numbers.format(count)
    },
    pluralOf(count) {
      plurals ??= new Intl.PluralRules(tag)
      return plurals.select(count)
    },
    moment(ms) {
      moments ??= new Intl.DateTimeFormat([...locales], MOMENT)
      return moments.format(ms)
    },
  }
}

/** Numbers only: a runtime may lack the names of months. */
const MOMENT: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
  timeZoneName: 'short',
}

/** Returns the headers of an answer in a language that was chosen for its visitor. */
export function languageHeaders({ tag }: Language): Record<string, string> {
  return { 'Content-Language': tag, Vary: 'Accept-Language' }
}
