/** The kind of a request, as its headers show it: for a page, for data, or for a part of a page. */

/**
 * `navigation`: the visitor is shown a page. `api`: a program asks for data. `subresource`: a part of a page, which no
 * person reads by itself.
 */
export type Kind = 'navigation' | 'api' | 'subresource'

/** Destinations of Fetch Metadata that a browser shows as a page. */
const SHOWN = /^(document|iframe|frame|embed|object)$/
const HTML = /\b(text\/html|application\/xhtml)/i
const JSON_TYPE = /\bapplication\/([\w.-]+\+)?json\b/i

export function kindOf(headers: Headers): Kind {
  const destination = headers.get('Sec-Fetch-Dest')
  return destination === null ? withoutMetadata(headers) : kindFor(destination, headers)
}

/**
 * Browsers send Fetch Metadata, over https only. A script's own request has the destination `empty`, and so has the
 * page that a service worker or a library loads in the browser's place.
 */
function kindFor(destination: string, headers: Headers): Kind {
  if (SHOWN.test(destination)) return 'navigation'
  if (headers.get('Sec-Fetch-Mode') === 'navigate' && acceptsHtml(headers)) return 'navigation'
  if (destination === 'empty') return isPageByScript(headers) ? 'navigation' : 'api'
  return acceptsJson(headers) ? 'api' : 'subresource'
}

/** Programs and old browsers. A list of types without HTML in it belongs to a part of a page. */
function withoutMetadata(headers: Headers): Kind {
  if (acceptsHtml(headers)) return 'navigation'
  if (acceptsJson(headers) || isByScript(headers) || acceptsEvents(headers)) return 'api'
  const accept = headers.get('Accept') ?? ''
  return accept === '' || accept.startsWith('*/*') ? 'api' : 'subresource'
}

/** Whether the library that sends the request names itself. Apps with a web view do so in this header, too. */
function isByScript(headers: Headers): boolean {
  return headers.get('X-Requested-With')?.toLowerCase() === 'xmlhttprequest'
}

/** Whether a script asks for a page, by its Accept or as a library that accepts anything and shows HTML. */
function isPageByScript(headers: Headers): boolean {
  if (headers.has('X-Up-Version') || headers.has('HX-Request')) return true
  return prefersHtml(headers) && !isTurboVisit(headers)
}

/**
 * Whether Turbo loads a page. Turbo shows the HTML of an error inside the present page. It loads any other answer for
 * real.
 */
function isTurboVisit(headers: Headers): boolean {
  return headers.has('X-Turbo-Request-Id') && !headers.has('Turbo-Frame')
}

/** Whether HTML is named, and JSON is not named before it. */
function prefersHtml(headers: Headers): boolean {
  const accept = headers.get('Accept') ?? ''
  const html = accept.search(HTML)
  const json = accept.search(JSON_TYPE)
  return html >= 0 && (json < 0 || html < json)
}

/** Whether the request asks for JSON: any media type of that kind in the list, whatever its q-value and case. */
export function acceptsJson(headers: Headers): boolean {
  return JSON_TYPE.test(headers.get('Accept') ?? '')
}

/** Whether the request asks for HTML by name: a browser does, or a program that shows pages. */
export function acceptsHtml(headers: Headers): boolean {
  return HTML.test(headers.get('Accept') ?? '')
}

/** Whether the request opens an event stream (HTML, section 9.2). */
export function acceptsEvents(headers: Headers): boolean {
  return /\btext\/event-stream\b/i.test(headers.get('Accept') ?? '')
}

/** The marks of requests ahead of their user: Fetch Metadata, older browsers, Turbo and Inertia. */
const PURPOSES = ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz', 'X-Sec-Purpose']
/** The marks of Next.js. They count with any value. */
const PREFETCHES = ['Next-Router-Prefetch', 'Next-Router-Segment-Prefetch', 'X-Middleware-Prefetch']

/** Whether a browser or a library fetches ahead of its user. No person waits for the answer. */
export function isPrefetch(headers: Headers): boolean {
  if (PURPOSES.some(name => /\b(prefetch|preview)\b/i.test(headers.get(name) ?? ''))) return true
  return PREFETCHES.some(name => headers.has(name))
}

/** A library that loads pages or parts of pages by script, and that an answer can ask to load a page for real. */
type Loader = 'htmx' | 'inertia' | 'turbo'

export function loaderOf(headers: Headers): Loader | null {
  if (headers.get('HX-Request') === 'true') return 'htmx'
  if (headers.get('X-Inertia') === 'true') return 'inertia'
  return headers.has('X-Turbo-Request-Id') ? 'turbo' : null
}
