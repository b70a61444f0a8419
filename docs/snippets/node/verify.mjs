/**
 * Tells a request that came through the waiting room from one that went around it: verifies the `Waiting-Room-Pass` header
 * with the public keys that the edge publishes. Copy this file; it needs Node.js 20 or newer and `jose` 6.
 */
import { errors, importJWK, jwtVerify } from 'jose'

/** An edge may send a pass up to three seconds past its end. The rest is what clocks may differ by. */
const CLOCK_TOLERANCE_SECONDS = 5
/** A pass has a few hundred characters. Anything longer is an attack on the parser. */
const TOKEN_CHARS_MAX = 2_048
/** Room for a pass of each of eight rooms. */
const HEADER_CHARS_MAX = 8 * TOKEN_CHARS_MAX
const FETCH_TIMEOUT_MS = 3_000

/**
 * The claims of the first valid pass for `room` in a header's value, as `{ claims }`, or why there is none, as `{ refusal }`:
 * missing, malformed, wrong-kind, unknown-key, bad-signature, wrong-room, expired or no-keys.
 */
export async function verify(header, { keys, room, nowMs = Date.now() }) {
  if (header.length > HEADER_CHARS_MAX || /[^\t -~]/.test(header)) return { refusal: 'malformed' }
  let refusal = 'missing'
  for (const value of header.split(',')) {
    const token = value.trim()
    if (token === '') continue
    const result = await verifyOne(token, { keys, room, nowMs })
    if (result.claims) return result
    refusal = result.refusal
  }
  return { refusal }
}

/**
 * A `node:http` listener that calls `handler(request, response, claims)` for requests with a valid pass and refuses the others.
 * CORS preflights carry no pass, and neither does what `exempt(request)` lets through: there `claims` is null. Where the room
 * has `origin_pass = "cookie"`, `cookie` is the name of its cookie.
 */
export function guard(handler, { keys, room, exempt = () => false, cookie = null }) {
  return async (request, response) => {
    if (isPreflight(request) || exempt(request)) return handler(request, response, null)
    const { claims, refusal } = await verify(passesIn(request.headers, cookie), { keys, room })
    if (claims) return handler(request, response, claims)
    console.warn(`no pass (${refusal}): ${request.method} ${request.url}`)
    refuse(response, refusal)
  }
}

/** The passes of a request: in the header, or else in the cookies of that name. */
function passesIn({ 'waiting-room-pass': header, cookie: cookies = '' }, name) {
  if (header !== undefined || name === null) return header ?? ''
  const pairs = cookies.split(/[;,]/).map(pair => pair.trim())
  return pairs.flatMap(pair => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : [])).join(',')
}

/** The edge's public keys: loaded when needed, and kept while the edge cannot be reached. */
export class Keys {
  #load
  #maxAgeMs
  #cooldownMs
  #keys = new Map()
  #loadedMs = Number.NEGATIVE_INFINITY
  #triedMs = Number.NEGATIVE_INFINITY
  #loading = null

  /** `load` answers a JWK Set. Keys are loaded again after `maxAgeSeconds`; for an unknown key once in `cooldownSeconds`. */
  constructor(load, { maxAgeSeconds = 300, cooldownSeconds = 60 } = {}) {
    this.#load = load
    this.#maxAgeMs = maxAgeSeconds * 1_000
    this.#cooldownMs = cooldownSeconds * 1_000
  }

  static from(url, options) {
    return new Keys(() => fetchJson(url), options)
  }

  /** True until the edge has been reached for the first time. */
  get isEmpty() {
    return this.#keys.size === 0
  }

  async find(kid) {
    const nowMs = performance.now()
    const known = this.#keys.get(kid)
    if (known && nowMs - this.#loadedMs < this.#maxAgeMs) return known
    const waitMs = this.isEmpty ? Math.min(2_000, this.#cooldownMs) : this.#cooldownMs
    if (nowMs - this.#triedMs >= waitMs) {
      this.#triedMs = nowMs
      this.#loading = this.#refresh(nowMs)
    }
    if (known) return known // The refresh goes on in the background.
    await this.#loading
    return this.#keys.get(kid)
  }

  async #refresh(nowMs) {
    try {
      const keys = new Map()
      for (const { kty, crv, kid, x } of (await this.#load()).keys) {
        if (kty === 'OKP' && crv === 'Ed25519' && typeof kid === 'string')
          keys.set(kid, await importJWK({ kty, crv, x }, 'EdDSA'))
      }
      if (keys.size === 0) throw new Error('there is no Ed25519 key in it')
      this.#keys = keys
      this.#loadedMs = nowMs
    } catch (error) {
      console.warn(`the keys of passes could not be loaded, the last ones are kept: ${error}`)
    }
  }
}

async function verifyOne(token, { keys, room, nowMs }) {
  const header = headerOf(token)
  if (!header) return { refusal: 'malformed' }
  const { alg, typ, kid, crit } = header
  // The kind is pinned here, never taken from the token.
  if (alg !== 'EdDSA' || typ !== 'pass+jwt' || typeof kid !== 'string' || crit !== undefined)
    return { refusal: 'wrong-kind' }
  const key = await keys.find(kid)
  if (!key) return { refusal: keys.isEmpty ? 'no-keys' : 'unknown-key' }
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      audience: room,
      requiredClaims: ['aud', 'sub', 'gen', 'iat', 'exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    })
    return isPass(payload) ? { claims: payload } : { refusal: 'malformed' }
  } catch (error) {
    return { refusal: refusalOf(error) }
  }
}

/** The header of three non-empty base64url parts, each the one spelling of its bytes; null for anything else. */
function headerOf(token) {
  const parts = token.split('.')
  if (token.length > TOKEN_CHARS_MAX || parts.length !== 3 || !parts.every(isCanonical)) return null
  try {
    const header = JSON.parse(Buffer.from(parts[0], 'base64url').toString())
    return typeof header === 'object' && !Array.isArray(header) ? header : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Lenient decoders accept several spellings of one signature: whoever compares or counts tokens would be deceived. */
function isCanonical(part) {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part
}

function isPass({ aud, sub, gen, iat }) {
  return typeof aud === 'string' && typeof sub === 'string' && typeof gen === 'number' && typeof iat === 'number'
}

function refusalOf(error) {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad-signature'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud' && error.reason === 'check_failed')
    return 'wrong-room'
  if (error instanceof errors.JOSEError) return 'malformed'
  throw error
}

function isPreflight({ method, headers }) {
  return method === 'OPTIONS' && 'origin' in headers && 'access-control-request-method' in headers
}

/** 403, and no word about why: the log has that. Without keys nobody can be told from anybody, so it is 503. */
function refuse(response, refusal) {
  const status = refusal === 'no-keys' ? 503 : 403
  response.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...(status === 503 ? { 'Retry-After': '5' } : {}),
  })
  const title = status === 503 ? 'Try again shortly' : 'This site is entered through its waiting room'
  response.end(JSON.stringify({ type: 'about:blank', title, status }))
}

async function fetchJson(url) {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.json()
}
