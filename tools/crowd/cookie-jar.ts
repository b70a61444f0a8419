/** One visitor's cookies, by origin and name. Paths and domains are ignored, because a crowd visits one site. */

/**
 * Browsers keep at least 50 cookies for each site (RFC 6265 section 6.1). A server that sets more is broken, or an
 * attack.
 */
const COOKIES_MAX = 50

export class CookieJar {
  readonly #origins = new Map<string, Map<string, string>>()

  /** Stores the cookies of an answer's Set-Cookie fields, and removes those that have expired. */
  keep(origin: string, setCookies: readonly string[], nowMs: number): void {
    if (setCookies.length === 0) return
    const cookies = this.#origins.get(origin) ?? new Map<string, string>()
    this.#origins.set(origin, cookies)
    for (const line of setCookies) {
      const [pair = '', ...attributes] = line.split(';')
      const equals = pair.indexOf('=')
      if (equals < 1) continue
      const name = pair.slice(0, equals).trim()
      if (isOver(attributes, nowMs)) cookies.delete(name)
      else if (cookies.has(name) || cookies.size < COOKIES_MAX) cookies.set(name, pair.slice(equals + 1).trim())
    }
  }

  /** The Cookie field for a request; null when there are no cookies. */
  header(origin: string): string | null {
    const cookies = this.#origins.get(origin)
    if (!cookies || cookies.size === 0) return null
    return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

/** Max-Age takes precedence over Expires (RFC 6265 section 5.3). */
function isOver(attributes: readonly string[], nowMs: number): boolean {
  const value = (name: string) =>
    attributes.map(text => text.trim().match(/^([\w-]+)\s*=\s*(.*)$/)).find(m => m?.[1]?.toLowerCase() === name)?.[2]
  const maxAge = value('max-age')
  if (maxAge !== undefined) return Number(maxAge) <= 0
  const expires = value('expires')
  return expires !== undefined && Date.parse(expires) <= nowMs
}
