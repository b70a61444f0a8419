/** The public view of a room's event draws, and their random seeds. */
import { base64url } from 'jose'
import { type EventDraw, PUBLISHED_AFTER_MS } from '../core/events/draws.ts'
import type { PublicDraw } from '../core/protocol/calls.ts'

const SEED_BYTES = 32

/** 256 random bits, base64url. */
export function newSeed(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(SEED_BYTES)))
}

/** The commitment is the SHA-256 hash of the seed as it will be published, so that any tool can compare the two. */
export async function published(draw: EventDraw, nowMs: number): Promise<PublicDraw> {
  const { event, seed, startMs, fromKey, scheduled, drawnMs, entries } = draw
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(seed))
  const isDrawn = drawnMs !== null
  return {
    event,
    commitment: [...new Uint8Array(hash)].map(byte => byte.toString(16).padStart(2, '0')).join(''),
    seed: isDrawn && nowMs >= startMs + PUBLISHED_AFTER_MS ? seed : null,
    startMs,
    fromKey: isDrawn ? fromKey : null,
    calledOff: !isDrawn && !scheduled,
    entries,
  }
}

/** Returns the latest draw of each event. */
export function latestOfEach(draws: readonly EventDraw[]): readonly EventDraw[] {
  return [...new Map(draws.map(draw => [draw.event, draw])).values()]
}
