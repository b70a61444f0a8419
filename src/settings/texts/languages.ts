/** The languages that there are texts for. A test compares them with the files of `static/texts`. */

interface Facts {
  readonly dir?: 'rtl'
  /** A language whose numbers are written alike, for a runtime without data of this one. */
  readonly near?: string
}

/** By BCP 47 tag, in the order of the tags. */
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

/** The language for visitors whose own language has no texts, in a room without `languages`. */
export const FALLBACK: LanguageTag = 'en'

export function factsOf(tag: LanguageTag): Facts {
  return LANGUAGES[tag]
}
