/**
 * Proof of work (ALTCHA): a browser searches for a number whose hash begins with a given byte. The challenge is signed
 * and names one place, so its solution is worthless for another place. Nothing is stored until the solution comes.
 */
import { type Challenge, createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import { type ChallengeState, placeIdOf, type Ticket } from '../core/ticket.ts'
import type { KeyRing } from './keyring.ts'

const ALGORITHM = 'PBKDF2/SHA-256'
/** The byte that the hash must begin with, in hex. A solver needs 256 hashes on average. */
const PREFIX = '00'
/** A challenge must be solved within this time. A page that is open for longer gets a new one. */
const CHALLENGE_FOR_SECONDS = 600

/**
 * `expired`: genuine work that is useless for this place now, because it came too late or is for another place. A
 * visitor with two tabs, or with a new place, sends such work in good faith.
 */
export type Tested = 'solved' | 'wrong' | 'expired'
type Place = Pick<Ticket, 'room' | 'sid' | 'takenMs'>

/** Returns a new challenge for a place. `work` is the number of iterations of each hash. */
export function newChallenge(ring: KeyRing, place: Place, work: number, nowMs: number): Promise<Challenge> {
  const { kid } = ring.tickets.sign
  return createChallenge({
    algorithm: ALGORITHM,
    cost: work,
    keyPrefix: PREFIX,
    deriveKey,
    expiresAt: Math.floor(nowMs / 1_000) + CHALLENGE_FOR_SECONDS,
    data: { kid, ...nameOf(place) },
    hmacSignatureSecret: ring.challenges.get(kid) as string,
  })
}

/** Tests what a visitor has sent as the solution for a place. */
export async function testSolution(ring: KeyRing, place: Place, given: unknown): Promise<Tested> {
  const payload = payloadIn(given)
  const { kid, ...name } = payload?.challenge.parameters.data ?? {}
  const secret = typeof kid === 'string' ? ring.challenges.get(kid) : undefined
  const { room, id } = nameOf(place)
  if (!payload || secret === undefined) return 'wrong'
  // Only these two members are passed on. The library would take its options from any other member.
  const { challenge, solution } = payload
  const { verified, expired } = await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret: secret })
  if (verified) return name.room === room && name.id === id ? 'solved' : 'expired'
  return expired ? 'expired' : 'wrong'
}

/**
 * Returns the claim for a ticket: the second at which the challenge was set, true if it was solved, false if it failed.
 */
export function challengeClaim(challenge: ChallengeState): number | boolean {
  return challenge.state === 'set' ? Math.floor(challenge.sinceMs / 1_000) : challenge.state === 'solved'
}

/** Reads the claim of a ticket. Returns null for a claim that we never write. */
export function challengeFrom(claim: unknown): Pick<Ticket, 'challenge'> | null {
  if (claim === undefined) return {}
  if (typeof claim === 'number' && Number.isFinite(claim))
    return { challenge: { state: 'set', sinceMs: claim * 1_000 } }
  return typeof claim === 'boolean' ? { challenge: { state: claim ? 'solved' : 'failed' } } : null
}

function nameOf(place: Place) {
  return { room: place.room, id: placeIdOf(place) }
}

type Payload = Pick<Parameters<typeof verifySolution>[0], 'challenge' | 'solution'>

/**
 * Returns the text as a solution with its challenge, or null if it has another form. Its signature is not checked here.
 */
function payloadIn(given: unknown): Payload | null {
  if (!isObject(given) || !isObject(given.challenge) || !isObject(given.solution)) return null
  const { parameters, signature } = given.challenge
  return isObject(parameters) && typeof signature === 'string' ? (given as unknown as Payload) : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
