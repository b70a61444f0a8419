/** The origins whose pages may read the answers of a room. */
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from './visit.ts'

/** This value stands for every origin. */
export const ANY = '*'

/** Returns the origin of the request, or `*`, if `cors_origins` allows it. Otherwise returns null. */
export function allowedOrigin({ request }: Visit, { cors_origins }: RoomConfig): string | null {
  const origin = request.headers.get('Origin')
  if (origin === null) return null
  if (cors_origins.includes(origin)) return origin
  return cors_origins.includes(ANY) ? ANY : null
}
