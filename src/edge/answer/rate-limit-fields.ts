/**
 * The RateLimit header fields, in the version of the draft that the operator's clients understand. The draft has
 * renamed its parameters before, and is about to do so again. Values are structured fields (RFC 9651). Policy names are
 * plain, so they need no escaping.
 */
import type { RoomConfig } from '../../settings/schema.ts'
import type { LimitState } from '../limits/state.ts'

type FieldsVersion = RoomConfig['rate_limit_headers']['version']

/** Sets the fields for the policies that covered a request. Sets nothing if no policy covered it. */
export function setRateLimitFields(headers: Headers, version: FieldsVersion, states: readonly LimitState[]): void {
  const [tightest] = states.toSorted(byShareLeft)
  if (!tightest) return
  switch (version) {
    case 'draft-11':
      headers.set(
        'RateLimit-Policy',
        states.map(({ policy }) => `"${policy.name}";q=${policy.count};w=${policy.periodSeconds}`).join(', '),
      )
      headers.set(
        'RateLimit',
        states.map(state => `"${state.policy.name}";r=${state.remaining};t=${resetSeconds(state)}`).join(', '),
      )
      return
    // This version shows only one policy: the one with the smallest share left.
    case 'draft-7':
      headers.set('RateLimit-Policy', `${tightest.policy.count};w=${tightest.policy.periodSeconds}`)
      headers.set(
        'RateLimit',
        `limit=${tightest.policy.count}, remaining=${tightest.remaining}, reset=${resetSeconds(tightest)}`,
      )
  }
}

function byShareLeft(a: LimitState, b: LimitState): number {
  return a.remaining / a.policy.quota.burst - b.remaining / b.policy.quota.burst
}

/**
 * Returns the seconds until the whole burst is there again. Rounds up, because a client that comes earlier is refused
 * again.
 */
function resetSeconds({ resetMs }: LimitState): number {
  return Number.isFinite(resetMs) ? Math.ceil(resetMs / 1_000) : 999_999_999
}
