/** CORS for pages and programs on other origins, by the room's `cors_origins` (Fetch Standard, section 3.3). */
import { TOKEN_HEADER } from '../gate/presented-tokens.ts'
import { NAME_HEADER, STATE_HEADER } from '../mark.ts'
import { ANY, allowedOrigin } from '../request/allowed-origin.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** The time for which browsers remember the answer to a preflight. */
const MAX_AGE_SECONDS = '600'

/** The headers of our answers that a page of an allowed origin may read. */
const EXPOSED = [STATE_HEADER, NAME_HEADER, TOKEN_HEADER, 'Retry-After', 'RateLimit', 'RateLimit-Policy'].join(', ')

/** Lets pages of the allowed origins read one of the room's own answers. */
export function allowOrigin(visit: Visit, room: RoomClient, headers: Headers): void {
  if (room.settings.config.cors_origins.length === 0) return
  headers.append('Vary', 'Origin')
  const origin = allowedOrigin(visit, room.settings.config)
  if (origin === null) return
  headers.set('Access-Control-Allow-Origin', origin)
  if (origin !== ANY) headers.set('Access-Control-Allow-Credentials', 'true')
  headers.set('Access-Control-Expose-Headers', EXPOSED)
}

/** Lets pages of the allowed origins read the token in an answer of the site, which has its own CORS headers. */
export function exposeToken(visit: Visit, room: RoomClient, headers: Headers): void {
  if (allowedOrigin(visit, room.settings.config) !== null) headers.append('Access-Control-Expose-Headers', TOKEN_HEADER)
}

/** Returns the answer to a preflight for a control route. */
export function controlPreflight(): Response {
  const headers = {
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': TOKEN_HEADER,
    'Access-Control-Max-Age': MAX_AGE_SECONDS,
  }
  return new Response(null, { status: 204, headers })
}

/**
 * Returns the answer to a preflight for the site, with `preflights = "answer"`. It allows an allowed origin every
 * method and header that it asks for.
 */
export function sitePreflight(visit: Visit, room: RoomClient): Response {
  const { headers: asked } = visit.request
  const headers = new Headers({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' })
  if (allowedOrigin(visit, room.settings.config) !== null) {
    headers.set('Access-Control-Allow-Methods', asked.get('Access-Control-Request-Method') ?? 'GET')
    const names = asked.get('Access-Control-Request-Headers')
    if (names !== null) headers.set('Access-Control-Allow-Headers', names)
    headers.set('Access-Control-Max-Age', MAX_AGE_SECONDS)
  }
  return new Response(null, { status: 204, headers })
}
