/**
 * Liveness and readiness, for the system that starts and stops this process.
 *
 * Liveness is about the isolate alone, because a restart would repair nothing else. An isolate is ready if it can
 * serve: the configuration is valid, the keys are open, and each room has a door that answers. Reasons contain paths,
 * ranges and rooms, and never a value.
 */
import { controlPrefixOf } from '../../settings/deployment.ts'
import type { Env } from '../../settings/env.ts'
import { SettingsError } from '../../settings/messages.ts'
import { KeyRingError } from '../../tokens/keyring.ts'
import { OWN_HEADERS, problemResponse } from '../problem.ts'
import type { Visit } from '../request/visit.ts'
import type { RoomClient } from '../room-client/room-client.ts'

const HEADERS = { 'Cache-Control': 'no-store', ...OWN_HEADERS }
const LIVENESS = '/healthz'
const READINESS = '/readyz'
/** One answer serves all requests within this time, so that no visitor can make an isolate hammer a door. */
const REMEMBERED_MS = 1_000

/** The parts of a room that this check needs. */
type Room = Pick<RoomClient, 'name' | 'sync'>

/** Checks whether the rooms of this isolate can be served. It asks them at most once a second. */
export class Readiness {
  #reasons: readonly string[] = []
  #askedAtMs = Number.NEGATIVE_INFINITY

  async answer(visit: Visit, rooms: ReadonlyMap<string, Room>): Promise<Response> {
    const ageMs = visit.nowMs - this.#askedAtMs
    if (ageMs < 0 || ageMs >= REMEMBERED_MS) {
      this.#reasons = await outages(visit, rooms)
      this.#askedAtMs = visit.nowMs
    }
    return readiness(this.#reasons)
  }
}

/** Returns the answer to a health check of an isolate that could not be set up. Returns null for any other request. */
export function healthWithoutSetup(request: Request, env: Env, error: unknown): Response | null {
  const path = URL.canParse(request.url) ? new URL(request.url).pathname : ''
  const prefix = controlPrefixOf(env)
  if (path === prefix + LIVENESS) return liveness()
  return path === prefix + READINESS ? readiness(problemsWith(error)) : null
}

export function liveness(): Response {
  return Response.json({ status: 'ok' }, { headers: HEADERS })
}

function readiness(reasons: readonly string[]): Response {
  if (reasons.length === 0) return Response.json({ status: 'ready' }, { headers: HEADERS })
  return problemResponse({
    status: 503,
    type: 'temporary-reduced-capacity',
    title: 'Not ready',
    retryAfterMs: REMEMBERED_MS,
    more: { reasons },
  })
}

async function outages(visit: Visit, rooms: ReadonlyMap<string, Room>): Promise<string[]> {
  const found = await Promise.all(
    [...rooms.values()].map(async room => {
      const outage = await room.sync.outage(visit)
      return outage === null ? [] : [`room ${room.name}: ${outage}`]
    }),
  )
  return found.flat()
}

/**
 * Returns the problems without their values. A value may be a secret, such as the header of a bypass rule. Messages
 * have the value last, after `got`.
 */
function problemsWith(error: unknown): string[] {
  if (error instanceof SettingsError)
    return error.problems.map(({ path, message }) => `${path} ${message.split(', got ')[0]}`)
  return [error instanceof KeyRingError ? error.message : 'the setup failed, and the log has the reason']
}
