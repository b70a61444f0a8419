/** The environment of a deployment, read in one place. */
import * as z from 'zod'
import { type AccessSettings, accessOf, accessProblems, accessSchema } from './admin/cloudflare-access.ts'
import type { ReceiverVariables } from './admin/receivers.ts'
import { AddressRanges, asRange, isOriginAddress, isPublic, ORIGIN_ADDRESS_FORM } from './bypass/addresses.ts'
import { problemsOf, SettingsError, type SettingsProblem, show, textThat } from './messages.ts'
import { hostPattern } from './patterns.ts'
import { parseRooms, routesOf } from './rooms.ts'
import type { RoomConfig } from './schema.ts'

/** The jurisdictions in which Cloudflare can keep objects. */
const JURISDICTIONS = ['eu', 'us', 'fedramp', 'fedramp-high'] as const
export type Jurisdiction = (typeof JURISDICTIONS)[number]

/** Variables and secrets, in the form in which the platform passes them. */
export interface Variables extends ReceiverVariables {
  readonly ROOMS?: unknown
  readonly ORIGIN?: string
  readonly ORIGIN_HOST_HEADER?: string
  readonly ADMIN_HOST?: string
  readonly CONTROL_PREFIX?: string
  readonly TRUSTED_IP_HEADER?: string
  readonly ORIGIN_ADDRESSES?: unknown
  readonly PASSTHROUGH_HOSTS?: unknown
  readonly JURISDICTION?: Jurisdiction | ''
  readonly DEBUG?: string
  readonly ROOM_KEYS?: string
  readonly ADMIN_TOKEN?: string
  readonly ADMIN_TOKENS?: string
  readonly METRICS_TOKEN?: string
  readonly TURNSTILE_SECRET?: string
  readonly ACCESS_TEAM?: string
  readonly ACCESS_AUD?: string
  readonly ACCESS_ROLES?: unknown
}

export interface Deployment {
  readonly rooms: readonly RoomConfig[]
  /** For each room, the names of the settings that its file contains. All other settings have their defaults. */
  readonly given: ReadonlyMap<string, ReadonlySet<string>>
  /** Scheme, host and port of the origin. Null for the zone's own origin. */
  readonly origin: string | null
  /** The Host header that the origin gets: its own name, or the one in the visitor's request. */
  readonly originHostHeader: 'origin' | 'visitor'
  /** The host of the admin API and the dashboard. `*` means every host (development), and null means none. */
  readonly adminHost: string | null
  /** Logins of operators by Cloudflare Access; null without a team. */
  readonly access: AccessSettings | null
  /** Addresses from which the site calls itself. Such requests need no place. */
  readonly originAddresses: AddressRanges
  /** Hosts that reach the origin without a room: a host, `*.example.com` or `*`. */
  readonly passthroughHosts: readonly string[]
  readonly controlPrefix: string
  /** The header that contains a visitor's address, or null to trust none. */
  readonly trustedIpHeader: string | null
  /** Where the trace of each request is written: nowhere, into a header of its answer, or into the log as well. */
  readonly debug: 'off' | 'header' | 'log'
}

const CONTROL_PREFIX = '/.waiting-room'
/** The form of an origin. It completes the sentence "must be ...". */
export const ORIGIN_FORM = 'an address like https://origin.example, without path'
const TOKEN_MIN = 32
/** The longest bearer token, in characters. Anything longer is not compared. */
export const TOKEN_MAX = 512

/** A list. If the variable is from a command line, it is text that contains JSON. */
function listOf<Element extends z.ZodType>(element: Element) {
  const asList = (value: unknown) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map(text => text.trim())
          .filter(text => text !== '')
      : value
  return z.preprocess(asList, z.array(element)).default([])
}

export const deploymentSchema = z.object({
  ORIGIN: textThat(isOriginUrl, ORIGIN_FORM).or(z.literal('')).default(''),
  ORIGIN_HOST_HEADER: z
    .literal(['origin', 'visitor'], { error: issue => `must be origin or visitor, got ${JSON.stringify(issue.input)}` })
    .default('origin'),
  ADMIN_HOST: textThat(text => /^(\*|[a-z0-9.-]+(:\d+)?)$/i.test(text), 'a host name')
    .or(z.literal(''))
    .default(''),
  CONTROL_PREFIX: textThat(isOneSegment, 'one path segment like /.waiting-room').default(CONTROL_PREFIX),
  TRUSTED_IP_HEADER: textThat(text => /^[\w-]+$/.test(text), 'a header name')
    .or(z.literal(''))
    .default(''),
  ORIGIN_ADDRESSES: listOf(textThat(isOriginAddress, ORIGIN_ADDRESS_FORM)),
  PASSTHROUGH_HOSTS: listOf(hostPattern()),
  JURISDICTION: z
    .union([z.literal(JURISDICTIONS), z.literal('')], {
      error: issue => `must be ${JURISDICTIONS.join(', ')} or empty, got ${JSON.stringify(issue.input)}`,
    })
    .default(''),
  ...accessSchema.shape,
  ALERT_PRIVATE_RECEIVERS: z.string().default(''),
  DEBUG: z.string().default(''),
})

