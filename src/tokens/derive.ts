/** Keys derived from other keys, so that no secret serves two purposes. */
import { base64url } from 'jose'
import { utf8 } from './utf8.ts'

/**
 * The text from which draw keys are derived. Signed tokens contain only base64url and dots, so no token equals this
 * text.
 */
const PURPOSE = 'antesala/draw/1'
const CHALLENGES = 'antesala/challenge/1'

/** Derives the key of draws from a key of tickets. */
export function drawKeyOf(ticketKey: CryptoKey): Promise<CryptoKey> {
  return derivedKey(ticketKey, PURPOSE)
}

/** Derives the secret that signs challenges from a key of tickets. */
export async function challengeSecretOf(ticketKey: CryptoKey): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', ticketKey, utf8(CHALLENGES))))
}

export async function derivedKey(from: CryptoKey, purpose: string): Promise<CryptoKey> {
  const bytes = await crypto.subtle.sign('HMAC', from, utf8(purpose))
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}
