/**
 * The signing keys of tickets and passes: one JWK Set (RFC 7517) in one secret, every key with a state.
 *
 * Exactly one key of each kind signs, and all of them verify. A key that an isolate does not have may be newer than the
 * isolate.
 */
import { base64url, type CryptoKey, importJWK, type JWK } from 'jose'
import { encodedHeader } from './compact.ts'
import { challengeSecretOf, derivedKey, drawKeyOf } from './derive.ts'

interface SigningKey {
  readonly kid: string
  /** The encoded header of the tokens that this key signs. */
  readonly header: string
  readonly key: CryptoKey
}

/** The keys of one kind of token. */
interface TokenKeys {
  readonly sign: SigningKey
  /** All keys of this kind, by `kid`. */
  readonly verify: ReadonlyMap<string, CryptoKey>
  /** The same keys, by the encoded header of our own tokens. */
  readonly byHeader: ReadonlyMap<string, CryptoKey>
}

export interface KeyRing {
  /** When the secret was read. A key that has begun to sign since then may be missing here. */
  readonly openedMs: number
  /** HS256 keys of tickets. */
  readonly tickets: TokenKeys
  /** Ed25519 keys of passes. */
  readonly passes: TokenKeys
  /** Keys of draws by `kid`, each derived from the ticket key of the same `kid`. */
  readonly draws: ReadonlyMap<string, CryptoKey>
  /** Secrets that sign challenges by `kid`, each derived from the ticket key of the same `kid`. */
  readonly challenges: ReadonlyMap<string, string>
  /** HS256 keys of invitations by room and `kid`, oldest first. */
  readonly invitations: ReadonlyMap<string, ReadonlyMap<string, CryptoKey>>
  /** For each room, the key that turns an invited subject into a sid. */
  readonly subjects: ReadonlyMap<string, CryptoKey>
  /** Public keys of passes, as published (RFC 7517 section 5). */
  readonly jwks: { readonly keys: readonly JWK[] }
}

type KeyState = 'sign' | 'verify'
export interface StoredKey extends JWK {
  kid: string
  state: KeyState
  /**
   * The room whose invitations this key verifies. A key of type oct is for invitations if it has a room, and otherwise
   * for tickets.
   */
  room?: string
}

/** Thrown for a secret that an operator must fix. The message never contains key material. */
export class KeyRingError extends Error {
  override name = 'KeyRingError'
}

/** At most this many invitation keys per room: an invitation without a `kid` is tried with each of them. */
const INVITATION_KEYS_MAX = 4
/**
 * The text from which keys of subjects are derived. Signed tokens contain only base64url and dots, so no token equals
 * it.
 */
const SUBJECTS = 'antesala/subject/1'

/** The algorithm follows from the kind of token. It is never taken from the token. */
export const KINDS = {
  ticket: { alg: 'HS256', typ: 'ticket+jwt' },
  pass: { alg: 'EdDSA', typ: 'pass+jwt' },
} as const

const HOW = 'make one with `npm run keys -- new`'

/** Opens the secret `ROOM_KEYS`. Throws KeyRingError, which names the problem and where it is in the secret. */
export async function openKeyRing(secret: string | undefined, openedMs = 0): Promise<KeyRing> {
  const stored = parseKeys(secret)
  const tickets = stored.filter(isTicketKey)
  const passes = stored.filter(isPassKey)
  const ofTickets = await tokenKeys('ticket', tickets)
  const draws = [...ofTickets.verify].map(async ([kid, key]) => [kid, await drawKeyOf(key)] as const)
  const challenges = [...ofTickets.verify].map(async ([kid, key]) => [kid, await challengeSecretOf(key)] as const)
  const invitations = await invitationKeys(stored)
  const subjects = [...invitations].map(async ([room, keys]) => {
    const [oldest] = keys.values()
    return [room, await derivedKey(oldest as CryptoKey, SUBJECTS)] as const
  })
  return {
    openedMs,
    invitations,
    subjects: new Map(await Promise.all(subjects)),
    tickets: ofTickets,
    passes: await tokenKeys('pass', passes),
    draws: new Map(await Promise.all(draws)),
    challenges: new Map(await Promise.all(challenges)),
    jwks: { keys: passes.map(publicPart) },
  }
}

