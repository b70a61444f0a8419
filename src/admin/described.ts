/** Rooms as operators see them. */
import type { RoomDescription } from '../core/protocol/calls.ts'
import { seldom } from '../runtime/log.ts'
import { within } from '../runtime/within.ts'
import type { Deployment } from '../settings/deployment.ts'
import { type Env, roomStub } from '../settings/env.ts'
import type { RoomConfig } from '../settings/schema.ts'
import { eventsOf } from './events.ts'
import type { Measured } from './metrics.ts'
import type { ShownRoom } from './openapi/bodies/room.ts'

/** A room that has not answered after this time counts as silent. Dashboards and metrics wait for the slowest room. */
const DESCRIBED_WITHIN_MS = 3_000

type Description = RoomDescription<RoomConfig>

/**
 * Returns every room of a deployment, with null for a room that does not answer, so that an operator still sees the
 * others.
 */
export async function describedAll(
  env: Env,
  { rooms }: Deployment,
): Promise<{ readonly name: string; readonly description: Description | null }[]> {
  return Promise.all(rooms.map(async ({ name }) => ({ name, description: await described(env, name) })))
}

async function described(env: Env, name: string): Promise<Description | null> {
  try {
    const description = await within(DESCRIBED_WITHIN_MS, roomStub(env, name).describe())
    if (description !== 'late') return description
    noteSilent(name, `no answer in ${DESCRIBED_WITHIN_MS} ms`)
    return null
  } catch (error) {
    noteSilent(name, String(error))
    return null
  }
}

function noteSilent(room: string, detail: string): void {
  seldom.note('room-silent', { room, seenBy: 'admin', detail }, Date.now())
}

/** Returns a room as operators see it: each setting with its source. */
export function shown(
  { version, settings, file, overridden, figures, draws, nowMs }: Description,
  deployment: Deployment,
  name: string,
): ShownRoom {
  const given = deployment.given.get(name) ?? new Set()
  const sourceOf = (key: string) => (overridden.includes(key) ? 'live' : given.has(key) ? 'file' : 'default')
  const sources = Object.fromEntries(Object.keys(settings).map(key => [key, sourceOf(key)] as const))
  return {
    name,
    version,
    settings,
    file,
    sources,
    figures,
    events: eventsOf(settings, draws, nowMs),
    now: new Date(nowMs).toISOString(),
  }
}

/** Returns a room as its metrics need it. */
export function measuredOf(room: string, description: Description | null): Measured {
  if (description === null) return { room, figures: null }
  const { settings, draws, figures, nowMs } = description
  const mode = settings.suspended ? 'suspended' : settings.mode
  return { room, figures, mode, events: eventsOf(settings, draws, nowMs) }
}
