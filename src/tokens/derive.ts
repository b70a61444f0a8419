/** Keys derived from other keys, so that no secret serves two purposes. */

/** Tokens are signed over base64url and dots: no token is this text. */
const PURPOSE = 'antesala/draw/1'
const ENCODER = new TextEncoder()

/** The key of draws that belongs to a key of tickets, so that no secret serves two purposes. */
export function drawKeyOf(ticketKey: CryptoKey): Promise<CryptoKey> {
  return derivedKey(ticketKey, PURPOSE)
}

export async function derivedKey(from: CryptoKey, purpose: string): Promise<CryptoKey> {
  const bytes = await crypto.subtle.sign('HMAC', from, ENCODER.encode(purpose))
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}
