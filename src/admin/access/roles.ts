/** The rights of each role. A right that is not listed here for another role is for admins alone. */
import type { ChangeRequest } from '../../core/protocol/calls.ts'
import { ROLES, type Role } from '../../settings/admin/named-tokens.ts'
import { type RoomConfig, RUNTIME_SETTINGS } from '../../settings/schema.ts'

/** The person or program behind a request, as its token or its login proves it. */
export interface Identity {
  readonly name: string
  readonly role: Role
  /** How the name was proved. */
  readonly by: 'token' | 'access'
  /** When the token or the login ends. Null for a secret without an end. */
  readonly endsAtMs: number | null
  /** The id of a token that can be revoked; null for any other proof. */
  readonly tokenId: string | null
}

/** The settings that an operator may change: the rate, the hold, the message and the events. */
export const OPERATOR_SETTINGS: readonly string[] = ['new_users_per_minute', 'queue_all', 'message', 'events']

/** Returns the settings that a role may change. The dashboard disables all other controls. */
export function settingsFor(role: Role): readonly string[] {
  return role === 'admin' ? RUNTIME_SETTINGS : role === 'operator' ? OPERATOR_SETTINGS : []
}

/** The settings that an event may override, but an operator may not change. */
const FOREIGN_IN_EVENTS = [
  'total_active_users',
  'session_duration',
  'disable_session_renewal',
  'queueing_method',
  'custom_page_html',
] as const

/** A token gives other people access, so only admins list and make tokens. */
const TOKENS = '/tokens'
/** A preview link shows the pages of visitors, and changes nothing. */
const PREVIEW_LINKS = '/preview-links'
/** Routes below `/api/v1` that an operator may call. Their handlers ask `foreignSettings` as well. */
const FOR_OPERATORS: readonly (readonly [method: string, path: RegExp])[] = [
  ['PATCH', /^\/rooms\/[^/]+$/],
  ['DELETE', /^\/rooms\/[^/]+\/overrides\/[^/]+$/],
]

/** Returns the lowest role that may call a route. `path` is the part after `/api/v1`, or its pattern. */
export function leastRole(method: string, path: string): Role {
  if (path === TOKENS || path.startsWith(`${TOKENS}/`)) return 'admin'
  if (method === 'GET' || method === 'HEAD' || path === PREVIEW_LINKS) return 'viewer'
  return FOR_OPERATORS.some(([verb, pattern]) => verb === method && pattern.test(path)) ? 'operator' : 'admin'
}

export function includesRole(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least)
}

/**
 * Returns the settings of a change that the role may not change. A body that is no object passes here, and is refused
 * later.
 */
export function foreignSettings(role: Role, request: ChangeRequest): readonly string[] {
  if (role === 'admin') return []
  return namesIn(request).filter(name => !settingsFor(role).includes(name))
}

function namesIn(request: ChangeRequest): readonly string[] {
  if ('reset' in request) return request.reset === 'all' ? ['the whole file'] : request.reset
  const { set } = request
  return typeof set === 'object' && set !== null && !Array.isArray(set) ? Object.keys(set) : []
}

/**
 * Returns, as paths, the settings of events that the role may not change. An event may keep the values that an admin
 * has given it. An event with a rate of its own needs places of its own, so an operator may give it fewer places than
 * the room.
 */
export function foreignInEvents(role: Role, request: ChangeRequest, current: RoomConfig): readonly string[] {
  const given: unknown = 'set' in request ? Object(request.set).events : undefined
  if (role === 'admin' || !Array.isArray(given)) return []
  return given.flatMap((event: unknown, index) => {
    const asked = Object(event) as Readonly<Record<string, unknown>>
    const before = current.events.find(({ name }) => name === asked.name)
    const isFewer = (name: string, value: unknown) =>
      name === 'total_active_users' && typeof value === 'number' && value <= current.total_active_users
    return FOREIGN_IN_EVENTS.filter(name => {
      const value = asked[name] ?? null
      return value !== null && value !== before?.[name] && !isFewer(name, value)
    }).map(name => `events[${index}].${name}`)
  })
}
