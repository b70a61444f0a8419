/**
 * Requests that go on to the origin exactly as they came, if the rooms set `origin_pass = "cookie"`. Then the origin
 * reads the pass from the cookie. For an admitted visitor, copying a request with other headers costs more than the
 * rest of the edge's work.
 */
import { cookieName } from '../request/cookies.ts'
import type { Visit } from '../request/visit.ts'
import { headerFate, isOnCloudflare } from './forwarded-headers.ts'
import type { Onward } from './onward.ts'

/** The only harmless `Connection` header. The runtime writes its own in any case. */
const KEEPS_ALIVE = /^keep-alive$/i

/**
 * True if nothing in the request has to change. The cookie of each room must contain exactly the pass that the edge has
 * checked. No header from the visitor may be able to deceive an origin.
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

/** True if a copy of the request would have this header unchanged, or if the edge would write the same value. */
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
