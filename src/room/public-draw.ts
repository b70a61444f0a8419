/** The public view of a room's event draws, and their random seeds. */
import { base64url } from 'jose'
import { commit, type EventDraw, PUBLISHED_AFTER_MS } from '../core/events/draws.ts'
import type { Events } from '../core/events/events.ts'
import type { ScheduledEvent } from '../core/events/schedule.ts'
import type { PublicDraw } from '../core/protocol/calls.ts'

const SEED_BYTES = 32

/** Gives a seed to every event that shuffles and has none. Returns whether anything has changed. */
export function commitDraws(events: Events, scheduled: readonly ScheduledEvent[], nowMs: number): boolean {
  const before = JSON.stringify(events)
  commit(events, scheduled, newSeed, nowMs)
  return JSON.stringify(events) !== before
}

/** 256 random bits, base64url. */
function newSeed(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(SEED_BYTES)))
}

/** Returns the latest draw of each event. */
export function publicDraws(draws: readonly EventDraw[], nowMs: number): Promise<readonly PublicDraw[]> {
  const latest = new Map(draws.map(draw => [draw.event, draw]))
  return Promise.all([...latest.values()].map(draw => published(draw, nowMs)))
}

/** The commitment is the SHA-256 hash of the seed in its published form, so that any tool can compare the two. */
async function published(draw: EventDraw, nowMs: number): Promise<PublicDraw> {
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
