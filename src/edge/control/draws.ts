/**
 * `GET /draws/:event`: the commitment to a draw from its creation on, and the seed from ten seconds after the start.
 */
import { PUBLISHED_AFTER_MS } from '../../core/events/draws.ts'
import type { PublicDraw } from '../../core/protocol/calls.ts'
import { roomStub } from '../../settings/env.ts'
import { problemResponse, tooMany } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import { inTime } from '../room-client/door-client.ts'
import type { RoomClient } from '../room-client/room-client.ts'

/** The quota of one network at one isolate: 50 at once, then 10 per second. */
const DRAWS = { intervalMs: 100, burst: 50 }
/**
 * An isolate asks a room at most once in this time, however many visitors and events there are: the answer has all
 * draws of the room. So this call is no reason to refuse a visitor. A failure is remembered, too.
 */
const ASKED_EVERY_MS = 1_000
/** A later event can have the same name, so an answer is cached only briefly. */
const FOR_NOW = 'public, max-age=2'
const DONE = 'public, max-age=60'

interface Asked {
  readonly untilMs: number
  readonly draws: Promise<readonly PublicDraw[]>
}

const ASKED = new WeakMap<RoomClient, Asked>()

export async function draw(visit: Visit, room: RoomClient, event: string): Promise<Response> {
  const { network } = visit
  const retryAfterMs = network === null ? 0 : room.spendOrWaitMs(`draws/${network}`, DRAWS, visit.nowMs)
  if (retryAfterMs > 0) return tooMany('Too many requests', retryAfterMs)
  const known = (await drawsOf(visit, room)).find(other => other.event === event)
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

function drawsOf(visit: Visit, room: RoomClient): Promise<readonly PublicDraw[]> {
  const last = ASKED.get(room)
  if (last && last.untilMs > visit.nowMs) return last.draws
  const draws = inTime(roomStub(visit.env, room.name).draws())
  // Other requests may wait for these draws after the request that fetched them is over.
  visit.waitUntil(draws.catch(() => undefined))
  ASKED.set(room, { draws, untilMs: visit.nowMs + ASKED_EVERY_MS })
  return draws
}
