/** The promises of the regions: which of them a path belongs to, and which requests may pass there. */
import type { Sent, Tokens } from './draft.ts'
import type { Arrival } from './origin.ts'
import { queryOf, valuesOfParameter } from './queries.ts'
import { isUnder, readings, withoutEnd, withoutFormat } from './readings.ts'
import { type Bypass, CALL, PASSTHROUGH_HOST, REGIONS, type Region, SECRET, WELL_KNOWN } from './regions.ts'
import { fieldOf, valuesOf } from './wire.ts'

export type Reason =
  | 'the room lets everything pass'
  | 'a bypass rule'
  | 'a well-known file'
  | 'a pass'
  | 'a preflight'
  | 'the room is open'

/** The regions that any reading of a path belongs to. */
export function regionsOf(host: string, path: string): readonly Region[] {
  const ofHost = REGIONS.filter(region => matchesHost(host, region.host)).sort((a, b) => b.path.length - a.path.length)
  const found = new Set<Region>()
  for (const reading of readings(path).flatMap(one => [one, withoutFormat(one)])) {
    const region = ofHost.find(one => isUnder(reading, one.path))
    if (region) found.add(region)
  }
  return [...found]
}

/** Lower case, without the port of http and one trailing dot. */
export function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/:(80)?$/, '')
    .replace(/\.$/, '')
}

export function isKnownHost(host: string): boolean {
  return hostname(host) === PASSTHROUGH_HOST || REGIONS.some(region => matchesHost(host, region.host))
}

/** The reason for which one region allows a request to reach the origin; null for none. */
export function reasonFor(region: Region, sent: Sent, arrival: Arrival, tokens: Tokens): Reason | null {
  if (region.gate === 'passes') return 'the room lets everything pass'
  if (region.bypass.some(rule => isBypassed(rule, sent, arrival))) return 'a bypass rule'
  if (region.path === '/' && isWellKnown(arrival)) return 'a well-known file'
  const paths = pathsOf(arrival)
  const isClosed = region.closedUnder.some(prefix => paths.some(path => isUnder(path, prefix)))
  const { insideUnder } = region
  // The insider has a place, so any reading of a protected path counts.
  const isInside = insideUnder !== null && paths.some(path => isUnder(path, insideUnder))
  if (!isClosed && isInside && isOfInsider(region, sent, arrival, tokens)) return 'a pass'
  if (region.forwardsPreflights && isPreflight(arrival)) return 'a preflight'
  return region.gate === 'open' && !isClosed ? 'the room is open' : null
}

/** Whether a limit applies to this request of the insider. The insider's allowance is used up from the start. */
export function isOverLimit(region: Region, arrival: Arrival, tokens: Tokens): boolean {
  if (region.gate === 'passes' || region.bypass.some(rule => isBypassed(rule, null, arrival))) return false
  if (!sessionsOf(arrival).includes(tokens.get(`session:${region.name}`) ?? '')) return false
  const paths = pathsOf(arrival).flatMap(path => [path, withoutEnd(path), withoutFormat(withoutEnd(path))])
  return region.limits.some(
    ({ methods, paths: limited }) =>
      (methods?.includes(arrival.method) ?? true) && (limited?.some(path => paths.includes(path)) ?? true),
  )
}

/** A CORS preflight, as the origin sees it. */
export function isPreflight({ method, headers }: Pick<Arrival, 'method' | 'headers'>): boolean {
  return (
    method === 'OPTIONS' &&
    fieldOf(headers, 'origin') !== null &&
    fieldOf(headers, 'access-control-request-method') !== null
  )
}

/** At the origin a rule holds only where every server would read the path as the rule does. */
export function isBypassed(rule: Bypass, sent: Sent | null, { method, target, headers }: Arrival): boolean {
  const plain = readings(pathOf(target)).filter(path => !/%[\da-f]{2}/i.test(path))
  const cookies = (fieldOf(headers, 'cookie') ?? '').split(/[;,]/).map(pair => pair.trim())
  return (
    (rule.path === undefined || plain.every(path => path.startsWith(`${rule.path}/`))) &&
    (rule.methods?.includes(method) ?? true) &&
    (rule.header === undefined || fieldOf(headers, rule.header) === SECRET) &&
    (rule.cookie === undefined ||
      cookies.some(pair => [`${rule.cookie}=${SECRET}`, `${rule.cookie}="${SECRET}"`].includes(pair))) &&
    (rule.network === undefined || sent?.draft.from === rule.network) &&
    (rule.parameter === undefined ||
      valuesOfParameter(queryOf(target), rule.parameter).every(value => value?.startsWith(CALL))) &&
    (rule.except === undefined || valuesOfParameter(queryOf(target), rule.except).every(value => value === null))
  )
}

/** Whether every server would serve a file for this request. A query could choose another page. */
function isWellKnown({ method, target }: Arrival): boolean {
  const plain = readings(pathOf(target)).filter(path => !/%[\da-f]{2}/i.test(path))
  const isFile = (path: string) =>
    WELL_KNOWN.some(known => path === known || (known.endsWith('/') && path.startsWith(known)))
  return ['GET', 'HEAD'].includes(method) && queryOf(target) === '' && plain.every(isFile)
}

/** The path of a target, also of a target that begins with a scheme and a host. */
export function pathOf(target: string): string {
  return target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
}

function pathsOf({ target }: Arrival): readonly string[] {
  return readings(pathOf(target))
}

/** The visitor has sent the insider's own pass, and the origin has received its session. */
function isOfInsider({ name }: Region, sent: Sent, arrival: Arrival, tokens: Tokens): boolean {
  const pass = tokens.get(`pass:${name}`)
  const session = tokens.get(`session:${name}`)
  return (
    pass !== undefined && session !== undefined && sent.text.includes(pass) && sessionsOf(arrival).includes(session)
  )
}

function sessionsOf({ headers }: Arrival): readonly string[] {
  return valuesOf(headers, 'waiting-room-session').flatMap(value => value.split(', '))
}

function hostname(host: string): string {
  return plainHost(host.replace(/:\d*$/, ''))
}

function matchesHost(host: string, pattern: string): boolean {
  const name = hostname(host)
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
}
