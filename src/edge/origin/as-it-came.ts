/**
 * Requests that go on to the origin as they came, where the rooms say `origin_pass = "cookie"`. To copy a request with
 * other headers costs more than the rest of the edge's work for an admitted visitor. The origin reads the pass from the
 * cookie then.
 */
import { cookieName } from '../request/cookies.ts'
import type { Visit } from '../request/visit.ts'
import { headerFate, isOnCloudflare } from './forwarded-headers.ts'
import type { Onward } from './onward.ts'

/** The only header of a connection that says nothing: the runtime writes its own. */
const KEEPS_ALIVE = /^keep-alive$/i

/**
 * True if nothing in the request has to change. The cookie of each room must have exactly the pass that the edge has
 * judged. The visitor must have written no header by which an origin could be deceived.
 */
export function goesAsItCame(visit: Visit, { admissions, keepsCookie }: Onward): boolean {
  if (!keepsCookie || !visit.isSafe || visit.request.body || visit.isWebSocket || visit.form) return false
  for (const { room, pass } of admissions) {
    const cookies = visit.cookies.get(cookieName(room.settings.config, visit.url))
    if (cookies?.length !== 1 || cookies[0] !== pass) return false
  }
  const isCloudflare = isOnCloudflare(visit.deployment)
  for (const [name, value] of visit.request.headers) {
    if (!mayStay(visit, { name, value, isCloudflare })) return false
  }
  return true
}

/** True if the header would go on unchanged in a copy of the request, or has the value that the edge would write. */
function mayStay(
  visit: Visit,
  { name, value, isCloudflare }: { readonly name: string; readonly value: string; readonly isCloudflare: boolean },
): boolean {
  switch (headerFate(name)) {
    case 'forward':
    case 'cookie':
      return true
    case 'drop from self-hosted':
      return isCloudflare
    case 'hop-by-hop':
      return name === 'connection' && KEEPS_ALIVE.test(value)
    case 'drop':
      if (name === 'x-forwarded-for') return value === visit.address
      return name === 'x-forwarded-proto' && `${value}:` === visit.url.protocol
    case 'length':
      return false
  }
}
