/**
 * Logins by Cloudflare Access. Access adds a signed assertion to each request that it lets through (RFC 7519, RS256). A
 * request that did not pass through Access has no assertion, or one that the team has not signed for this application.
 */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type AccessPerson, type AccessSettings, roleOfPerson } from '../../settings/admin/cloudflare-access.ts'
import type { Identity } from './roles.ts'

export type Login =
  | { readonly kind: 'granted'; readonly identity: Identity }
  | { readonly kind: 'without-role'; readonly name: string }
  | { readonly kind: 'invalid'; readonly why: string }
  | { readonly kind: 'without-keys' }

export const ASSERTION_HEADER = 'Cf-Access-Jwt-Assertion'

/** The longest assertion. A login with many groups has a long one, but no platform accepts a longer header. */
const ASSERTION_MAX = 16_384
const KEYS_PATH = '/cdn-cgi/access/certs'
const KEYS_WITHIN_MS = 3_000
/** An unknown key is looked up at most this often, so that forged assertions cause no flood of look-ups. */
const LOOK_UP_EVERY_MS = 30_000
const NAME_MAX = 100
/** Error codes of jose: no answer in time, an answer that is no key set, and a wrong status or no JSON. */
const UNAVAILABLE = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']

/** Verifies logins. The keys of the team are kept for this isolate. */
export function createLogins() {
  let known: { readonly issuer: string; readonly keys: JWTVerifyGetKey } | null = null
  return async (assertion: string, { issuer, audience, rules }: AccessSettings, nowMs: number): Promise<Login> => {
    if (assertion.length > ASSERTION_MAX) return { kind: 'invalid', why: 'it is too long' }
    known = known?.issuer === issuer ? known : { issuer, keys: keysOf(issuer) }
    try {
      const { payload } = await jwtVerify(assertion, known.keys, {
        issuer,
        audience,
        algorithms: ['RS256'],
        requiredClaims: ['exp', 'iat'],
        currentDate: new Date(nowMs),
      })
      return loginOf(payload, rules)
    } catch (error) {
      if (error instanceof KeysUnavailable) return { kind: 'without-keys' }
      if (error instanceof errors.JOSEError) return { kind: 'invalid', why: error.code }
      throw error
    }
  }
}

class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

/** Returns a function that finds the keys of a team. It throws KeysUnavailable if Access does not answer with keys. */
function keysOf(issuer: string): JWTVerifyGetKey {
  const url = new URL(KEYS_PATH, issuer)
  const keys = createRemoteJWKSet(url, { timeoutDuration: KEYS_WITHIN_MS, cooldownDuration: LOOK_UP_EVERY_MS })
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      // All other errors of jose are about the token, for example that its key is unknown.
      if (error instanceof errors.JOSEError && !UNAVAILABLE.includes(error.code)) throw error
      throw new KeysUnavailable(String(error))
    }
  }
}

function loginOf(payload: JWTPayload, rules: AccessSettings['rules']): Login {
  const person = personIn(payload)
  const name = (person.email ?? person.service ?? '').slice(0, NAME_MAX)
  if (name === '') return { kind: 'invalid', why: 'it has no name' }
  const role = roleOfPerson(rules, person)
  if (!role) return { kind: 'without-role', name }
  const endsAtMs = 1_000 * (payload.exp ?? 0)
  return { kind: 'granted', identity: { name, role, by: 'access', endsAtMs, tokenId: null } }
}

/** The groups are under `groups`, or under `custom` if the identity provider uses OpenID Connect. */
function personIn({ email, common_name, groups, custom }: JWTPayload): AccessPerson {
  const lists = [groups, (custom as { groups?: unknown } | undefined)?.groups]
  return {
    email: typeof email === 'string' && email !== '' ? email : null,
    service: typeof common_name === 'string' && common_name !== '' ? common_name : null,
    groups: lists.flatMap(list => (Array.isArray(list) ? list.filter(group => typeof group === 'string') : [])),
  }
}
