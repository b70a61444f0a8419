/**
 * The draw of a random line: a keyed hash of the visitor's sid (HMAC-SHA256, RFC 2104), so that nobody can compute or choose a
 * place, and every isolate finds the same.
 */
import { keyIn } from '../core/batches.ts'
import type { Draw } from '../core/ticket.ts'
import type { KeyRing } from './keyring.ts'

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

/** The place that a sid has drawn in its batch; null when the key it was drawn with is gone. */
export async function drawnKey(ring: KeyRing, room: string, sid: string, draw: Draw): Promise<number | null> {
  const key = ring.draws.get(draw.kid)
  if (!key) return null
  const hash = await crypto.subtle.sign('HMAC', key, ENCODER.encode(`${room}|${draw.fromKey}|${sid}`))
  // 52 bits are what a number holds exactly below one.
  return keyIn(draw, Number(new DataView(hash).getBigUint64(0) >> 12n) / 2 ** 52)
}