/** Returns the keys in the secret, after a check of their form. Throws KeyRingError. */
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
  const stored = keys.map((key: StoredKey, index) => {
    const at = `ROOM_KEYS keys[${index}]`
    if (typeof key?.kid !== 'string' || key.kid === '') throw new KeyRingError(`${at}.kid must be a non-empty string`)
    if (kids.has(key.kid)) throw new KeyRingError(`${at}.kid ${key.kid} is used twice`)
    kids.add(key.kid)
    if (key.state !== 'sign' && key.state !== 'verify') {
      throw new KeyRingError(`${at}.state must be sign or verify, got ${JSON.stringify(key.state)}`)
    }
    if (isInvitationKey(key)) checkInvitationKey(key, at)
    if (isTicketKey(key) || isInvitationKey(key)) checkSecretLength(key, at)
    else if (!isPassKey(key))
      throw new KeyRingError(`${at} must be an oct key for tickets or an Ed25519 key for passes`)
    else if (typeof key.d !== 'string') throw new KeyRingError(`${at}.d is missing: a private key signs passes`)
    return key
  })
  checkInvitationKeys(stored)
  return stored
}

/** Throws KeyRingError when a room has more than INVITATION_KEYS_MAX invitation keys. */
export function checkInvitationKeys(keys: readonly StoredKey[]): void {
  const counts = new Map<string, number>()
  for (const { room = '' } of keys.filter(isInvitationKey)) {
    const count = (counts.get(room) ?? 0) + 1
    counts.set(room, count)
    if (count > INVITATION_KEYS_MAX)
      throw new KeyRingError(
        `ROOM_KEYS must hold at most ${INVITATION_KEYS_MAX} invitation keys for ${room}: drop the older ones first, with keys -- drop-invite --room ${room}`,
      )
  }
}

export function isTicketKey(key: JWK & { room?: string }): boolean {
  return key.kty === 'oct' && key.room === undefined
}

/** True for a key of invitations. Here it only verifies. The shop that invites signs with it elsewhere. */
export function isInvitationKey(key: JWK & { room?: string }): boolean {
  return key.kty === 'oct' && key.room !== undefined
}

export function isPassKey(key: JWK): boolean {
  return key.kty === 'OKP' && key.crv === 'Ed25519'
}

function checkInvitationKey({ room, state }: StoredKey, at: string): void {
  if (typeof room !== 'string' || room === '') throw new KeyRingError(`${at}.room must be the name of a room`)
  if (state !== 'verify') throw new KeyRingError(`${at}.state must be verify for an invitation key, got ${state}`)
}

async function invitationKeys(stored: readonly StoredKey[]): Promise<KeyRing['invitations']> {
  const byRoom = new Map<string, Map<string, CryptoKey>>()
  for (const key of stored.filter(isInvitationKey)) {
    const room = key.room ?? ''
    const keys = byRoom.get(room) ?? new Map<string, CryptoKey>()
    byRoom.set(room, keys.set(key.kid, await load(key, 'HS256')))
  }
  return byRoom
}

/** A key for HS256 must be at least as long as its hash (RFC 7518 section 3.2). */
function checkSecretLength(key: StoredKey, at: string): void {
  const bytes = Math.floor(((key.k?.length ?? 0) * 3) / 4)
  if (bytes < 32) throw new KeyRingError(`${at}.k must be at least 32 bytes, got ${bytes}`)
}

async function tokenKeys(kind: keyof typeof KINDS, keys: readonly StoredKey[]): Promise<TokenKeys> {
  const { alg, typ } = KINDS[kind]
  const signing = keys.filter(key => key.state === 'sign')
  const [signer] = signing
  if (signing.length !== 1 || !signer) {
    throw new KeyRingError(`ROOM_KEYS must hold exactly one ${kind} key with state sign, got ${signing.length}`)
  }
  const verify = new Map<string, CryptoKey>()
  const byHeader = new Map<string, CryptoKey>()
  for (const stored of keys) {
    const { kid } = stored
    const key = await load(stored.kty === 'OKP' ? publicPart(stored) : stored, alg)
    verify.set(kid, key)
    byHeader.set(encodedHeader({ alg, typ, kid }), key)
  }
  const header = encodedHeader({ alg, typ, kid: signer.kid })
  return { sign: { kid: signer.kid, header, key: await load(signer, alg) }, verify, byHeader }
}

async function load(key: JWK, alg: string): Promise<CryptoKey> {
  try {
    // A symmetric key is imported here once, because jose would import it again for every token.
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
