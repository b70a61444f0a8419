/** The kind of a request, as its headers show it: for a page, for data, or for a part of a page. */

/**
 * `navigation`: the visitor is shown a page. `api`: a program asks for data. `subresource`: a part of a page, which no
 * person reads on its own.
 */
export type Kind = 'navigation' | 'api' | 'subresource'

/** Destinations in Fetch Metadata that a browser shows as a page. */
const SHOWN = /^(document|iframe|frame|embed|object)$/
const HTML = /\b(text\/html|application\/xhtml)/i
const JSON_TYPE = /\bapplication\/([\w.-]+\+)?json\b/i

export function kindOf(headers: Headers): Kind {
  const destination = headers.get('Sec-Fetch-Dest')
  return destination === null ? withoutMetadata(headers) : kindFor(destination, headers)
}

/**
 * Returns the kind by Fetch Metadata, which browsers send over https only. A script's own request has the destination
 * `empty`. So has a page that a service worker or a library loads for the browser.
 */
function kindFor(destination: string, headers: Headers): Kind {
  if (SHOWN.test(destination)) return 'navigation'
  if (headers.get('Sec-Fetch-Mode') === 'navigate' && acceptsHtml(headers)) return 'navigation'
  if (destination === 'empty') return isPageByScript(headers) ? 'navigation' : 'api'
  return acceptsJson(headers) ? 'api' : 'subresource'
}

/**
 * Returns the kind for programs and old browsers. If a list of types does not contain HTML, the request is for a part
 * of a page.
 */
function withoutMetadata(headers: Headers): Kind {
  if (acceptsHtml(headers)) return 'navigation'
  if (acceptsJson(headers) || isByScript(headers) || acceptsEvents(headers)) return 'api'
  const accept = headers.get('Accept') ?? ''
  return accept === '' || accept.startsWith('*/*') ? 'api' : 'subresource'
}

/** True if a library names itself in the request. Apps with a web view do so in this header, too. */
function isByScript(headers: Headers): boolean {
  return headers.get('X-Requested-With')?.toLowerCase() === 'xmlhttprequest'
}

/** True if a script asks for a page: either by its Accept, or as a library that accepts anything and shows HTML. */
function isPageByScript(headers: Headers): boolean {
  if (headers.has('X-Up-Version') || headers.has('HX-Request')) return true
  return prefersHtml(headers) && !isTurboVisit(headers)
}

/**
 * True if Turbo loads a page. Turbo shows the HTML of an error inside the present page. For any other answer it loads
 * the whole page.
 */
function isTurboVisit(headers: Headers): boolean {
  return headers.has('X-Turbo-Request-Id') && !headers.has('Turbo-Frame')
}

/** True if HTML is in the list, and JSON is not before it. */
function prefersHtml(headers: Headers): boolean {
  const accept = headers.get('Accept') ?? ''
  const html = accept.search(HTML)
  const json = accept.search(JSON_TYPE)
  return html >= 0 && (json < 0 || html < json)
}

/** True if the request asks for JSON: any media type of that kind in the list, with any q-value and in any case. */
export function acceptsJson(headers: Headers): boolean {
  return JSON_TYPE.test(headers.get('Accept') ?? '')
}

/** True if the request names HTML, as a browser does, or a program that shows pages. */
export function acceptsHtml(headers: Headers): boolean {
  return HTML.test(headers.get('Accept') ?? '')
}

/** True if the request opens an event stream (HTML, section 9.2). */
export function acceptsEvents(headers: Headers): boolean {
  return /\btext\/event-stream\b/i.test(headers.get('Accept') ?? '')
}

/** The headers that mark a request sent ahead of its user: Fetch Metadata, older browsers, Turbo and Inertia. */
const PURPOSES = ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz', 'X-Sec-Purpose']
/** The headers by which Next.js marks such requests. They count with any value. */
const PREFETCHES = ['Next-Router-Prefetch', 'Next-Router-Segment-Prefetch', 'X-Middleware-Prefetch']

/** True if a browser or a library fetches ahead of its user, so that no person waits for the answer. */
export function isPrefetch(headers: Headers): boolean {
  if (PURPOSES.some(name => /\b(prefetch|preview)\b/i.test(headers.get(name) ?? ''))) return true
  return PREFETCHES.some(name => headers.has(name))
}

/** A library that loads pages or parts of pages by script. An answer can make it load a whole page. */
type Loader = 'htmx' | 'inertia' | 'turbo'

export function loaderOf(headers: Headers): Loader | null {
  if (headers.get('HX-Request') === 'true') return 'htmx'
  if (headers.get('X-Inertia') === 'true') return 'inertia'
  return headers.has('X-Turbo-Request-Id') ? 'turbo' : null
}
