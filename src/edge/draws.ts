/** `GET /draws/:event`: the commitment to a draw from its creation on, and the seed ten seconds after the start. */
import { PUBLISHED_AFTER_MS } from '../core/event-draws.ts'
import { roomStub } from '../settings/env.ts'
import type { RoomAtEdge } from './isolate.ts'
import { problemResponse } from './problem.ts'
import type { Visit } from './visit.ts'

/** Draws are public, and asked of the room itself: nobody may make an isolate hammer it. */
const DRAWS = { intervalMs: 100, burst: 50 }
/** A name can be used again for a later event, so no answer is kept for long. */
const FOR_NOW = 'public, max-age=2'
const DONE = 'public, max-age=60'

export async function draw(visit: Visit, room: RoomAtEdge, event: string): Promise<Response> {
  const retryAfterMs = room.spend('draws', DRAWS, visit.nowMs)
  if (retryAfterMs > 0) {
    return problemResponse({ status: 429, type: 'quota-exceeded', title: 'Too many requests', retryAfterMs })
  }
  const known = /^[\w-]{1,64}$/.test(event) ? await roomStub(visit.env, room.name).draw(event) : null
  if (!known) return problemResponse({ status: 404, type: 'about:blank', title: 'No draw for an event of that name' })
  const { commitment, seed, startMs, fromKey, calledOff, entries } = known
  const body = {
    room: room.name,
    event,
    startsAt: new Date(startMs).toISOString(),
    state: seed !== null ? 'published' : calledOff ? 'called off' : fromKey !== null ? 'drawn' : 'committed',
    algorithm: 'HMAC-SHA256(seed, sid)',
    commitment: `sha256:${commitment}`,
    seed,
    seedAt: new Date(startMs + PUBLISHED_AFTER_MS).toISOString(),
    places: fromKey === null ? null : { fromKey, untilKey: startMs },
    entries,
  }
  return Response.json(body, { headers: { 'Cache-Control': seed === null ? FOR_NOW : DONE } })
}
