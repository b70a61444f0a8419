/**
 * The categories of bots whose identity Cloudflare has verified. Cloudflare's pages spell some of them in two ways, so
 * case and the word between two parts do not count.
 */

/** Crawlers whose pages people find by a search. Crawlers and searches of AI have categories of their own. */
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

/** Whether Cloudflare's documentation lists the category. One that it does not list may be new, or misspelt. */
export function isKnownCategory(category: string): boolean {
  return KNOWN.includes(spelled(category))
}

/** Returns a test for the category of a request, which is empty or missing for all but verified bots. */
export function categoryTest(wanted: readonly string[]): (category: string | null) => boolean {
  const known = new Set(wanted.map(spelled))
  return category => category !== null && category !== '' && known.has(spelled(category))
}

function spelled(category: string): string {
  return category.toLowerCase().replace(/ (?:and|or) /, ' & ')
}
