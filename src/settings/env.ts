/** Bindings of the Worker. No other folder than `src/settings` reads its variables. */
import type { DoorCalls, RoomCalls } from '../core/protocol/calls.ts'
import type { OperatorCalls } from '../core/protocol/operators.ts'
import type { Jurisdiction, Variables } from './deployment.ts'
import type { RoomConfig } from './schema.ts'

/** A namespace of objects as callers see it: it finds objects by name, and shows only their calls. */
interface Objects<Calls> {
  getByName(
    name: string,
    options?: DurableObjectNamespaceGetDurableObjectOptions & { retry?: { maxRetries?: number; timeoutMs?: number } },
  ): Calls
  /**
   * Returns the objects in a jurisdiction. They differ from objects of the same names outside of the jurisdiction.
   * Absent if the platform has no jurisdictions.
   */
  jurisdiction?(name: Jurisdiction): Objects<Calls>
}

/** The request that opens a dashboard's socket. A call cannot return a socket. */
interface Sockets {
  fetch(url: string, init: RequestInit): Promise<Response>
}

export interface Env extends Variables {
  readonly DOOR: Objects<DoorCalls<RoomConfig>>
  readonly ROOM: Objects<RoomCalls<RoomConfig> & Sockets>
  /** Set if the origin must get the visitor's Host (plain workerd). Then every request goes to this fixed address. */
  readonly ORIGIN_SERVICE?: Fetcher
  /** Set if the runtime keeps alerts away from private addresses (plain workerd). */
  readonly ALERT_SERVICE?: Fetcher
}

/** The platform retries a call at most once, because every caller has its own way to handle a failure. */
const RETRY = { maxRetries: 1, timeoutMs: 1_000 }

const HINTS: Record<string, DurableObjectLocationHint> = {
  eu: 'weur',
  na: 'enam',
  sa: 'sam',
  as: 'apac',
  oc: 'oc',
  af: 'afr',
}

/**
 * Returns a door. Doors are named `<region>-<index>`. The region is a hint where the object should be created. With a
 * jurisdiction there is no hint.
 */
export function doorStub(env: Env, room: string, door: string): DoorCalls<RoomConfig> {
  const hint = env.JURISDICTION ? undefined : HINTS[door.slice(0, door.indexOf('-'))]
  return objectsOf(env.DOOR, env).getByName(`${room}/${door}`, {
    retry: RETRY,
    ...(hint ? { locationHint: hint } : {}),
  })
}

export function roomStub(env: Env, room: string): RoomCalls<RoomConfig> & Sockets {
  return objectsOf(env.ROOM, env).getByName(room, { retry: RETRY })
}

/** The name of the object that stores the tokens of operators. No room can have this name. */
export const OPERATORS = '(operators)'

/**
 * Returns the object that stores the tokens of operators. It has the class of rooms, because a new class could not be
 * rolled back (docs/decisions/0033).
 */
export function operatorsStub(env: Env): OperatorCalls {
  return objectsOf(env.ROOM, env).getByName(OPERATORS, { retry: RETRY })
}

function objectsOf<Calls>(objects: Objects<Calls>, { JURISDICTION }: Env): Objects<Calls> {
  if (!JURISDICTION) return objects
  if (!objects.jurisdiction) throw new Error('JURISDICTION is set, and this platform has no jurisdictions')
  return objects.jurisdiction(JURISDICTION)
}

/** Returns the region of a visitor's continent (`request.cf.continent`), or `xx` for any other value. */
export function regionOf(continent: unknown): string {
  const region = typeof continent === 'string' ? continent.toLowerCase() : ''
  return Object.hasOwn(HINTS, region) ? region : 'xx'
}

/** Whether a text is the name of one of the first doors of a region. */
export function isDoor(name: string, count: number): boolean {
  const [region = '', number = ''] = name.split('-')
  return regionOf(region) === region && /^\d{1,4}$/.test(number) && Number(number) < count
}
