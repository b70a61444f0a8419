/**
 * The site that is fuzzed. It has a room for each state that a room can have. A region describes the promises of its
 * room in its own terms. The settings of the rooms are only passed to the Worker.
 */

export const SITE_HOST = 'site.test'
export const CONTROL_PREFIX = '/.waiting-room'
export const ADMIN_HOST = 'admin.test'
/** Requests to this host reach the origin without a room. */
export const PASSTHROUGH_HOST = 'plain.test'
/** The network of drafts whose `from` is `trusted`. `SECRET` is the value that the other bypass rules require. */
const TRUSTED_NETWORK = '127.7.0.0/16'
export const SECRET = 'open-sesame'
/** The beginning of the value that a bypass rule for a parameter requires. */
export const CALL = 'wc_'

/**
 * One way past a room. `path` covers all paths below it. Each condition must hold at the origin as it did at the edge.
 */
export interface Bypass {
  readonly path?: string
  readonly methods?: readonly string[]
  readonly header?: string
  readonly cookie?: string
  readonly network?: 'trusted'
  /** A parameter whose value begins with `CALL`, as every server reads the query. */
  readonly parameter?: string
  /** A parameter: if any server would find it in the query, the rule does not hold. */
  readonly except?: string
}

/** Requests that are limited once the session's allowance is used up. */
export interface Limit {
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
}

