/**
 * Finds the best of the available languages for a visitor: lookup as in RFC 4647 section 3.4, over tags as in BCP 47. A
 * shorter tag matches only in the same script: a reader of `zh-TW` cannot read `zh-Hans`.
 */

/** Headers of browsers are far shorter. Anything longer is cut. */
const HEADER_MAX = 500
const RANGES_MAX = 20
/** For some languages, another one that their readers also know. That one is more likely to have texts. */
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

/**
 * Returns the available tag for the first wanted tag that has one, or null. Available tags must be canonical. Few of
 * them are parsed, because parsing a tag costs more than a comparison.
 */
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
  const { script } = locale.maximize()
  const fitting = available
    .filter(tag => tag === language || tag.startsWith(`${language}-`))
    .map(tag => new Intl.Locale(tag))
    .filter(one => one.maximize().script === script)
  // If no tag has the visitor's region, a tag without a region comes first: `pt` before `pt-BR`.
  const found =
    fitting.find(one => one.region === region) ?? fitting.find(one => one.region === undefined) ?? fitting[0]
  if (found !== undefined) return found.baseName
  const other = READS[language]
  return other === undefined ? null : lookup(other, available)
}

/** Returns the canonical form of a tag (`he` for `iw`), or null if the tag is malformed. */
function localeOf(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag)
  } catch {
    return null
  }
}

function rangeOf(text: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = text.split(';').map(part => part.trim())
  const weight = parameters.find(parameter => /^q=/i.test(parameter))?.slice(2) ?? '1'
  return { tag, weight: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 }
}
