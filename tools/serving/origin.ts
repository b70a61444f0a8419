/**
 * Where admitted requests go, and which Host the origin sees. The same rules hold for flags and for the configuration.
 */
import ipaddr from 'ipaddr.js'
import { isOriginUrl, ORIGIN_FORM } from '../../src/settings/deployment.ts'
import { show } from '../../src/settings/messages.ts'
import { type Given, UsageError } from '../support/cli.ts'

export const ORIGIN_FLAGS = {
  origin: { value: 'URL', help: 'where admitted requests go' },
  'origin-host-header': {
    value: 'visitor|origin',
    help: "the Host that the origin sees; ORIGIN_HOST_HEADER, or the visitor's on a private origin, otherwise",
  },
}

type HostHeader = 'visitor' | 'origin'

/** Variables of a configuration, before they are checked. */
type Vars = Readonly<Record<string, unknown>>

/**
 * Returns the origin of `--origin`, or else of the configuration, or else null. Throws UsageError if `--origin` is
 * wrong.
 */
export function originOf(given: Given, { ORIGIN }: Vars): string | null {
  const named = given.origin
  if (named === undefined) return typeof ORIGIN === 'string' && isOriginUrl(ORIGIN) ? new URL(ORIGIN).origin : null
  if (isOriginUrl(named)) return new URL(named).origin
  throw new UsageError(`--origin must be ${ORIGIN_FORM}, got ${show(named)}`)
}

/** A private origin gets the visitor's Host by default: it usually builds addresses of the site from the Host. */
export function hostHeaderOf(given: Given, { ORIGIN_HOST_HEADER }: Vars, origin: string): HostHeader {
  const named = given['origin-host-header'] ?? ORIGIN_HOST_HEADER
  if (named === 'visitor' || named === 'origin') return named
  if (given['origin-host-header'] === undefined) return isPrivate(origin) ? 'visitor' : 'origin'
  throw new UsageError(`--origin-host-header must be visitor or origin, got ${show(named)}`)
}

/**
 * Whether an address is on this machine or in its own network, judged by the address alone. A name without a dot
 * belongs to a local network. Reserved ranges, such as those for documentation, are not public addresses either.
 */
export function isPrivate(origin: string): boolean {
  const host = new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() !== 'unicast'
  return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa|test)$/.test(host)
}
