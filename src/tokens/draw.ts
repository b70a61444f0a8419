/**
 * Draws: the place in a random line, or in the draw of an event, is a keyed hash of the visitor's sid (HMAC-SHA256, RFC
 * 2104). So no visitor can compute or choose a place, and every isolate computes the same one.
 */

import { keyIn } from '../core/line/batches.ts'
import type { Batch, Draw } from '../core/ticket.ts'
import type { KeyRing } from './keyring.ts'
import { utf8 } from './utf8.ts'

/** At most this many imported seeds are kept, over all rooms. Importing one again costs a few microseconds. */
const SEEDS_KNOWN_MAX = 100
const seeds = new Map<string, CryptoKey>()

/** Returns the key that a sid has drawn in its batch, or null if the secret of the draw was dropped. */
export async function drawnKey(ring: KeyRing, room: string, sid: string, draw: Draw): Promise<number | null> {
  const key = ring.draws.get(draw.kid)
  if (!key) return null
  const hash = await crypto.subtle.sign('HMAC', key, utf8(`${room}|${draw.fromKey}|${sid}`))
  return keyIn(draw, shareOf(hash))
}

/**
 * Returns the key that a sid has drawn for the start of an event. In the HMAC, the key is the text of the seed, and the
 * message is the sid. Once the seed is published, any tool can compute the place.
 */
export async function entryKey(seed: string, sid: string, batch: Batch): Promise<number> {
  const key = seeds.get(seed) ?? (await importSeed(seed))
  return keyIn(batch, shareOf(await crypto.subtle.sign('HMAC', key, utf8(sid))))
}

/** Returns the first 52 bits of a hash as a fraction of one. A number holds 52 bits exactly. */
function shareOf(hash: ArrayBuffer): number {
  return Number(new DataView(hash).getBigUint64(0) >> 12n) / 2 ** 52
}

async function importSeed(seed: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', utf8(seed), algorithm, false, ['sign'])
  if (seeds.size >= SEEDS_KNOWN_MAX) seeds.clear()
  seeds.set(seed, key)
  return key
}
