/** The languages that have texts. A test compares them with the files of `static/texts`. */

interface Facts {
  readonly dir?: 'rtl'
  /**
   * A language that writes numbers in the same way. The other language is used if the runtime has no data for this
   * language.
   */
  readonly near?: string
}

/** The languages by their BCP 47 tag, in alphabetical order. */
export const LANGUAGES = {
  ar: { dir: 'rtl' },
  bg: {},
  bn: {},
  ca: {},
  cs: {},
  cy: { near: 'en-GB' },
  da: {},
  de: {},
  el: {},
  en: {},
  es: {},
  et: {},
  eu: { near: 'es' },
  fa: { dir: 'rtl' },
  fi: {},
  fil: {},
  fr: {},
  ga: { near: 'en-GB' },
  gl: { near: 'es' },
  he: { dir: 'rtl' },
  hi: {},
  hr: {},
  hu: {},
  hy: { near: 'ru' },
  id: {},
  is: { near: 'da' },
  it: {},
  ja: {},
  ka: { near: 'ru' },
  ko: {},
  lt: {},
  lv: {},
  mk: { near: 'sr' },
  ms: {},
  mt: { near: 'en-GB' },
  nb: {},
  nl: {},
  pl: {},
  pt: {},
  'pt-BR': {},
  ro: {},
  ru: {},
  sk: {},
  sl: {},
  sq: { near: 'it' },
  sr: {},
  'sr-Latn': {},
  sv: {},
  sw: {},
  th: {},
  tr: {},
  uk: {},
  ur: { dir: 'rtl' },
  vi: {},
  'zh-Hans': {},
  'zh-Hant': {},
} as const satisfies Readonly<Record<string, Facts>>

export type LanguageTag = keyof typeof LANGUAGES

export const LANGUAGE_TAGS = Object.keys(LANGUAGES) as readonly LanguageTag[]

/** The language of visitors whose own language has no texts, if the room has no `languages`. */
export const FALLBACK: LanguageTag = 'en'

export function factsOf(tag: LanguageTag): Facts {
  return LANGUAGES[tag]
}
