/**
 * Turnstile, the challenge of Cloudflare. A widget in the page produces a token, and Cloudflare is asked whether the
 * token is genuine. The widget names the place, so a token is worthless for another place.
 *
 * An outage of this third party shuts no visitor out. While it does not answer, an isolate sets proofs of work instead.
 */
import { base64url } from 'jose'
import { placeIdOf, type Ticket } from '../../core/ticket.ts'
import { seldom } from '../../runtime/log.ts'
import { within } from '../../runtime/within.ts'
import { turnstileSecret } from '../../settings/challenge/secret.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

const VERIFY = 'https://challenges.cloudflare.com/turnstile/v0/siteverify'
/** The host from which the page loads the widget. */
export const TURNSTILE_HOST = 'https://challenges.cloudflare.com'
const TOKEN_MAX = 2_048
/** The longest time for which a visitor waits for Cloudflare's answer. */
const ANSWERS_WITHIN_MS = 3_000
/** After a failure an isolate asks Cloudflare again only after this time. */
const ASKED_AGAIN_AFTER_MS = 30_000
/** The code of a token that a person may have: it is older than five minutes, or was sent twice. */
const EXPIRED = 'timeout-or-duplicate'
/** The codes of a token that is not genuine. */
const WRONG = ['missing-input-response', 'invalid-input-response']
/**
 * The codes of a fault of the settings, or of Cloudflare. No token can cause them. Any other code may be caused by the
 * token that was sent, so it must not make the challenge of all visitors an easier one.
 */
const FAULTS = ['missing-input-secret', 'invalid-input-secret', 'internal-error']

export type Verified = 'solved' | 'wrong' | 'expired' | 'unavailable'

/** The time until which an isolate does not ask Cloudflare, by room. */
const DOWN_UNTIL = new WeakMap<RoomClient, number>()

/** Returns whether a room uses challenges of Turnstile now. */
export function usesTurnstile({ env, nowMs }: Visit, room: RoomClient): boolean {
  const { provider } = room.settings.config.challenge
  if (provider !== 'turnstile') return false
  if (turnstileSecret(env) !== null) return nowMs >= (DOWN_UNTIL.get(room) ?? Number.NEGATIVE_INFINITY)
  seldom.note(
    'challenge-failed',
    { room: room.name, detail: 'TURNSTILE_SECRET is not set, so browsers get a proof of work instead' },
    nowMs,
  )
  return false
}

/** Returns the text that ties a token to a place. Turnstile allows 255 letters, digits, - and _. */
export async function placeMark(ticket: Pick<Ticket, 'room' | 'sid' | 'takenMs'>): Promise<string> {
  const text = new TextEncoder().encode(`${ticket.room} ${placeIdOf(ticket)}`)
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', text)))
}

/** Asks Cloudflare about the token of a visitor. */
export async function verifyToken(visit: Visit, room: RoomClient, ticket: Ticket, token: unknown): Promise<Verified> {
  const secret = turnstileSecret(visit.env)
  if (secret === null || typeof token !== 'string' || token === '' || token.length > TOKEN_MAX) return 'wrong'
  const answer = await ask(secret, token)
  if (typeof answer === 'string') return unavailable(visit, room, answer)
  // A visitor with two tabs may send the token of the other tab's place.
  if (answer.success) return answer.cdata === (await placeMark(ticket)) ? 'solved' : 'expired'
  const codes = answer['error-codes'] ?? []
  if (codes.includes(EXPIRED)) return 'expired'
  if (codes.some(code => WRONG.includes(code))) return 'wrong'
  if (codes.some(code => FAULTS.includes(code))) return unavailable(visit, room, codes.join(', '))
  const detail = `Turnstile: unknown codes (${codes.join(', ')}). The visitor gets another widget`
  seldom.note('challenge-failed', { room: room.name, detail }, visit.nowMs)
  return 'expired'
}

interface Siteverify {
  readonly success: boolean
  readonly cdata?: string
  readonly 'error-codes'?: readonly string[]
}

/** Returns the answer of Cloudflare, or why there is none. The address of the visitor is not sent. */
async function ask(secret: string, response: string): Promise<Siteverify | string> {
  const body = new URLSearchParams({ secret, response })
  try {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS)
    const read = fetch(VERIFY, { method: 'POST', body, signal }).then(answer => answer.text())
    const text = await within(ANSWERS_WITHIN_MS, read)
    if (text === 'late') return `no answer within ${ANSWERS_WITHIN_MS / 1_000} s`
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'success' in value
      ? (value as Siteverify)
      : 'no answer as JSON'
  } catch (error) {
    // The connection failed, or the answer is no JSON.
    return error instanceof Error ? error.message : String(error)
  }
}

function unavailable({ nowMs }: Visit, room: RoomClient, detail: string): 'unavailable' {
  DOWN_UNTIL.set(room, nowMs + ASKED_AGAIN_AFTER_MS)
  seldom.note(
    'challenge-failed',
    { room: room.name, detail: `Turnstile: ${detail}. Browsers get a proof of work instead` },
    nowMs,
  )
  return 'unavailable'
}
