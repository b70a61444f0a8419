/** The texts of every language. Each file is text until a visitor needs its language, and is parsed once. */
import bg from '../../../static/texts/bg.json'
import ca from '../../../static/texts/ca.json'
import cs from '../../../static/texts/cs.json'
import da from '../../../static/texts/da.json'
import de from '../../../static/texts/de.json'
import en from '../../../static/texts/en.json'
import es from '../../../static/texts/es.json'
import et from '../../../static/texts/et.json'
import eu from '../../../static/texts/eu.json'
import fi from '../../../static/texts/fi.json'
import fr from '../../../static/texts/fr.json'
import gl from '../../../static/texts/gl.json'
import hr from '../../../static/texts/hr.json'
import hu from '../../../static/texts/hu.json'
import is from '../../../static/texts/is.json'
import it from '../../../static/texts/it.json'
import lt from '../../../static/texts/lt.json'
import lv from '../../../static/texts/lv.json'
import nb from '../../../static/texts/nb.json'
import nl from '../../../static/texts/nl.json'
import pl from '../../../static/texts/pl.json'
import pt from '../../../static/texts/pt.json'
import ptBR from '../../../static/texts/pt-BR.json'
import ro from '../../../static/texts/ro.json'
import sk from '../../../static/texts/sk.json'
import sl from '../../../static/texts/sl.json'
import sr from '../../../static/texts/sr.json'
import srLatn from '../../../static/texts/sr-Latn.json'
import sv from '../../../static/texts/sv.json'
import type { Texts } from '../../settings/texts/keys.ts'
import { FALLBACK, factsOf, type LanguageTag } from '../../settings/texts/languages.ts'
import { type Language, makeLanguage } from './language.ts'

/** The modules are text (see `rules` in wrangler.toml), whatever their type may be elsewhere. */
const FILES: Readonly<Record<LanguageTag, unknown>> = {
  bg,
  ca,
  cs,
  da,
  de,
  en,
  es,
  et,
  eu,
  fi,
  fr,
  gl,
  hr,
  hu,
  is,
  it,
  lt,
  lv,
  nb,
  nl,
  pl,
  pt,
  'pt-BR': ptBR,
  ro,
  sk,
  sl,
  sr,
  'sr-Latn': srLatn,
  sv,
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
