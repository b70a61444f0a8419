/**
 * Tickets and passes as signed tokens: JWS compact serialisation (RFC 7515), with one fixed algorithm for each kind.
 *
 * A text that is not exactly what we signed is no token. There is no lenient reading, and no unverified claim leaves
 * this file.
 */
import { type CryptoKey, compactVerify, decodeJwt, decodeProtectedHeader, errors } from 'jose'
import { type Draw, type Entry, PASS_ENDS_EARLY_MS, type Pass, SKEW_MS, type Ticket } from '../core/ticket.ts'
import { challengeClaim, challengeFrom } from './challenges.ts'
import { headerPart, isCanonical, signCompact, TOKEN_BYTES_MAX, verifyCompact } from './compact.ts'
import { drawnKey } from './draw.ts'
import { type KeyRing, KINDS as SIGNED } from './keyring.ts'

/** A ticket is valid for this long after its last poll. */
export const TICKET_FOR_SECONDS = 24 * 60 * 60

/**
 * A new key reaches every isolate within this time after a deployment. This time matters only in a rotation without a
 * pause between its steps. If this time were longer, a visitor whose key was dropped would be without a place for
 * longer.
 */
const DEPLOYED_WITHIN_MS = 60_000

export type Token =
  | { readonly kind: 'ticket'; readonly ticket: Ticket }
  | { readonly kind: 'pass'; readonly pass: Pass }
  /** The text is no valid token of this room: it is forged, damaged, expired, or for another room. */
  | { readonly kind: 'none' }
  /** The token was signed with a key that this isolate may not have yet. The cookie must be left as it is. */
  | { readonly kind: 'unknown' }

const KINDS = [
  { ...SIGNED.ticket, keys: 'tickets', outlivesExpiry: false, read: ticketFrom },
  { ...SIGNED.pass, keys: 'passes', outlivesExpiry: true, read: passFrom },
] as const
const DECODER = new TextDecoder()
const NONE: Token = { kind: 'none' }
const UNKNOWN: Token = { kind: 'unknown' }

/**
 * Reads a token of `room`. A pass is authentic even after its expiry: its door decides whether the session is still
 * live.
 */
export async function readToken(ring: KeyRing, text: string, room: string, nowMs: number): Promise<Token> {
  const claimed = claimedKey(ring, text)
  if (!claimed) return NONE
  const { kind, key, header } = claimed
  if (!key) return mayBeOfNewerKey(text, ring, nowMs) ? UNKNOWN : NONE
  const payload = await (header === null ? verifyByJose(text, key, kind.alg) : verifyCompact(header, text, key))
  const claims = payload && claimsOf(payload)
  if (!claims || claims.aud !== room || !(claims.exp > nowMs / 1_000 || kind.outlivesExpiry)) return NONE
  return kind.read(claims, room, ring)
}

