/**
 * Brings the addresses of visitors into one form. A proxy or the runtime may add a port, brackets or a zone, write the
 * `for=` of RFC 7239, or put IPv4 inside IPv6. A text without an address gives null. Nothing is guessed.
 */
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** A provider gives a customer a /64. Neighbours in a /24 share a router. */
const PREFIX_BITS = { ipv4: 24, ipv6: 64 } as const
/** A site, or a customer of a data centre, often has a whole /48, with 65,536 networks. */
const WIDER_BITS = 48
/**
 * The most characters that an address can have, with everything that may stand around it. A longer text is not parsed.
 */
const TEXT_MAX = 256
/**
 * Parsed addresses. A session sends many requests from one address, and the library takes ten microseconds to parse
 * one.
 */
const KNOWN = new LRUCache<string, { readonly address: string | null }>({ max: 10_000 })
/** Most addresses have this form already, and need no parsing. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/** One pair of a `Forwarded` element: its name, and its value in quotes or without. */
const PAIR = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*))\s*(?:;|$)/y
const BRACKETED = /^\[([^\]]*)\](?::[\w.-]*)?$/
const IPV4_WITH_PORT = /^([\d.]+):[\w.-]*$/

/**
 * Returns the address in the header of a trusted proxy. If there are several, the last one was added by our own proxy.
 */
export function addressIn(header: string | null): string | null {
  return header === null ? null : addressOf(lastOf(header))
}

/** Returns one address in its canonical form (RFC 5952), or null. */
export function addressOf(text: string): string | null {
  if (IPV4.test(text)) return text
  if (text.length > TEXT_MAX) return null
  const known = KNOWN.get(text)
  if (known) return known.address
  const address = parsed(text)?.toString() ?? null
  KNOWN.set(text, { address })
  return address
}

/**
 * Returns the network of an address. Returns null for an address that does not distinguish visitors. Behind a proxy
 * that the operator has not named, every visitor has the private address of the proxy. All of them would be one
 * network.
 */
export function networkOf(address: string | null): string | null {
  const canonical = unicast(address)
  return canonical && prefixOf(canonical, PREFIX_BITS[canonical.kind()])
}

/** Returns the /48 of an IPv6 address, which contains its network. Returns null for any other address. */
export function widerNetworkOf(address: string | null): string | null {
  const canonical = unicast(address)
  return canonical?.kind() === 'ipv6' ? prefixOf(canonical, WIDER_BITS) : null
}

function unicast(address: string | null): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const canonical = address === null ? null : parsed(address)
  return canonical?.range() === 'unicast' ? canonical : null
}

function prefixOf(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): string {
  return `${address
    .toByteArray()
    .slice(0, bits / 8)
    .join('.')}/${bits}`
}

/**
 * Returns the last element of a list. It searches from the end, because a visitor may have put an open quote at the
 * front.
 */
function lastOf(list: string): string {
  let isQuoted = false
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i] === '"') isQuoted = !isQuoted
    else if (list[i] === ',' && !isQuoted) return list.slice(i + 1)
  }
  return list
}

function parsed(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const element = text.trim()
  const node = element.includes('=') ? forOf(element) : element.replace(/^"(.*)"$/, '$1')
  if (node === null) return null
  const bare = BRACKETED.exec(node)?.[1] ?? IPV4_WITH_PORT.exec(node)?.[1] ?? node
  // A zone names a network interface of the machine that wrote the address. It means nothing here.
  const address = bare.includes(':') ? bare.replace(/%.*$/, '') : bare
  return isReadable(address) ? processed(address) : null
}

function processed(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  try {
    return ipaddr.process(text)
  } catch {
    // The library throws only if a text is no address.
    return null
  }
}

/**
 * True if every program reads the text as the same address. The library also accepts `1.2`, `0x7f.1` and `010.0.0.1`,
 * which other programs read as other addresses.
 */
function isReadable(text: string): boolean {
  const isDotted = text.includes('.') || !text.includes(':')
  return !isDotted || IPV4.test(text.slice(text.lastIndexOf(':') + 1))
}

/** Returns the `for` of a `Forwarded` element, or null when it has none or is malformed. */
function forOf(element: string): string | null {
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < element.length) {
    const pair = PAIR.exec(element)
    if (!pair) return null
    if (pair[1]?.toLowerCase() === 'for') return (pair[2] ?? pair[3] ?? '').replace(/\\(.)/g, '$1')
  }
  return null
}