export interface Region {
  readonly name: string
  readonly host: string
  readonly path: string
  /**
   * `shut`: only the room's own insider passes. `open`: newcomers pass, too. `passes`: every request passes without a
   * place.
   */
  readonly gate: 'shut' | 'open' | 'passes'
  /** The insider's pass opens this path and all paths below it; null if it opens none. */
  readonly insideUnder: string | null
  /** Paths that are closed to all visitors, whatever the state of the room. */
  readonly closedUnder: readonly string[]
  readonly bypass: readonly Bypass[]
  readonly limits: readonly Limit[]
  /** Whether a CORS preflight goes on to the origin. Otherwise the edge answers it. */
  readonly forwardsPreflights: boolean
  /** Override headers that the room lets through. */
  readonly overrides: readonly string[]
  /** The status of answers to waiting visitors. */
  readonly waitingStatus: number
  /** The settings from the start on. `live` has the settings that change after the insider was admitted. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly live: Readonly<Record<string, unknown>> | null
}

type Given = { readonly name: string } & Partial<Region>

const HOUR_MS = 3_600_000
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString()
const EVENT = {
  name: 'sale',
  prequeue_start_time: inHours(-0.1),
  event_start_time: inHours(12),
  event_end_time: inHours(24),
}
const HELD = { queue_all: true }
/** An operator's own page in which a visitor cannot insert markup. */
const OWN_PAGE = '<p>{{{site}}} {{statusUrl}}</p>'

/** If several paths match, the region with the longest path counts, as it does for rooms. */
export const REGIONS: readonly Region[] = [
  region({ name: 'open' }),
  shut({ name: 'held' }),
  ...[200, 202, 429].map(code =>
    shut({
      name: `held-${code}`,
      waitingStatus: code,
      settings: { queueing_status_code: code, custom_page_html: code === 202 ? OWN_PAGE : '' },
    }),
  ),
  shut({ name: 'no-rate', live: { new_users_per_minute: 0 } }),
  shut({ name: 'full', settings: { total_active_users: 1 }, live: null }),
  shut({ name: 'rejecting', settings: { total_active_users: 1 }, live: { queueing_method: 'reject' } }),
  shut({ name: 'invited', live: { invite_only: true } }),
  shut({ name: 'sold-out', live: { remaining: 0, when_sold_out: 'reject' } }),
  shut({ name: 'before', live: { events: [EVENT] } }),
  shut({
    name: 'down',
    insideUnder: '/down/pay',
    bypass: [{ path: '/down/hook' }],
    settings: { protected_paths: ['/down/pay', '/down/pay/*'] },
    live: { health_pins: { breakers: { origin: 'open' } } },
  }),
  region({
    name: 'part',
    closedUnder: ['/part/pay', '/part/old'],
    settings: {
      upstreams: [
        { name: 'pay', paths: ['/part/pay', '/part/pay/*'] },
        { name: 'old', paths: ['/part/old', '/part/old/*'], fallback: { answer: 'redirect', to: '/part/sorry' } },
      ],
    },
    live: { health_pins: { breakers: { pay: 'open', old: 'open' } } },
  }),
  shut({
    name: 'answering',
    forwardsPreflights: false,
    settings: { preflights: 'answer', cors_origins: ['https://elsewhere.test'] },
  }),
  passing({ name: 'watched', settings: { mode: 'observe' }, live: HELD }),
  passing({ name: 'through', live: { queueing_method: 'passthrough' } }),
  passing({ name: 'off', limits: [{}], live: { suspended: true } }),
  shut({
    name: 'hooks',
    bypass: [
      { path: '/hooks/in', methods: ['POST'] },
      { header: 'x-monitor' },
      { cookie: 'staff' },
      { network: 'trusted', methods: ['GET'] },
    ],
  }),
  shut({
    name: 'called',
    bypass: [{ path: '/called/in', methods: ['POST'], parameter: 'call', except: 'add' }],
  }),
  // `/outer/inner.json` falls under both rooms.
  region({ name: 'outer', bypass: [{ header: 'x-monitor' }] }),
  shut({ name: 'inner', path: '/outer/inner' }),
  region({ name: 'lax', bypass: [{ header: 'x-monitor' }] }),
  region({ name: 'laxer', path: '/lax/inner', overrides: ['x-original-url', 'x-http-method-override'] }),
  region({
    name: 'limited',
    bypass: [{ path: '/limited/hook' }],
    limits: [{ methods: ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'] }, { paths: ['/limited/login'] }],
  }),
  shut({ name: 'whole', host: 'held.test', path: '/' }),
  shut({ name: 'wild', host: '*.wild.test', path: '/' }),
]

/** Addresses that every room at the root of a host lets by, where they have no query. */
export const WELL_KNOWN = ['/robots.txt', '/sitemap.xml', '/favicon.ico', '/ads.txt', '/.well-known/']

/** Settings as the Worker reads them. */
export function roomOf(region: Region): Record<string, unknown> {
  return {
    name: region.name,
    host: region.host,
    path: region.path,
    total_active_users: 10_000_000,
    new_users_per_minute: 1_000_000,
    // Insiders stay inside for the whole run.
    session_duration: 720,
    // The origin's health is not under test here.
    health: { mode: 'off' },
    bypass: region.bypass.map(bypassRule),
    allowed_override_headers: region.overrides,
    rate_limits: [
      { name: 'session', count: 600, period: 60, mode: 'off' },
      ...region.limits.map((match, index) => ({
        name: `limit-${index}`,
        match,
        count: 1,
        period: 86_400,
      })),
    ],
    ...region.settings,
  }
}

function bypassRule({ path, methods, header, cookie, network, parameter, except }: Bypass): Record<string, unknown> {
  return {
    ...(path ? { path: `${path}/*` } : {}),
    ...(methods ? { methods } : {}),
    ...(header ? { header: { name: header, value: SECRET } } : {}),
    ...(cookie ? { cookie: { name: cookie, value: SECRET } } : {}),
    ...(network ? { cidr: [TRUSTED_NETWORK] } : {}),
    ...(parameter ? { query: { name: parameter, prefix: CALL } } : {}),
    ...(except ? { not: [{ query: { name: except } }] } : {}),
  }
}

function region(given: Given): Region {
  return {
    host: SITE_HOST,
    path: `/${given.name}`,
    gate: 'open',
    insideUnder: '/',
    closedUnder: [],
    bypass: [],
    limits: [],
    forwardsPreflights: true,
    overrides: [],
    waitingStatus: 503,
    settings: {},
    live: null,
    ...given,
  }
}

function shut(given: Given): Region {
  return region({ gate: 'shut', live: HELD, ...given })
}

function passing(given: Given): Region {
  return region({ gate: 'passes', ...given })
}