/** Returns the payload of a token with a header that we did not write. Returns null if the key has not signed it. */
async function verifyByJose(text: string, key: CryptoKey, alg: string): Promise<Uint8Array | null> {
  try {
    return (await compactVerify(text, key, { algorithms: [alg] })).payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

/** Returns whether a text looks like a token, without the costly check of its signature. */
export function needsVerifying(ring: KeyRing, text: string): boolean {
  return claimedKey(ring, text)?.key !== undefined
}

interface Claimed {
  readonly kind: (typeof KINDS)[number]
  /** Undefined if the ring does not have the key that the text names. */
  readonly key: CryptoKey | undefined
  /** The encoded header, if it is exactly the one that we write for this key. */
  readonly header: string | null
}

/** Returns the kind that a text claims to be, with its key. Returns null for a text that looks like no token. */
function claimedKey(ring: KeyRing, text: string): Claimed | null {
  if (text.length > TOKEN_BYTES_MAX) return null
  const header = headerPart(text)
  for (const kind of KINDS) {
    const key = ring[kind.keys].byHeader.get(header)
    if (key) return { kind, key, header }
  }
  return claimedByForeignHeader(ring, text)
}

/** An operator's tools may sign tokens for us too, and may write the header in another way. */
function claimedByForeignHeader(ring: KeyRing, text: string): Claimed | null {
  if (!isCanonical(text)) return null
  const header = headerOf(text)
  const kind = KINDS.find(({ typ, alg }) => header?.typ === typ && header.alg === alg)
  if (!kind || typeof header?.kid !== 'string') return null
  return { kind, key: ring[kind.keys].verify.get(header.kid), header: null }
}

/** Returns whether a token that was verified before is still valid, for this room and at this time. */
export function isOf(token: Token, room: string, nowMs: number): boolean {
  if (token.kind === 'pass') return token.pass.room === room
  return (
    token.kind === 'ticket' && token.ticket.room === room && nowMs < token.ticket.issuedMs + TICKET_FOR_SECONDS * 1_000
  )
}

export function signTicket(ring: KeyRing, ticket: Ticket): Promise<string> {
  const { sid, lane, confirmed, low, waitMs, byMs, takenMs, transfers, generation, draw, entry, excused, challenge } =
    ticket
  const iat = Math.floor(ticket.issuedMs / 1_000)
  const exp = iat + TICKET_FOR_SECONDS
  // Until the batch has ended, a visitor must not learn the place. So the token of a draw contains the batch instead.
  const place = draw ? { key: draw.fromKey, until: draw.untilMs, draw: draw.kid } : { key: ticket.key }
  const claims = {
    aud: ticket.room,
    sub: sid,
    ...place,
    ...(entry ? { event: entry.event, entry: entry.draw } : {}),
    lane,
    cnf: confirmed,
    low,
    ...(typeof waitMs === 'number' ? { wait: waitMs } : {}),
    by: byMs,
    ...(excused ? { excused } : {}),
    ...(challenge === undefined ? {} : { chal: challengeClaim(challenge) }),
    ...(takenMs === undefined ? {} : { taken: takenMs }),
    ...(transfers === undefined ? {} : { transfers }),
    ...(ticket.referrer === undefined ? {} : { ref: ticket.referrer }),
    gen: generation,
    iat,
    exp,
  }
  return signCompact(ring.tickets.sign.header, claims, ring.tickets.sign.key)
}

export function signPass(ring: KeyRing, pass: Pass): Promise<string> {
  const iat = Math.floor(pass.issuedMs / 1_000)
  const exp = Math.floor(pass.expiresMs / 1_000) // NumericDate is in whole seconds, so the pass ends early, never late.
  const ref = pass.referrer === undefined ? {} : { ref: pass.referrer }
  const claims = { aud: pass.room, sub: pass.sid, ...ref, gen: pass.generation, iat, exp }
  return signCompact(ring.passes.sign.header, claims, ring.passes.sign.key)
}

/**
 * Returns the pass for a session that its door ends at `doorExpiresMs`. The pass ends a little earlier than the
 * session.
 */
export function passFor(session: Omit<Pass, 'expiresMs'>, doorExpiresMs: number): Pass {
  return { ...session, expiresMs: doorExpiresMs - PASS_ENDS_EARLY_MS }
}

/**
 * Returns whether the key of an unverified token may be newer than this isolate. The token must claim to be signed
 * after the isolate read its keys, at most a minute ago, and not in the future. The key of any other token was dropped,
 * or never was ours.
 */
function mayBeOfNewerKey(text: string, { openedMs }: KeyRing, nowMs: number): boolean {
  try {
    const { iat } = decodeJwt(text)
    if (typeof iat !== 'number') return false
    const ageMs = nowMs - iat * 1_000
    // NumericDate is in whole seconds, so the token may be up to a second younger.
    return iat * 1_000 + 1_000 > openedMs && ageMs < DEPLOYED_WITHIN_MS && ageMs > -SKEW_MS
  } catch (error) {
    if (error instanceof errors.JWTInvalid) return false
    throw error
  }
}

/** Returns a JWT's claims (RFC 7519): an object with an expiry. Returns null for any other payload. */
export function claimsOf(payload: Uint8Array): (Record<string, unknown> & { exp: number }) | null {
  try {
    const claims: unknown = JSON.parse(DECODER.decode(payload))
    const isObject = typeof claims === 'object' && claims !== null && 'exp' in claims && isFiniteNumber(claims.exp)
    return isObject ? (claims as Record<string, unknown> & { exp: number }) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

export function headerOf(text: string): ReturnType<typeof decodeProtectedHeader> | null {
  try {
    return decodeProtectedHeader(text)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

async function ticketFrom(payload: Record<string, unknown>, room: string, ring: KeyRing): Promise<Token> {
  const { sub, key, lane, cnf, low, wait = null, by, taken, transfers, gen, iat } = payload
  if (typeof sub !== 'string' || !isFiniteNumber(key) || typeof lane !== 'string' || typeof cnf !== 'boolean')
    return NONE
  if (!(low === null || isFiniteNumber(low)) || !(by === null || isFiniteNumber(by))) return NONE
  if (!(wait === null || isFiniteNumber(wait)) || !isFiniteNumber(gen) || !isFiniteNumber(iat)) return NONE
  if (!(taken === undefined || isFiniteNumber(taken))) return NONE
  if (!(transfers === undefined || isFiniteNumber(transfers))) return NONE
  const invited = taken === undefined ? {} : { takenMs: taken }
  const place = { key, lane, confirmed: cnf, low, waitMs: wait, byMs: by }
  const excuse = payload.excused === true ? ({ excused: true } as const) : {}
  const challenge = challengeFrom(payload.chal)
  if (challenge === null) return NONE
  const ticket = {
    room,
    sid: sub,
    ...place,
    ...excuse,
    ...challenge,
    ...invited,
    ...(transfers === undefined ? {} : { transfers }),
    ...refIn(payload),
    generation: gen,
    issuedMs: iat * 1_000,
  }
  if (payload.entry !== undefined) {
    const entry = entryFrom(payload)
    return entry ? { kind: 'ticket', ticket: { ...ticket, entry } } : NONE
  }
  if (payload.draw === undefined) return { kind: 'ticket', ticket }
  const draw = drawFrom(payload, key)
  const drawn = draw && (await drawnKey(ring, room, sub, draw))
  return drawn ? { kind: 'ticket', ticket: { ...ticket, key: drawn, draw } } : NONE
}

function drawFrom({ until, draw }: Record<string, unknown>, fromKey: number): Draw | null {
  if (typeof draw !== 'string' || !isFiniteNumber(until)) return null
  return { fromKey, untilMs: until, kid: draw }
}

function entryFrom({ event, entry }: Record<string, unknown>): Entry | null {
  return typeof event === 'string' && isFiniteNumber(entry) ? { event, draw: entry } : null
}

function passFrom(payload: Record<string, unknown>, room: string): Token {
  const { sub, gen, iat, exp } = payload
  if (typeof sub !== 'string' || !isFiniteNumber(gen) || !isFiniteNumber(iat) || !isFiniteNumber(exp)) return NONE
  const times = { issuedMs: iat * 1_000, expiresMs: exp * 1_000 }
  return { kind: 'pass', pass: { room, sid: sub, ...refIn(payload), generation: gen, ...times } }
}

function refIn({ ref }: Record<string, unknown>): Pick<Ticket, 'referrer'> {
  return typeof ref === 'string' ? { referrer: ref } : {}
}

export function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
