/**
 * The categories of bots whose identity Cloudflare has verified. Cloudflare's pages spell some of them in two ways. So
 * upper case, and the word between two parts, are ignored.
 */

/** Crawlers of search engines. Crawlers and searches of AI have categories of their own. */
export const SEARCH_ENGINES = 'search engine crawler'

const KNOWN = [
  SEARCH_ENGINES,
  'search engine optimization',
  'academic research',
  'accessibility',
  'advertising & marketing',
  'aggregator',
  'aggregators',
  'ai assistant',
  'ai crawler',
  'ai search',
  'archiver',
  'feed fetcher',
  'monitoring & analytics',
  'page preview',
  'security',
  'webhooks',
  'other',
]

/** True if Cloudflare's documentation lists the category. A category that is not listed may be new, or misspelt. */
export function isKnownCategory(category: string): boolean {
  return KNOWN.includes(spelled(category))
}

/**
 * Returns a function that tests the category of a request. Only verified bots have a category. Otherwise the category
 * is empty or missing.
 */
export function categoryTest(wanted: readonly string[]): (category: string | null) => boolean {
  const known = new Set(wanted.map(spelled))
  return category => category !== null && category !== '' && known.has(spelled(category))
}

function spelled(category: string): string {
  return category.toLowerCase().replace(/ (?:and|or) /, ' & ')
}
