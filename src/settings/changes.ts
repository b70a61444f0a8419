/**
 * Live changes: computes the effect of a request from the file and from earlier changes. A setting that already has the
 * requested value does not count as changed. So a program may send all settings back without changing the room.
 */
import type { ChangeRequest } from '../core/protocol/calls.ts'
import { SettingsError, UNKNOWN_SETTING } from './messages.ts'
import { explainFixed, type Overrides, withOverrides, without } from './rooms.ts'
import { identity, overridesSchema, type RoomConfig } from './schema.ts'

/** A room's file, the live changes to it, and the valid settings that follow from both. */
interface InForce {
  readonly file: RoomConfig
  readonly overrides: Overrides
  readonly config: RoomConfig
}

export interface LiveChange {
  /** The live changes, including this one. */
  readonly overrides: Overrides
  /** The valid settings after this change. */
  readonly config: RoomConfig
  /** The part of the request that has an effect. */
  readonly request: ChangeRequest
  /** True if the budget (`remaining`) starts again. */
  readonly restocks: boolean
}

/** Returns the change, or null if nothing would change. Throws SettingsError if any part of the request is refused. */
export function liveChange(inForce: InForce, request: ChangeRequest): LiveChange | null {
  return 'set' in request ? setting(inForce, request.set) : resetting(inForce, request.reset)
}

function setting({ overrides, config: current }: InForce, given: unknown): LiveChange | null {
  const asked = withoutFixed(given, current)
  // The request is validated against the settings in force, not against the file. So the breaker of an upstream that
  // was added live can be pinned.
  const config = withOverrides(current, asked)
  const entries = Object.entries(asked as object)
  // If a request sets only the budget, the same number again means new stock. If the request sets other settings as
  // well, a program has just sent all settings back.
  const isNewStock = entries.length === 1 && Object.hasOwn(asked as object, 'remaining') && config.remaining !== null
  const changed = entries.filter(
    ([name]) => isNewStock || !isSame(config[name as keyof RoomConfig], current[name as keyof RoomConfig]),
  )
  if (changed.length === 0) return null
  const set = Object.fromEntries(changed)
  return { overrides: { ...overrides, ...set }, config, request: { set }, restocks: Object.hasOwn(set, 'remaining') }
}

function resetting({ file, overrides }: InForce, asked: readonly string[] | 'all'): LiveChange | null {
  const names = asked === 'all' ? Object.keys(overrides) : asked
  const unknown = names.filter(name => asked !== 'all' && !Object.hasOwn(overridesSchema.shape, name))
  if (unknown.length > 0) throw new SettingsError(unknown.map(path => explainFixed({ path, message: UNKNOWN_SETTING })))
  if (!names.some(name => Object.hasOwn(overrides, name))) return null
  const kept = without(overrides, new Set(names))
  return {
    overrides: kept,
    config: withOverrides(file, kept),
    request: { reset: asked },
    // Without a live change of the budget, the budget of the file is in force already, and continues.
    restocks: names.includes('remaining') && Object.hasOwn(overrides, 'remaining'),
  }
}

/**
 * Drops settings that only the file can set, if they have their current value. The API shows them with the others, so a
 * program may send them back.
 */
function withoutFixed(given: unknown, current: RoomConfig): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
  const isKept = ([name, value]: [string, unknown]) =>
    Object.hasOwn(identity, name) && isSame(value, current[name as keyof RoomConfig])
  return Object.fromEntries(Object.entries(given).filter(entry => !isKept(entry)))
}

/**
 * Returns whether two JSON values are equal. The order of names in an object does not matter; the order of a list does.
 */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every(name => Object.hasOwn(b, name) && isSame(Reflect.get(a, name), Reflect.get(b, name)))
}
