/** The texts of every language. Each file is text until a visitor needs its language, and is parsed once. */
import ar from '../../../static/texts/ar.json'
import bg from '../../../static/texts/bg.json'
import bn from '../../../static/texts/bn.json'
import ca from '../../../static/texts/ca.json'
import cs from '../../../static/texts/cs.json'
import cy from '../../../static/texts/cy.json'
import da from '../../../static/texts/da.json'
import de from '../../../static/texts/de.json'
import el from '../../../static/texts/el.json'
import en from '../../../static/texts/en.json'
import es from '../../../static/texts/es.json'
import et from '../../../static/texts/et.json'
import eu from '../../../static/texts/eu.json'
import fa from '../../../static/texts/fa.json'
import fi from '../../../static/texts/fi.json'
import fil from '../../../static/texts/fil.json'
import fr from '../../../static/texts/fr.json'
import ga from '../../../static/texts/ga.json'
import gl from '../../../static/texts/gl.json'
import he from '../../../static/texts/he.json'
import hi from '../../../static/texts/hi.json'
import hr from '../../../static/texts/hr.json'
import hu from '../../../static/texts/hu.json'
import hy from '../../../static/texts/hy.json'
import id from '../../../static/texts/id.json'
import is from '../../../static/texts/is.json'
import it from '../../../static/texts/it.json'
import ja from '../../../static/texts/ja.json'
import ka from '../../../static/texts/ka.json'
import ko from '../../../static/texts/ko.json'
import lt from '../../../static/texts/lt.json'
import lv from '../../../static/texts/lv.json'
import mk from '../../../static/texts/mk.json'
import ms from '../../../static/texts/ms.json'
import mt from '../../../static/texts/mt.json'
import nb from '../../../static/texts/nb.json'
import nl from '../../../static/texts/nl.json'
import pl from '../../../static/texts/pl.json'
import pt from '../../../static/texts/pt.json'
import ptBR from '../../../static/texts/pt-BR.json'
import ro from '../../../static/texts/ro.json'
import ru from '../../../static/texts/ru.json'
import sk from '../../../static/texts/sk.json'
import sl from '../../../static/texts/sl.json'
import sq from '../../../static/texts/sq.json'
import sr from '../../../static/texts/sr.json'
import srLatn from '../../../static/texts/sr-Latn.json'
import sv from '../../../static/texts/sv.json'
import sw from '../../../static/texts/sw.json'
import th from '../../../static/texts/th.json'
import tr from '../../../static/texts/tr.json'
import uk from '../../../static/texts/uk.json'
import ur from '../../../static/texts/ur.json'
import vi from '../../../static/texts/vi.json'
import zhHans from '../../../static/texts/zh-Hans.json'
import zhHant from '../../../static/texts/zh-Hant.json'
import { factsOf, type LanguageTag } from '../../settings/texts/languages.ts'
import { type Language, makeLanguage } from './language.ts'

/** These modules are text (see `rules` in wrangler.toml), even if tools give them another type. */
const FILES: Readonly<Record<LanguageTag, unknown>> = {
  ar,
  bg,
  bn,
  ca,
  cs,
  cy,
  da,
  de,
  el,
  en,
  es,
  et,
  eu,
  fa,
  fi,
  fil,
  fr,
  ga,
  gl,
  he,
  hi,
  hr,
  hu,
  hy,
  id,
  is,
  it,
  ja,
  ka,
  ko,
  lt,
  lv,
  mk,
  ms,
  mt,
  nb,
  nl,
  pl,
  pt,
  'pt-BR': ptBR,
  ro,
  ru,
  sk,
  sl,
  sq,
  sr,
  'sr-Latn': srLatn,
  sv,
  sw,
  th,
  tr,
  uk,
  ur,
  vi,
  'zh-Hans': zhHans,
  'zh-Hant': zhHant,
}

const parsed = new Map<LanguageTag, Language>()

export function languageOf(tag: LanguageTag): Language {
  const known = parsed.get(tag)
  if (known) return known
  const language = languageWith(tag, {})
  parsed.set(tag, language)
  return language
}

/** Returns a language in which some texts are replaced, by their keys. */
export function languageWith(tag: LanguageTag, replaced: Readonly<Record<string, string | undefined>>): Language {
  const texts = JSON.parse(String(FILES[tag]))
  replace(texts, replaced)
  const { dir = 'ltr', near } = factsOf(tag)
  return makeLanguage({ tag, dir, locales: [tag, ...(near === undefined ? [] : [near])] }, texts)
}

interface Node {
  [key: string]: Node | string
}

function replace(texts: Node, replaced: Readonly<Record<string, string | undefined>>): void {
  for (const [key, text] of Object.entries(replaced)) {
    const path = key.split('.')
    const name = path.pop() as string
    const parent = path.reduce<Node>((node, part) => node[part] as Node, texts)
    // A single replacement stands for all plural forms of a text.
    if (text !== undefined) parent[name] = typeof parent[name] === 'string' ? text : { other: text }
  }
}
