/** Addresses and ranges of them, as operators write them. */
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** A session sends many requests from one address, and the library takes ten microseconds to read one. */
const KNOWN_MAX = 1_000

export function isCidr(text: string): boolean {
  return ipaddr.isValidCIDR(text)
}

export class AddressRanges {
  readonly #ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][]
  readonly #known = new LRUCache<string, boolean>({ max: KNOWN_MAX })

  /** Each range is valid: `isCidr`. */
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
