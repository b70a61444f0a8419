/**
 * Draws: the place of a random line, and of those who waited for an event's start, is a keyed hash of the visitor's sid (HMAC-SHA256, RFC 2104), so that nobody can compute or choose a
 * place, and every isolate finds the same.
 */

import { keyIn } from '../core/line/batches.ts'
import type { Batch, Draw } from '../core/ticket.ts'
import type { KeyRing } from './keyring.ts'

const ENCODER = new TextEncoder()
/** Draws of the last day, over all rooms: importing one anew costs some microseconds. */
const SEEDS_KNOWN_MAX = 100
const seeds = new Map<string, CryptoKey>()

/** The place that a sid has drawn in its batch; null when the key it was drawn with is gone. */
export async function drawnKey(ring: KeyRing, room: string, sid: string, draw: Draw): Promise<number | null> {
  const key = ring.draws.get(draw.kid)
  if (!key) return null
  const hash = await crypto.subtle.sign('HMAC', key, ENCODER.encode(`${room}|${draw.fromKey}|${sid}`))
  return keyIn(draw, shareOf(hash))
}

/**
 * The place that a sid has drawn for the start of an event. The key is the text of the seed, the message the sid: once the seed is
 * published, anybody can compute it with any tool.
 */
export async function entryKey(seed: string, sid: string, batch: Batch): Promise<number> {
  const key = seeds.get(seed) ?? (await importSeed(seed))
  return keyIn(batch, shareOf(await crypto.subtle.sign('HMAC', key, ENCODER.encode(sid))))
}

/** The first 52 bits of a hash as a share of one: that is what a number holds exactly. */
function shareOf(hash: ArrayBuffer): number {
  return Number(new DataView(hash).getBigUint64(0) >> 12n) / 2 ** 52
}

async function importSeed(seed: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', ENCODER.encode(seed), algorithm, false, ['sign'])
  if (seeds.size >= SEEDS_KNOWN_MAX) seeds.clear()
  seeds.set(seed, key)
  return key
}
