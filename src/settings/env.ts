/** Bindings of the Worker. `src/settings` is the only reader of its variables. */
import type { DoorCalls, RoomCalls } from '../core/protocol/calls.ts'
import type { OperatorCalls } from '../core/protocol/operators.ts'
import type { Jurisdiction, Variables } from './deployment.ts'
import type { RoomConfig } from './schema.ts'

/** A namespace of objects as callers see it: objects by name, with their calls only. */
interface Objects<Calls> {
  getByName(
    name: string,
    options?: DurableObjectNamespaceGetDurableObjectOptions & { retry?: { maxRetries?: number; timeoutMs?: number } },
  ): Calls
  /**
   * Returns the objects that live in a jurisdiction. Objects of the same names outside of it are different ones. Absent
   * where the platform has none.
   */
  jurisdiction?(name: Jurisdiction): Objects<Calls>
}

export interface Env extends Variables {
  readonly DOOR: Objects<DoorCalls<RoomConfig>>
  readonly ROOM: Objects<RoomCalls<RoomConfig>>
  /** Set where the origin must see the visitor's Host (plain workerd): every request goes to its fixed address. */
  readonly ORIGIN_SERVICE?: Fetcher
  /** Set where the runtime keeps alerts away from private addresses (plain workerd). */
  readonly ALERT_SERVICE?: Fetcher
}

/** The platform retries once at most, because every caller has its own answer to a failure. */
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
 * Doors are named `<region>-<index>`; the region hints where an object of that name should live. A jurisdiction decides
 * that by itself.
 */
export function doorStub(env: Env, room: string, door: string): DoorCalls<RoomConfig> {
  const hint = env.JURISDICTION ? undefined : HINTS[door.slice(0, door.indexOf('-'))]
  return objectsOf(env.DOOR, env).getByName(`${room}/${door}`, {
    retry: RETRY,
    ...(hint ? { locationHint: hint } : {}),
  })
}

export function roomStub(env: Env, room: string): RoomCalls<RoomConfig> {
  return objectsOf(env.ROOM, env).getByName(room, { retry: RETRY })
}

/** The object that has the tokens of operators. No room can have its name. */
export const OPERATORS = '(operators)'

/** It is of the class of rooms, because a new class could not be rolled back (docs/decisions/0033). */
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
