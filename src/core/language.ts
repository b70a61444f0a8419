/**
 * Finds the language of a visitor among those that there are: lookup as in RFC 4647 section 3.4, over tags as BCP 47
 * writes them. A shorter tag matches only in the same script: a reader of `zh-TW` cannot read `zh-Hans`.
 */

/** Headers of browsers are far shorter. Anything longer is cut. */
const HEADER_MAX = 500
const RANGES_MAX = 20
/** Languages whose readers read another one as well, for which there may be texts. */
const READS: Readonly<Partial<Record<string, string>>> = {
  nn: 'nb',
  no: 'nb',
  gsw: 'de',
  lb: 'de',
  mo: 'ro',
  sh: 'sr-Latn',
}

/** Returns the language tags of an Accept-Language header (RFC 9110 section 12.5.4), best first. */
export function acceptedTags(header: string): readonly string[] {
  const ranges = header.slice(0, HEADER_MAX).split(',', RANGES_MAX).map(rangeOf)
  return ranges
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}

/** Returns the first of the wanted tags that one of the available tags serves, as that available tag, or null. */
export function bestTag(wanted: readonly string[], available: readonly string[]): string | null {
  for (const tag of wanted) {
    const found = lookup(tag, available)
    if (found !== null) return found
  }
  return null
}

function lookup(wanted: string, available: readonly string[]): string | null {
  const locale = localeOf(wanted)
  if (locale === null) return null
  const { language, region } = locale
  const script = locale.maximize().script
  const fitting = available.filter(tag => localeOf(tag)?.language === language && scriptOf(tag) === script)
  const exact = fitting.find(tag => tag === locale.baseName) ?? fitting.find(tag => tag === `${language}-${region}`)
  // Without a region of the visitor's own, the tag without one comes first: `pt` before `pt-BR`.
  const found = exact ?? fitting.find(tag => localeOf(tag)?.region === undefined) ?? fitting[0]
  if (found !== undefined) return found
  const other = READS[language]
  return other === undefined ? null : lookup(other, available)
}

/** Returns a tag in its canonical form (`iw` is `he`), or null when it is malformed. */
function localeOf(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag)
  } catch {
    return null
  }
}

function scriptOf(tag: string): string | undefined {
  return localeOf(tag)?.maximize().script
}

function rangeOf(text: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = text.split(';').map(part => part.trim())
  const weight = parameters.find(parameter => /^q=/i.test(parameter))?.slice(2) ?? '1'
  return { tag, weight: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 }
}