/** Reads and validates everything except the secrets. Throws SettingsError with all problems. */
export function readDeployment(variables: Variables): Deployment {
  const parsed = deploymentSchema.safeParse(variables, { reportInput: true })
  const problems = parsed.success ? [] : [...problemsOf(parsed.error, '')]
  let rooms: readonly RoomConfig[] = []
  let given = new Map<string, Set<string>>()
  try {
    const file = fromJson(variables.ROOMS)
    rooms = parseRooms(file, 'ROOMS')
    given = new Map(rooms.map((room, index) => [room.name, new Set(Object.keys((file as object[])[index] ?? {}))]))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    problems.push(...error.problems)
  }
  problems.push(...adminClash(variables.ADMIN_HOST, rooms))
  if (parsed.success) problems.push(...hiddenVisitors(parsed.data), ...accessProblems(parsed.data))
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems)
  const { ORIGIN, ORIGIN_HOST_HEADER, ORIGIN_ADDRESSES, ADMIN_HOST, TRUSTED_IP_HEADER, DEBUG } = parsed.data
  return Object.freeze({
    rooms,
    given,
    origin: ORIGIN === '' ? null : new URL(ORIGIN).origin,
    originHostHeader: ORIGIN_HOST_HEADER,
    adminHost: ADMIN_HOST === '' ? null : ADMIN_HOST.toLowerCase(),
    access: accessOf(parsed.data),
    originAddresses: new AddressRanges(ORIGIN_ADDRESSES.map(asRange)),
    passthroughHosts: parsed.data.PASSTHROUGH_HOSTS,
    controlPrefix: parsed.data.CONTROL_PREFIX,
    trustedIpHeader: TRUSTED_IP_HEADER === '' ? null : TRUSTED_IP_HEADER,
    debug: ['', '0', 'false'].includes(DEBUG) ? 'off' : DEBUG === 'header' ? 'header' : 'log',
  })
}

/**
 * Returns the control prefix. It works even for a configuration that is refused, because health checks must find their
 * route.
 */
export function controlPrefixOf(variables: Variables): string {
  const given: unknown = variables.CONTROL_PREFIX
  return typeof given === 'string' && isOneSegment(given) ? given : CONTROL_PREFIX
}

/** Returns a request's URL at the origin, with path and query unchanged. */
export function atOrigin(url: string, deployment: Deployment): string {
  if (deployment.origin === null || deployment.originHostHeader === 'visitor') return url
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start < 0 ? deployment.origin : deployment.origin + url.slice(start)
}

/**
 * Returns whether a URL is on the host of the dashboard. A shop must not share this host, because its scripts could
 * read the dashboard. An admin host without a port matches every port.
 */
export function isOnlyAdminHost({ adminHost }: Deployment, { host, hostname }: URL): boolean {
  return adminHost === host || adminHost === hostname
}

/**
 * Returns the admin token, or null if it is unset. Throws SettingsError if the token is too short or too long, or if a
 * header cannot contain it.
 */
export function readAdminToken(variables: Variables): string | null {
  return readToken('ADMIN_TOKEN', variables)
}

/** Returns the token that only reads metrics, or null if it is unset. Throws SettingsError as `readAdminToken` does. */
export function readMetricsToken(variables: Variables): string | null {
  return readToken('METRICS_TOKEN', variables)
}

function readToken(name: 'ADMIN_TOKEN' | 'METRICS_TOKEN', variables: Variables): string | null {
  const token = variables[name] ?? ''
  if (token === '') return null
  if (token.length >= TOKEN_MIN && token.length <= TOKEN_MAX && /^[\x21-\x7e]*$/.test(token)) return token
  const message =
    token.length < TOKEN_MIN
      ? `must have at least ${TOKEN_MIN} characters, got ${token.length}`
      : `must have at most ${TOKEN_MAX} characters, all of them printable ASCII and none a space or a line break`
  throw new SettingsError([{ path: name, message }])
}

/** Variables from a command line are text. Those of wrangler.toml are data. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    throw new SettingsError([{ path: 'ROOMS', message: 'must be JSON' }])
  }
}

/** Returns a problem if the dashboard shares a host with a room: a script on a shop's page could read the dashboard. */
function adminClash(adminHost: string | undefined, rooms: readonly RoomConfig[]): SettingsProblem[] {
  if (!adminHost || adminHost === '*') return []
  const hostname = adminHost.toLowerCase().replace(/:\d+$/, '')
  const clash = rooms.find(room => routesOf(room).some(({ host }) => host === hostname))
  return clash
    ? [{ path: 'ADMIN_HOST', message: `must not be a room's host, got ${adminHost}, the host of ${clash.name}` }]
    : []
}

/**
 * Returns a problem if no header with visitors' addresses is trusted. Then each address is that of the connection.
 * Behind a proxy, every visitor seems to have the address of the proxy, so this address must not let requests through.
 */
function hiddenVisitors({ ORIGIN_ADDRESSES, TRUSTED_IP_HEADER }: z.output<typeof deploymentSchema>): SettingsProblem[] {
  if (TRUSTED_IP_HEADER !== '') return []
  return ORIGIN_ADDRESSES.flatMap((address, index) => {
    const why = 'behind a proxy every visitor may have such an address'
    const message = `must be public where TRUSTED_IP_HEADER names no header: ${why}, got ${show(address)}`
    return isPublic(address) ? [] : [{ path: `ORIGIN_ADDRESSES[${index}]`, message }]
  })
}

function isOneSegment(text: string): boolean {
  return /^\/[\w.-]+$/.test(text)
}

/** Returns whether a text is only scheme, host and port. Any other part would be ignored silently. */
export function isOriginUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash, username } = new URL(text)
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === '' && username === ''
}
