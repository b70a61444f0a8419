/** CORS for pages and programs on other origins, by the room's `cors_origins` (Fetch Standard, section 3.3). */
import { TOKEN_HEADER } from '../gate/presented-tokens.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** Browsers ask again after this long. */
const MAX_AGE_SECONDS = '600'

/** Lets pages of the allowed origins read one of the room's own answers. */
export function withCors(visit: Visit, room: RoomClient, response: Response): Response {
  if (allowOrigin(visit, room, response.headers))
    response.headers.set('Access-Control-Expose-Headers', `${TOKEN_HEADER}, Retry-After`)
  return response
}

/** Returns the answer to a preflight for a control route. */
export function controlPreflight(visit: Visit, room: RoomClient): Response {
  const response = withCors(visit, room, new Response(null, { status: 204 }))
  response.headers.set('Access-Control-Allow-Methods', 'GET, POST')
  response.headers.set('Access-Control-Allow-Headers', TOKEN_HEADER)
  response.headers.set('Access-Control-Max-Age', MAX_AGE_SECONDS)
  return response
}

/**
 * Returns the answer to a preflight for the site, with `preflights = "answer"`. An allowed origin may send everything
 * that it asks for.
 */
export function sitePreflight(visit: Visit, room: RoomClient): Response {
  const { headers: asked } = visit.request
  const headers = new Headers({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' })
  if (allowOrigin(visit, room, headers)) {
    headers.set('Access-Control-Allow-Methods', asked.get('Access-Control-Request-Method') ?? 'GET')
    const names = asked.get('Access-Control-Request-Headers')
    if (names !== null) headers.set('Access-Control-Allow-Headers', names)
    headers.set('Access-Control-Max-Age', MAX_AGE_SECONDS)
  }
  return new Response(null, { status: 204, headers })
}

/** Adds the origin to the answer where the room allows it. Returns whether it does. */
function allowOrigin(visit: Visit, room: RoomClient, headers: Headers): boolean {
  const allowed = room.settings.config.cors_origins
  const origin = allowed.length === 0 ? null : visit.request.headers.get('Origin')
  if (origin === null) return false
  headers.append('Vary', 'Origin')
  const isNamed = allowed.includes(origin)
  if (!isNamed && !allowed.includes('*')) return false
  headers.set('Access-Control-Allow-Origin', isNamed ? origin : '*')
  if (isNamed) headers.set('Access-Control-Allow-Credentials', 'true')
  return true
}
