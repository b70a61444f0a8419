/** What all pages at the edge are made of: their templates, their style, and the policy that names what may run on them. */
import Mustache from 'mustache'
import head from '../../../static/head.html'
import css from '../../../static/waiting.css'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'

/** A page as it is answered, with the headers that belong to it. */
export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** The style of every page. */
export const pageStyle = compact(css).replace(/\s*([{};,])\s*/g, '$1')

/** Fills in one of our templates. */
export function template(html: string): (variables: object) => string {
  return parsed(html.replace('{{> head}}\n', () => head))
}

/** The variables themselves, which a template can name by a dot, are no text. */
const NO_TEXT = { [Symbol.toPrimitive]: { value: () => '' } }

/**
 * Fills in any template. It is parsed once: a render by its text would look it up by that text each time. Of its variables only those given are there,
 * and not what every object has.
 */
export function parsed(text: string): (variables: object) => string {
  const writer = new Mustache.Writer()
  const tokens = writer.parse(text)
  return variables =>
    writer.renderTokens(
      tokens,
      new Mustache.Context(Object.assign(Object.create(null, NO_TEXT), variables)),
      undefined,
      text,
    )
}

/**
 * The host for people to read. It comes from the visitor, and a URL allows quotes and `&` in it: what no name of a host
 * has is left out, so that it is safe in any place of a template.
 */
export function siteOf({ url }: Pick<Visit, 'url'>): string {
  return url.host.replace(/[^\w.:[\]-]/g, '')
}

/** What every page of our own may say of a request. */
export function variablesOf(visit: Visit) {
  return { style: pageStyle, site: siteOf(visit), sent: !visit.isSafe, refreshUrl: refreshUrl(visit.url) }
}

/**
 * A page's headers, made once but for what its room says: a Content-Security-Policy of the page's own styles and
 * scripts by their hashes, and nothing else.
 */
export function headersFor(own: {
  readonly styles: readonly string[]
  readonly scripts?: readonly string[]
  readonly polls?: boolean
}): (room: RoomConfig) => Promise<Page['headers']> {
  let policy: Promise<string> | null = null
  const make = async () => {
    const { styles, scripts = [], polls = false } = own
    const parts = [
      "default-src 'none'",
      ...(scripts.length === 0 ? [] : [`script-src ${(await Promise.all(scripts.map(hashOf))).join(' ')}`]),
      `style-src ${(await Promise.all(styles.map(hashOf))).join(' ')}`,
      ...(polls ? ["connect-src 'self'"] : []),
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ]
    return parts.join('; ')
  }
  return async room => {
    policy ??= make()
    return pageHeaders(await policy, room)
  }
}

/** The headers of a page with this policy in a room, which says who may embed its pages. */
export function pageHeaders(policy: string, { frame_ancestors }: RoomConfig): Page['headers'] {
  const ancestors = frame_ancestors.map(source => (source === 'self' || source === 'none' ? `'${source}'` : source))
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': ancestors.length === 0 ? policy : `${policy}; frame-ancestors ${ancestors.join(' ')}`,
  }
}

/**
 * Where the page reloads itself to. Without an address of its own a page with a fragment would only be scrolled, for ever;
 * the fragment is lost for who has no scripts. The dot keeps a path like `//elsewhere` from being read as a host.
 */
export function refreshUrl({ pathname, search }: URL): string {
  return `${pathname.startsWith('//') ? '/.' : ''}${pathname}${search}`
}

/** Without what only its readers need: comments (those of `//` on lines of their own) and indentation. */
export function compact(text: string): string {
  return text.replace(/\/\*.*?\*\/ ?/g, '').replace(/^[ \t]*((\/\/.*)?\n)?/gm, '')
}

/** A source of a policy: the hash of what stands between the tags, byte for byte. */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`
}
