/** Whether the origin received what was sent, and whether it may have received it at all (I3). */
import { NETWORKS, type Sent, type Tokens } from './draft.ts'
import type { Arrival } from './origin.ts'
import {
  isKnownHost,
  isOverLimit,
  isPreflight,
  pathOf,
  plainHost,
  type Reason,
  reasonFor,
  regionsOf,
} from './promises.ts'
import { withoutDots } from './readings.ts'
import { CONTROL_PREFIX, type Region } from './regions.ts'
import { fieldOf, valuesOf } from './wire.ts'

/** Forged values begin with this. None may reach an origin in a header that proxies or routers set. */
export const FORGED = 'forged'
/** RFC 9110 section 7.6.1. */
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer']
const CREDENTIALS = ['cookie', 'authorization', 'waiting-room-pass', 'waiting-room-session']

/** Each fault in a few words. The same fault always has the same words. */
export function faultsOfArrival(sent: Sent, arrival: Arrival, tokens: Tokens, sendsHost: boolean): readonly string[] {
  const regions = regionsOf(hostAt(arrival, sendsHost), pathOf(arrival.target))
  const reasons = regions.map(region => reasonFor(region, sent, arrival, tokens))
  const faults = [
    ...lineFaults(sent, arrival),
    ...hostFaults(sent, arrival, sendsHost),
    ...headerFaults(sent, arrival, regions, reasons),
    ...(reasons.includes('a preflight') ? preflightFaults(arrival) : bodyFaults(sent, arrival)),
  ]
  if (reasons.includes(null)) faults.push(`a request that was not let in reached the origin${as(sent, arrival)}`)
  else if (!reasons.includes('a preflight') && regions.some(region => isOverLimit(region, arrival, tokens)))
    faults.push('a limited request reached the origin')
  return faults
}

/** Names the part that has changed on the way. It distinguishes two causes of the same fault. */
function as({ draft, target }: Sent, arrival: Arrival): string {
  if (arrival.method !== draft.method) return ' with another method'
  return spellingsOf(target).includes(arrival.target) ? '' : ' with another target'
}

function lineFaults({ draft, target }: Sent, arrival: Arrival): string[] {
  const faults: string[] = []
  if (arrival.method !== draft.method) faults.push('the origin got another method')
  if (!spellingsOf(target).includes(arrival.target)) faults.push('the origin got another target')
  const path = URL.parse(`http://h${arrival.target}`)?.pathname ?? ''
  if (path.startsWith(`${CONTROL_PREFIX}/`)) faults.push('a path of the control prefix reached the origin')
  return faults
}

/**
 * Returns the path and query as they were sent, without dot segments (RFC 3986), and as the URL Standard writes them.
 * If the target is an address, the runtime uses the part after the host. An asterisk is no path.
 */
function spellingsOf(target: string): readonly string[] {
  if (target === '*') return []
  const local = target.startsWith('/') ? target : target.replace(/^([a-z][a-z\d+.-]*:\/\/)?[^/?#]*/i, '')
  const raw = local.replace(/#.*$/s, '')
  const [path = '', ...query] = (raw.startsWith('/') ? raw : `/${raw}`).split(/(?=\?)/)
  const url = URL.parse(`http://h${Buffer.from(raw, 'latin1').toString('utf8')}`)
  const spellings = [path, withoutDots(path)].map(one => one + query.join(''))
  return url ? [...spellings, url.pathname + url.search] : spellings
}

/** The host that the origin receives must be the requested one, and one of a room. */
function hostFaults({ headers, target }: Sent, arrival: Arrival, sendsHost: boolean): string[] {
  const [host = '', ...others] = valuesOf(headers, 'host').filter(isNotEmpty)
  const authority = /^https?:\/\/([^/?#]*)/i.exec(target)?.[1]
  const told = hostAt(arrival, sendsHost)
  const asked = [host, ...(authority === undefined ? [] : [authority])].map(plainHost)
  const faults: string[] = []
  if (others.length > 0) faults.push('a request with two hosts reached the origin')
  if (!/^([\w.-]+|\[[\da-f:.]+\])(:\d*)?$/i.test(told)) faults.push('a malformed host reached the origin')
  else if (!isKnownHost(told)) faults.push('a host of no room reached the origin')
  else if (!asked.includes(plainHost(told))) faults.push('the origin got another host')
  return faults
}

function hostAt({ headers }: Arrival, sendsHost: boolean): string {
  return fieldOf(headers, sendsHost ? 'host' : 'x-forwarded-host') ?? ''
}

function headerFaults(
  sent: Sent,
  { headers, method }: Arrival,
  regions: readonly Region[],
  reasons: readonly (Reason | null)[],
): string[] {
  const letBy: readonly (Reason | null)[] = ['a preflight', 'a bypass rule', 'a well-known file']
  const isLetBy = reasons.some(reason => letBy.includes(reason))
  const mayOverride = (name: string) =>
    !isLetBy && regions.length > 0 && regions.every(one => one.overrides.includes(name))
  const faults: string[] = []
  const address = fieldOf(headers, 'x-forwarded-for') ?? ''
  if (!address.startsWith(`${NETWORKS[sent.draft.from]}.`)) faults.push('the origin got another address')
  for (const [name, value] of headers) {
    // CGI treats `_` in a name as `-`.
    const meant = name.replaceAll('_', '-')
    if (value.includes(FORGED) && !mayOverride(meant)) faults.push(`the origin got the visitor's ${meant}`)
    if (HOP_BY_HOP.includes(name)) faults.push(`the origin got the hop-by-hop header ${name}`)
  }
  if (/antesala-/.test(fieldOf(headers, 'cookie') ?? '')) faults.push('the origin got our cookie')
  const isUpgrade = fieldOf(headers, 'upgrade') !== null || /upgrade/i.test(fieldOf(headers, 'connection') ?? '')
  if (isUpgrade && !(method === 'GET' && asksForSocket(sent))) faults.push('the origin got an upgrade to nothing')
  return faults
}

/**
 * Whether this is a valid WebSocket request (RFC 6455 section 4.2.1). `Connection` may be missing, because a platform
 * that handles connections itself may remove it.
 */
function asksForSocket({ draft: { method }, headers }: Sent): boolean {
  return (
    method === 'GET' &&
    valuesOf(headers, 'upgrade').filter(isNotEmpty).join().toLowerCase() === 'websocket' &&
    /(^|,)\s*upgrade\s*(,|$)/i.test(fieldOf(headers, 'connection') ?? 'upgrade') &&
    fieldOf(headers, 'sec-websocket-key') !== null &&
    fieldOf(headers, 'sec-websocket-version') === '13'
  )
}

/** The runtime ignores an empty line if another line has the same name. */
function isNotEmpty(value: string): boolean {
  return value !== ''
}

/** The Fetch Standard sends a preflight without credentials, and without a body. */
function preflightFaults({ headers, body }: Arrival): string[] {
  const faults = CREDENTIALS.filter(name => fieldOf(headers, name) !== null).map(
    name => `a preflight carried ${name} to the origin`,
  )
  return (body?.length ?? 0) > 0 ? [...faults, 'a preflight carried a body to the origin'] : faults
}

/** The body of a GET or HEAD has no meaning and must not be forwarded. The body of a preflight may be left out. */
function bodyFaults({ content }: Sent, arrival: Arrival): string[] {
  if (content === null) return []
  const { method } = arrival
  const body = arrival.body?.toString('latin1') ?? ''
  if (body === (method === 'GET' || method === 'HEAD' ? '' : content)) return []
  return body === '' && isPreflight(arrival) ? [] : ['the origin got another body']
}
