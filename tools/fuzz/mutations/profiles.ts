/** Usual requests, as clients send them, before a mutation changes them. */
import type { Random } from '../../simulation/random.ts'
import { type Draft, lengthOf } from '../draft.ts'
import { CALL, REGIONS, type Region, SITE_HOST, WELL_KNOWN } from '../regions.ts'
import { pick } from './choice.ts'
import { PARAMETERS_OF_RULES } from './targets.ts'

const PAGE = ['Accept: text/html,application/xhtml+xml', 'Sec-Fetch-Dest: document', 'Sec-Fetch-Mode: navigate']
const FORM = 'Content-Type: application/x-www-form-urlencoded'
const JSON_BODY = 'Content-Type: application/json'

interface Profile {
  readonly methods: readonly string[]
  readonly lines: readonly string[]
  readonly body?: string
}

const PROFILES: readonly Profile[] = [
  { methods: ['GET', 'GET', 'HEAD'], lines: PAGE },
  { methods: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'], lines: ['Accept: application/json'] },
  { methods: ['GET'], lines: ['Accept: image/avif,*/*', 'Sec-Fetch-Dest: image', 'Sec-Fetch-Mode: no-cors'] },
  { methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'], lines: [] },
  { methods: ['POST'], lines: [...PAGE, FORM, 'Origin: http://site.test'], body: 'sku=tea&n=1' },
  {
    methods: ['POST'],
    lines: [JSON_BODY, 'Stripe-Signature: t=1,v1=0', 'User-Agent: Stripe/1.0'],
    body: '{"type":"paid"}',
  },
  { methods: ['POST'], lines: [JSON_BODY, 'X-GitHub-Event: push', 'Accept: */*'], body: '{"ref":"main"}' },
  { methods: ['POST'], lines: [FORM, 'User-Agent: PayPal IPN'], body: 'payment_status=Completed' },
  { methods: ['POST', 'PUT', 'PATCH'], lines: ['Content-Type: text/plain', 'Accept: */*'], body: 'plain' },
  {
    methods: ['OPTIONS'],
    lines: ['Origin: https://elsewhere.test', 'Access-Control-Request-Method: PUT', 'Sec-Fetch-Mode: cors'],
  },
  { methods: ['GET'], lines: [...PAGE, 'Sec-Purpose: prefetch;prerender'] },
  {
    methods: ['GET'],
    lines: [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ],
  },
]

const BELOW = ['', '/', '/a', '/a/b', '/start', '/login/', '/hook/a', '/a.json', '/a.css']

export function profile(random: Random): Draft {
  const { methods, lines, body = '' } = pick(random, PROFILES)
  const region = pick(random, REGIONS)
  const method = region.name === 'called' && random.chance(0.5) ? 'POST' : pick(random, methods)
  // Some rules of the region `hooks` require the trusted network.
  const from = region.name === 'hooks' && random.chance(0.3) ? 'trusted' : 'ordinary'
  return {
    from,
    method,
    target: targetIn(random, region),
    version: 'HTTP/1.1',
    lines: [`Host: ${hostOf(region)}`, ...lines, ...(body ? [`Content-Length: ${lengthOf(body)}`] : [])],
    lineEnd: '\r\n',
    body,
    content: body,
  }
}

/** A well-known file mostly gets no query. Its number is in a header, as it is for every request. */
function targetIn(random: Random, region: Region): string {
  if (region.path === '/' && random.chance(0.3)) {
    const known = pick(random, WELL_KNOWN)
    return `${known}${known.endsWith('/') ? 'a' : ''}${random.chance(0.2) ? '?fz={id}' : ''}`
  }
  if (region.name === 'called' && random.chance(0.8)) return `/called/in/a?${calling(random)}`
  return `${pathIn(random, region)}?fz={id}`
}

/** A query with the parameter of the region `called`, often beside another spelling of it. */
function calling(random: Random): string {
  const call = `call=${CALL}x`
  const other = pick(random, PARAMETERS_OF_RULES)
  return pick(random, [`fz={id}&${call}`, `fz={id}&${call}&${other}`, `fz={id}&${other}&${call}`, `fz={id}&${other}`])
}

/** A path in a region, often one that a rule of the region names; sometimes a path outside all rooms. */
function pathIn(random: Random, region: Region): string {
  if (random.chance(0.03)) return `/free${pick(random, BELOW)}`
  const named = namedBy(region)
  if (named.length > 0 && random.chance(0.4)) return pick(random, named)
  const path = `${region.path === '/' ? '' : region.path}${pick(random, BELOW)}`
  // A path with a format (`.json`) belongs to both the inner and the outer room.
  return path.endsWith('/inner') && random.chance(0.5) ? `${path}.json` : path || '/'
}

function namedBy({ bypass, closedUnder, limits, insideUnder }: Region): readonly string[] {
  const bypassed = bypass.flatMap(({ path }) => (path === undefined ? [] : [`${path}/a`, `${path}/a/b`]))
  const inside = insideUnder === null || insideUnder === '/' ? [] : [insideUnder]
  return [...bypassed, ...closedUnder, ...inside, ...limits.flatMap(({ paths = [] }) => paths)]
}

export function hostOf({ host }: Region): string {
  return host === SITE_HOST ? host : host.replace('*', 'a')
}
