/**
 * Invitations: a JWS (RFC 7515) by which whoever holds a room's key, a shop say, puts a visitor in a lane.
 *
 * Read as strictly as our own tokens: one algorithm, one `typ`, one spelling. What is not exactly that is no invitation, which
 * costs its visitor nothing but the lane.
 */
import { base64url, compactVerify, errors } from 'jose'
import { MAIN_LANE } from '../core/ticket.ts'
import type { KeyRing } from './keyring.ts'
import { claimsOf, headerOf, isCanonical, isFiniteNumber } from './tokens.ts'

export interface Invitation {
  readonly lane: string
  /** The sid of everybody who comes with it; null when it is for whoever has it, each with a place of their own. */
  readonly sid: string | null
  readonly notBeforeMs: number
  readonly expiresMs: number
}

export const INVITATION_TYP = 'invite+jwt'
const SUBJECT_MAX = 256
const LANE_LIKE = /^[a-z0-9][a-z0-9_-]{0,31}$/
/**
 * Doors of places that invitations name. Which one must not depend on where the visitor is or on what the settings say now, or one
 * subject could have two.
 */
const DOORS = 4
const ENCODER = new TextEncoder()

/** Reads an invitation to `room`; null when it is none. Whether it is in force now is for `isInForce` to say. */
export async function readInvitation(ring: KeyRing, text: string, room: string): Promise<Invitation | null> {
  if (!isCanonical(text)) return null
  const header = headerOf(text)
  if (header?.typ !== INVITATION_TYP || header.alg !== 'HS256') return null
  const keys = ring.invitations.get(room)
  const named = typeof header.kid === 'string' ? [keys?.get(header.kid)] : [...(keys?.values() ?? [])]
  for (const key of named) {
    const payload = key && (await verified(text, key))
    if (payload) return invitationFrom(ring, payload, room)
  }
  return null
}

export function isInForce({ notBeforeMs, expiresMs }: Invitation, nowMs: number): boolean {
  return notBeforeMs <= nowMs && nowMs < expiresMs
}

async function verified(text: string, key: CryptoKey): Promise<Uint8Array | null> {
  try {
    return (await compactVerify(text, key, { algorithms: ['HS256'] })).payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

async function invitationFrom(ring: KeyRing, payload: Uint8Array, room: string): Promise<Invitation | null> {
  const claims = claimsOf(payload)
  if (!claims || claims.aud !== room) return null
  const { exp, nbf = 0, lane = MAIN_LANE, sub } = claims
  if (!isFiniteNumber(nbf) || typeof lane !== 'string' || !LANE_LIKE.test(lane)) return null
  const isSubject = typeof sub === 'string' && sub !== '' && sub.length <= SUBJECT_MAX
  if (sub !== undefined && !isSubject) return null
  const sid = isSubject ? await sidOf(ring, room, sub) : null
  return { lane, sid, notBeforeMs: nbf * 1_000, expiresMs: exp * 1_000 }
}

/** The same for every invitation of one subject, so that no list of them is needed; it does not tell who that is. */
async function sidOf(ring: KeyRing, room: string, subject: string): Promise<string> {
  const key = ring.subjects.get(room)
  if (!key) throw new Error(`room ${room} has verified an invitation without a key`)
  const hash = new Uint8Array(await crypto.subtle.sign('HMAC', key, ENCODER.encode(`${room}|${subject}`)))
  return `xx-${(hash[16] as number) % DOORS}.${base64url.encode(hash.subarray(0, 16))}`
}
