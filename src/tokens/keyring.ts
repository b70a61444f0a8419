/**
 * The signing keys of tickets and passes: one JWK Set (RFC 7517) in one secret, every key with a state.
 *
 * Exactly one key of each kind signs; all verify. A key that an isolate does not know may be newer than the isolate.
 */
import { base64url, type CryptoKey, importJWK, type JWK } from 'jose'
import { drawKeyOf } from './draw.ts'

export interface SigningKey {
  readonly kid: string
  readonly key: CryptoKey
}

export interface KeyRing {
  /** HS256 key of tickets. */
  readonly tickets: { readonly sign: SigningKey; readonly verify: ReadonlyMap<string, CryptoKey> }
  /** Ed25519 keys of passes. */
  readonly passes: { readonly sign: SigningKey; readonly verify: ReadonlyMap<string, CryptoKey> }
  /** Keys of draws, derived from those of tickets, by the same names. */
  readonly draws: ReadonlyMap<string, CryptoKey>
  /** Public keys of passes, as published (RFC 7517 section 5). */
  readonly jwks: { readonly keys: readonly JWK[] }
}

export type KeyState = 'sign' | 'verify'
export interface StoredKey extends JWK {
  kid: string
  state: KeyState
}

/** Thrown for a secret that an operator must fix; the message never holds key material. */
export class KeyRingError extends Error {
  override name = 'KeyRingError'
}

const HOW = 'make one with `npm run keys -- new`'

/** Opens the secret `ROOM_KEYS`. Throws KeyRingError with what is wrong and where. */
export async function openKeyRing(secret: string | undefined): Promise<KeyRing> {
  const stored = parseKeys(secret)
  const tickets = stored.filter(isTicketKey)
  const passes = stored.filter(isPassKey)
  const ofTickets = await side('ticket', tickets, 'HS256')
  const draws = [...ofTickets.verify].map(async ([kid, key]) => [kid, await drawKeyOf(key)] as const)
  return {
    tickets: ofTickets,
    passes: await side('pass', passes, 'EdDSA'),
    draws: new Map(await Promise.all(draws)),
    jwks: { keys: passes.map(publicPart) },
  }
}

/** The stored keys, checked for shape. */
export function parseKeys(secret: string | undefined): StoredKey[] {
  if (!secret) throw new KeyRingError(`ROOM_KEYS is not set: ${HOW}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(secret)
  } catch {
    throw new KeyRingError(`ROOM_KEYS is not JSON: ${HOW}`)
  }
  const keys = (parsed as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) throw new KeyRingError(`ROOM_KEYS must be a JWK Set, {"keys": [...]}: ${HOW}`)
  const kids = new Set<string>()
  return keys.map((key: StoredKey, index) => {
    const at = `ROOM_KEYS keys[${index}]`
    if (typeof key?.kid !== 'string' || key.kid === '') throw new KeyRingError(`${at}.kid must be a non-empty string`)
    if (kids.has(key.kid)) throw new KeyRingError(`${at}.kid ${key.kid} is there twice`)
    kids.add(key.kid)
    if (key.state !== 'sign' && key.state !== 'verify') {
      throw new KeyRingError(`${at}.state must be sign or verify, got ${JSON.stringify(key.state)}`)
    }
    if (isTicketKey(key)) checkSecretLength(key, at)
    else if (!isPassKey(key))
      throw new KeyRingError(`${at} must be an oct key for tickets or an Ed25519 key for passes`)
    else if (typeof key.d !== 'string') throw new KeyRingError(`${at}.d is missing: a private key signs passes`)
    return key
  })
}

export function isTicketKey(key: JWK): boolean {
  return key.kty === 'oct'
}

export function isPassKey(key: JWK): boolean {
  return key.kty === 'OKP' && key.crv === 'Ed25519'
}

/** RFC 7518 section 3.2: a key for HS256 is at least as long as its hash. */
function checkSecretLength(key: StoredKey, at: string): void {
  const bytes = Math.floor(((key.k?.length ?? 0) * 3) / 4)
  if (bytes < 32) throw new KeyRingError(`${at}.k must be at least 32 bytes, got ${bytes}`)
}

async function side(kind: string, keys: readonly StoredKey[], alg: string): Promise<KeyRing['tickets']> {
  const signing = keys.filter(key => key.state === 'sign')
  const [signer] = signing
  if (signing.length !== 1 || !signer) {
    throw new KeyRingError(`ROOM_KEYS must hold exactly one ${kind} key with state sign, got ${signing.length}`)
  }
  const verify = new Map<string, CryptoKey>()
  for (const key of keys) verify.set(key.kid, await load(key.kty === 'OKP' ? publicPart(key) : key, alg))
  return { sign: { kid: signer.kid, key: await load(signer, alg) }, verify }
}

async function load(key: JWK, alg: string): Promise<CryptoKey> {
  try {
    // jose would import a symmetric key anew for every token.
    if (key.kty === 'oct') return await importSecret(key)
    const { kty, crv, x, d } = key as JWK & { kty: string; crv: string; x: string }
    return (await importJWK({ kty, crv, x, ...(d === undefined ? {} : { d }) }, alg)) as CryptoKey
  } catch {
    throw new KeyRingError(`ROOM_KEYS key ${key.kid} cannot be read as ${alg}: ${HOW}`)
  }
}

function importSecret(key: JWK): Promise<CryptoKey> {
  const bytes = new Uint8Array(base64url.decode(key.k ?? ''))
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
}

function publicPart({ kid, x }: JWK): JWK {
  return {
    kty: 'OKP',
    crv: 'Ed25519',
    alg: 'EdDSA',
    use: 'sig',
    ...(kid === undefined ? {} : { kid }),
    ...(x === undefined ? {} : { x }),
  }
}
