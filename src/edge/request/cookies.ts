/** The cookie that contains a visitor's ticket, and later the pass. Each room has a separate cookie. */
import type { RoomConfig } from '../../settings/schema.ts'

/** Browsers keep a cookie for at most 400 days. The token inside expires long before. */
const MAX_AGE_SECONDS = 24 * 60 * 60
const MAX_AGE_BROWSERS = 400 * MAX_AGE_SECONDS

/** Every cookie of ours begins with `antesala-`, with or without a prefix. */
const OURS = /^(__Host-|__Secure-)?antesala-/
const COMMA_BEFORE_OURS = /,(?=\s*(?:__Host-|__Secure-)?antesala-)/

/**
 * Returns the name of a room's cookie. `__Host-` ties the cookie to one host (RFC 6265bis section 4.1.3). A room over
 * several hosts needs a domain, which only `__Secure-` allows. Plain http allows neither prefix.
 */
export function cookieName(room: RoomConfig, url: URL): string {
  const name = `antesala-${room.name}${room.cookie_suffix}`
  if (!isSecure(room, url)) return name
  return room.cookie_domain === null ? `__Host-${name}` : `__Secure-${name}`
}

/** Returns the name of an invitation's cookie. No room's cookie has the same name, because no room's name has a dot. */
export function invitationCookie(room: RoomConfig, url: URL): string {
  return `${cookieName(room, url)}.invite`
}

export function setCookie(room: RoomConfig, url: URL, value: string): string {
  return cookieNamed({ name: cookieName(room, url), value, maxAgeSeconds: MAX_AGE_SECONDS }, room, url)
}

export interface Cookie {
  readonly name: string
  readonly value: string
  readonly maxAgeSeconds: number
}

export function cookieNamed({ name, value, maxAgeSeconds }: Cookie, room: RoomConfig, url: URL): string {
  const { samesite, partitioned } = room.cookie_attributes
  const secure = isSecure(room, url)
  const sameSite = samesite === 'auto' ? 'Lax' : `${samesite[0]?.toUpperCase()}${samesite.slice(1)}`
  const parts = [
    `${name}=${value}`,
    'Path=/',
    `Max-Age=${Math.min(maxAgeSeconds, MAX_AGE_BROWSERS)}`,
    'HttpOnly',
    `SameSite=${sameSite}`,
  ]
  if (room.cookie_domain !== null) parts.push(`Domain=${room.cookie_domain}`)
  if (secure) parts.push('Secure')
  if (secure && partitioned) parts.push('Partitioned')
  return parts.join('; ')
}

export function clearCookie(room: RoomConfig, url: URL): string {
  return setCookie(room, url, '').replace(/Max-Age=\d+/, 'Max-Age=0')
}

/**
 * Returns the pairs of a Cookie header. The runtime joins several header lines by commas. The values of other cookies
 * may contain commas, and ours never do. So a comma before a cookie of ours separates two pairs, and the first comma in
 * a cookie of ours ends it.
 */
export function cookiePairs(header: string): readonly string[] {
  const parts = header.split(';')
  if (!header.includes(',') || !header.includes('antesala-')) return parts
  return parts
    .flatMap(part => part.split(COMMA_BEFORE_OURS))
    .flatMap(pair => {
      const comma = isOurs(pair) ? pair.indexOf(',') : -1
      return comma < 0 ? [pair] : [pair.slice(0, comma), pair.slice(comma + 1)]
    })
}

/** Returns all values of each cookie, in order. Skips broken pairs, and decodes nothing. */
export function cookiesOf(header: string | null): ReadonlyMap<string, readonly string[]> {
  const cookies = new Map<string, string[]>()
  if (header === null) return cookies
  for (const pair of cookiePairs(header)) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const name = pair.slice(0, equals).trim()
    const value = unquoted(pair.slice(equals + 1).trim())
    const values = cookies.get(name)
    if (values) values.push(value)
    else cookies.set(name, [value])
  }
  return cookies
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

/**
 * Returns a Cookie header without our cookies. Returns null if nothing is left, and undefined if it had none of ours.
 */
export function withoutOurs(header: string): string | null | undefined {
  if (!header.includes('antesala-')) return undefined
  const pairs = cookiePairs(header)
  const kept = pairs.filter(pair => !isOurs(pair))
  if (kept.length === pairs.length) return undefined
  const rest = kept.join(';').trim()
  return rest === '' ? null : rest
}

export function isOurs(pair: string): boolean {
  return OURS.test(pair.trim())
}

function isSecure(room: RoomConfig, url: URL): boolean {
  const { secure } = room.cookie_attributes
  return secure === 'always' || (secure === 'auto' && url.protocol === 'https:')
}
