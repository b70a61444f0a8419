/** Addresses and ranges of addresses, as operators write them. */
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/**
 * The most parsed addresses in memory. A session sends many requests from one address, and the library takes ten
 * microseconds to parse an address.
 */
const KNOWN_MAX = 1_000

export function isCidr(text: string): boolean {
  return ipaddr.isValidCIDR(text)
}

/** The origin has one address or a few, so a larger range than this was mistyped. */
const PREFIX_BITS_MIN = { ipv4: 16, ipv6: 32 } as const
export const ORIGIN_ADDRESS_FORM = 'an address or a range of at most a /16 (/32 for IPv6)'
/** Private addresses, which proxies and the networks behind them use among themselves. */
const NOT_PUBLIC = ['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat', 'unspecified']

export function isOriginAddress(text: string): boolean {
  if (!isCidr(asRange(text))) return false
  const [address, bits] = ipaddr.parseCIDR(asRange(text))
  return bits >= PREFIX_BITS_MIN[address.kind()]
}

/**
 * True if the address is public. A proxy that hides the addresses of visitors usually has a private one, and then every
 * visitor seems to have it.
 */
export function isPublic(text: string): boolean {
  return !NOT_PUBLIC.includes(ipaddr.parseCIDR(asRange(text))[0].range())
}

/** Returns an address as a range that contains only this address. */
export function asRange(text: string): string {
  return text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`
}

export class AddressRanges {
  readonly #ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][]
  readonly #known = new LRUCache<string, boolean>({ max: KNOWN_MAX })

  /** Each range must be valid: see `isCidr`. */
  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.map(range => ipaddr.parseCIDR(range))
  }

  /** Returns whether an address is in any of the ranges. An unknown address is in none. */
  has(address: string | null): boolean {
    if (address === null || this.#ranges.length === 0) return false
    const known = this.#known.get(address)
    if (known !== undefined) return known
    const found = this.#find(address)
    this.#known.set(address, found)
    return found
  }

  #find(text: string): boolean {
    if (!ipaddr.isValid(text)) return false
    const address = ipaddr.process(text)
    return this.#ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range as never, bits))
  }
}
