/** The texts of every language. Each file is text until a visitor needs its language, and is parsed once. */
import ca from '../../../static/texts/ca.json'
import de from '../../../static/texts/de.json'
import en from '../../../static/texts/en.json'
import es from '../../../static/texts/es.json'
import eu from '../../../static/texts/eu.json'
import fr from '../../../static/texts/fr.json'
import gl from '../../../static/texts/gl.json'
import it from '../../../static/texts/it.json'
import nl from '../../../static/texts/nl.json'
import pt from '../../../static/texts/pt.json'
import ptBR from '../../../static/texts/pt-BR.json'
import type { Texts } from '../../settings/texts/keys.ts'
import { FALLBACK, factsOf, type LanguageTag } from '../../settings/texts/languages.ts'
import { type Language, makeLanguage } from './language.ts'

/** The modules are text (see `rules` in wrangler.toml), whatever their type may be elsewhere. */
const FILES: Readonly<Record<LanguageTag, unknown>> = {
  ca,
  de,
  en,
  es,
  eu,
  fr,
  gl,
  it,
  nl,
  pt,
  'pt-BR': ptBR,
}

const parsed = new Map<LanguageTag, Language>()

export function languageOf(tag: LanguageTag): Language {
  const known = parsed.get(tag)
  if (known) return known
  const language = withTexts(tag, JSON.parse(String(FILES[tag])) as Texts)
  parsed.set(tag, language)
  return language
}

/** Returns a language with other texts than those of its file. */
export function withTexts(tag: LanguageTag, texts: Texts): Language {
  const { dir = 'ltr', near } = factsOf(tag)
  return makeLanguage({ tag, dir, locales: near === undefined ? [tag, FALLBACK] : [tag, near] }, texts)
}
