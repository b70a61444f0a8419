/**
 * Invitations. An invitation is a JWS (RFC 7515) by which the owner of a room's invitation key, such as a shop, puts a
 * visitor in a lane.
 *
 * Invitations are read as strictly as our own tokens: one algorithm, one `typ`, one spelling. Any other text is no
 * invitation. Its visitor loses nothing but the lane.
 */
import { base64url, compactVerify, errors } from 'jose'
import { MAIN_LANE } from '../core/ticket.ts'
import { isCanonical } from './compact.ts'
import type { KeyRing } from './keyring.ts'
import { claimsOf, headerOf, isFiniteNumber } from './tokens.ts'
import { utf8 } from './utf8.ts'

export interface Invitation {
  readonly lane: string
  /**
   * The sid of every visitor with this invitation. Null if the invitation names no subject: then each visitor gets a
   * separate place.
   */
  readonly sid: string | null
  readonly notBeforeMs: number
  readonly expiresMs: number
}

const INVITATION_TYP = 'invite+jwt'
const SUBJECT_MAX = 256
const LANE_LIKE = /^[a-z0-9][a-z0-9_-]{0,31}$/
/**
 * The number of doors for places of invited subjects. The door of a subject must not depend on the visitor's region or
 * on the current settings. Otherwise one subject could have two places.
 */
export const SUBJECT_DOORS = 4

/** Reads an invitation to `room`. Returns null for any other text. `isInForce` decides whether it is valid now. */
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

/**
 * Returns the sid of a subject. It is the same for all invitations of the subject, so no list of subjects is needed.
 * The sid does not reveal the subject.
 */
async function sidOf(ring: KeyRing, room: string, subject: string): Promise<string> {
  const key = ring.subjects.get(room)
  if (!key) throw new Error(`room ${room} has verified an invitation without a key`)
  const hash = new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(`${room}|${subject}`)))
  return `xx-${(hash[16] as number) % SUBJECT_DOORS}.${base64url.encode(hash.subarray(0, 16))}`
}
