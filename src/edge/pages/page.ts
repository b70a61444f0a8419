/** The parts of all pages at the edge: their templates, their style, and the policy that lists what may run on them. */
import brand from '../../../static/brand.html'
import code from '../../../static/code.html'
import foot from '../../../static/foot.html'
import form from '../../../static/form.html'
import head from '../../../static/head.html'
import message from '../../../static/message.html'
import place from '../../../static/place.html'
import room from '../../../static/room.html'
import scripts from '../../../static/scripts.html'
import styles from '../../../static/styles.html'
import transfer from '../../../static/transfer.html'
import css from '../../../static/waiting.css'
import type { Brand } from '../../settings/brand/settings.ts'
import type { RoomConfig } from '../../settings/schema.ts'
import { loaderOf } from '../request/kind.ts'
import { carry, FORM_FIELD, isCarriable } from '../request/sent-form.ts'
import type { Visit } from '../request/visit.ts'
import { type Language, languageHeaders } from '../texts/language.ts'
import { brandConstants, brandVariables, faceOf } from './brand.ts'
import { compactStyle } from './compact.ts'
import { compilePage, parsePage, type Render } from './template.ts'

/** A page, with the headers that belong to it. */
export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** The style of every page. */
export const pageStyle = compactStyle(css)

/** Parts that several pages share, by their name in `{{> name}}`. */
const PARTS: Readonly<Record<string, string>> = {
  head,
  code,
  styles,
  brand,
  message,
  form,
  foot,
  room,
  place,
  scripts,
  transfer,
}

/** Compiles one of our templates. */
export function template(html: string): Render {
  return compilePage(withParts(html))
}

/** Compiles one of our templates once for each language of a version of a room's settings, with their constants. */
export function templateFor(
  html: string,
  constantsOf: (language: Language, config: RoomConfig) => object,
): (language: Language, config: RoomConfig) => Render {
  const page = parsePage(withParts(html))
  const compiled = new WeakMap<RoomConfig, WeakMap<Language, Render>>()
  return (language, config) => {
    const ofRoom = compiled.get(config) ?? new WeakMap<Language, Render>()
    const known = ofRoom.get(language)
    if (known) return known
    const made = page(constantsOf(language, config))
    compiled.set(config, ofRoom.set(language, made))
    return made
  }
}

/** Replaces the parts in a template. A part on a line of its own replaces the line and its end. */
function withParts(html: string): string {
  return html.replace(/\{\{> (\w+)\}\}(\n?)/g, (_, name: string, end: string) => {
    const part = withParts(PARTS[name] ?? '')
    return end === '' ? part.trimEnd() : part
  })
}

/**
 * Returns the host for people to read. It comes from the visitor, and a URL allows quotes and `&` in it. Characters
 * that no host name has are removed, so that the result is safe anywhere in a template.
 */
export function siteOf({ url }: Pick<Visit, 'url'>): string {
  return url.host.replace(/[^\w.:[\]-]/g, '')
}

/** Returns the variables of every page of our own. */
export function variablesOf(visit: Visit, language: Language, config: RoomConfig) {
  return { ...constantsOf(language, config), ...visitVariables(visit, config) }
}

/** Returns the variables of every page that are the same for all visitors. */
export function constantsOf(language: Language, config: RoomConfig) {
  const { tag, dir, texts } = language
  return { style: pageStyle, ...brandConstants(config, language), lang: tag, dir, t: texts }
}

/** Returns the variables of every page that depend on the visitor. */
export function visitVariables(visit: Visit, config: RoomConfig) {
  return {
    ...brandVariables({ site: siteOf(visit), origin: visit.url.origin }, config),
    sent: !visit.isSafe,
    refreshUrl: leadsTo(visit),
    turbo: loaderOf(visit.request.headers) === 'turbo',
  }
}

/** The variables of the form that a page contains; `form` is null if there is none. Making them reads the body. */
export type Form = Awaited<ReturnType<typeof formOf>>

export async function formOf(visit: Visit) {
  if (!isCarriable(visit)) return { form: null }
  return { form: await carry(visit), field: FORM_FIELD, action: refreshUrl(visit.url) }
}

/**
 * Returns a function that makes a page's headers in a room. The Content-Security-Policy allows only the page's own
 * styles and scripts, by their hashes. The policy is computed once for each brand.
 */
export function headersFor(own: {
  readonly styles: readonly string[]
  readonly scripts?: readonly string[]
  readonly polls?: boolean
  /** True if the page has a form for a route of ours whose answer is no redirect. */
  readonly posts?: boolean
  /** True if the page has workers, whose scripts come from this host. */
  readonly works?: boolean
  /** The origin of a third party, whose script and frame the page loads. */
  readonly widget?: string
}): (room: RoomConfig, language: Language, sends?: boolean) => Promise<Page['headers']> {
  const policies = new WeakMap<Brand, Promise<string>>()
  const make = async (brand: Brand) => {
    const { styles, scripts = [], polls = false, works = false, widget } = own
    const face = faceOf(brand)
    const allStyles = face ? [...styles, face.style] : styles
    const parts = [
      "default-src 'none'",
      ...(scripts.length === 0
        ? []
        : [`script-src ${[...(await Promise.all(scripts.map(hashOf))), ...(widget ? [widget] : [])].join(' ')}`]),
      ...(widget ? [`frame-src ${widget}`] : []),
      `style-src ${(await Promise.all(allStyles.map(hashOf))).join(' ')}`,
      ...(polls ? ["connect-src 'self'"] : []),
      ...(works ? ["worker-src 'self'"] : []),
      `img-src data:${face?.loadsPictures ? " 'self'" : ''}`,
      "base-uri 'none'",
    ]
    return parts.join('; ')
  }
  const made = (brand: Brand) => {
    const policy = make(brand)
    policies.set(brand, policy)
    return policy
  }
  return async (room, language, sends = false) => {
    const policy = await (policies.get(room.brand) ?? made(room.brand))
    // Chromium applies `form-action` even to redirects that answer a form, and a site may redirect anywhere.
    const whole = sends ? policy : `${policy}; form-action '${own.posts ? 'self' : 'none'}'`
    return { ...pageHeaders(whole, room), ...languageHeaders(language) }
  }
}

/** Returns the headers of a page with this policy. The room's settings decide which sites may embed its pages. */
export function pageHeaders(policy: string, { frame_ancestors }: RoomConfig): Page['headers'] {
  const ancestors = frame_ancestors.map(source => (source === 'self' || source === 'none' ? `'${source}'` : source))
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': ancestors.length === 0 ? policy : `${policy}; frame-ancestors ${ancestors.join(' ')}`,
  }
}

/**
 * Returns the address to which a page leads. The address of a form may have no page. So the page of a form leads back
 * to where the form was, or to the front page of the site.
 */
export function leadsTo(visit: Visit): string {
  if (visit.isSafe) return refreshUrl(visit.url)
  const from = visit.form ? visit.form.referer : visit.request.headers.get('Referer')
  const page = URL.parse(from ?? '')
  return page?.host === visit.url.host ? refreshUrl(page) : '/'
}

/**
 * Returns the address that the page reloads. Without an address, a reload of a page with a fragment would only scroll,
 * again and again. Without scripts the fragment is lost. The dot keeps a path like `//elsewhere` from being read as a
 * host.
 */
export function refreshUrl({ pathname, search }: URL): string {
  return `${pathname.startsWith('//') ? '/.' : ''}${pathname}${search}`
}

/** Returns a source of a policy: the hash of the text between the tags, byte for byte. */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`
}
