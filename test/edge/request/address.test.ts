import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { addressIn, addressOf, networkOf } from '../../../src/edge/request/address.ts'
import { newEdge, send, settled } from '../../support/workerd/visitor.ts'

afterAll(settled)

const byte = fc.nat(255)
const ipv4 = fc.tuple(byte, byte, byte, byte).map(parts => parts.join('.'))
const ipv6 = fc
  .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
  .map(parts => parts.map(part => part.toString(16)).join(':'))
const port = fc.integer({ min: 1, max: 65_535 })
/** Forms in which proxies and runtimes write an IPv4 address, and below an IPv6 address. */
const ofIpv4: ((address: string, port: number) => string)[] = [
  address => address,
  (address, port) => `${address}:${port}`,
  address => `  ${address} `,
  address => `"${address}"`,
  address => `::ffff:${address}`,
  (address, port) => `[::ffff:${address}]:${port}`,
  address => `for=${address}`,
  (address, port) => `For="${address}:${port}";proto=https;by=203.0.113.43`,
]
const ofIpv6: typeof ofIpv4 = [
  address => address,
  address => address.toUpperCase(),
  address => `[${address}]`,
  (address, port) => `[${address}]:${port}`,
  address => `${address}%eth0`,
  (address, port) => `[${address}%25en1]:${port}`,
  (address, port) => `for="[${address}]:${port}"`,
  address => `proto=https; for="[${address}]";host="a, b"`,
]
const written = fc.oneof(
  fc.record({ address: ipv4, port, write: fc.constantFrom(...ofIpv4) }),
  fc.record({ address: ipv6, port, write: fc.constantFrom(...ofIpv6) }),
)

describe('an address', () => {
  it('has one form, however it is written and whatever stands before it', () => {
    fc.assert(
      fc.property(
        written,
        fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 }),
        ({ address, port, write }, before) => {
          const canonical = addressOf(address)
          expect(canonical).not.toBeNull()
          expect(addressOf(canonical ?? '')).toBe(canonical)
          const header = [...before, write(address, port)].join(', ')
          expect([addressIn(header), networkOf(write(address, port))]).toEqual([canonical, networkOf(address)])
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each([
    ['198.51.100.9:4711', '198.51.100.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['for="[2001:db8::1]:443"', '2001:db8::1'],
    ['for=192.0.2.43, for="[2001:DB8:cafe:0::17]:4711"', '2001:db8:cafe::17'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:198.51.100.9', '198.51.100.9'],
    ['for=198.51.100.9;host="x,for=6.6.6.6"', '198.51.100.9'],
    ['by=203.0.113.43;for="198.51.100.9:_port"', '198.51.100.9'],
    ['host="a;for=6.6.6.6";for=198.51.100.9', '198.51.100.9'],
    ['for="6.6.6.6, for="[2001:db8::1]:443"', '2001:db8::1'],
  ])('in %s is %s', (header, address) => {
    expect(addressIn(header)).toBe(address)
  })

  it.each([
    ...['', ',', '198.51.100.9,', 'unknown', 'for=unknown', 'for=_hidden', 'by=198.51.100.9', 'unix:', 'localhost'],
    ...[
      '198.51.100',
      '0x7f.1',
      '010.0.0.1',
      '::ffff:010.0.0.1',
      '1.2.3.4.5',
      '300.1.1.1',
      '1::2::3',
      ':::',
      '[',
      '[]:80',
    ],
    ...['198.51.100.9 6.6.6.6', '198.51.100.9%eth0', '198.51.100.9/24', `for=${'1'.repeat(300)}`],
  ])('is none in %j', header => {
    expect([addressIn(header), networkOf(header)]).toEqual([null, null])
  })

  it('is parsed from any text without an error, or is null', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: 'binary' }), text => {
        const address = addressIn(text)
        if (address !== null) expect(addressOf(address)).toBe(address)
      }),
    )
  })
})

describe('a network', () => {
  it('is a /24 or a /64', () => {
    expect(networkOf('81.2.69.7')).toBe(networkOf('81.2.69.200'))
    expect(networkOf('81.2.69.7')).not.toBe(networkOf('81.2.70.7'))
    expect(networkOf('2a00:1450:4001:82b::1')).toBe(networkOf('2a00:1450:4001:82b:9::ffff'))
    expect(networkOf('2a00:1450:4001:82b::1')).not.toBe(networkOf('2a00:1450:4001:82c::1'))
    expect(networkOf('[2a00:1450:4001:82b::1]:443')).toBe(networkOf('2a00:1450:4001:82b::1'))
  })

  it.each(['127.0.0.1', '10.1.2.3', 'fe80::1%eth0', '::1', 'unknown', null])(
    'is null for %s, which identifies no network',
    text => {
      expect(networkOf(text)).toBeNull()
    },
  )
})

describe('a rule by address', () => {
  it.each([
    '198.51.100.9',
    '198.51.100.9:4711',
    '[::ffff:198.51.100.9]:80',
    'for="198.51.100.9:1"',
    '6.6.6.6, 198.51.100.9:1',
  ])('lets %s by, and sends the origin the plain address', async address => {
    const headers = { Accept: 'text/html', 'CF-Connecting-IP': address }
    const { atOrigin } = await send(newEdge(), new Request('https://addressed.test/', { headers }))
    expect(atOrigin?.headers['x-forwarded-for']).toBe('198.51.100.9')
  })

  it.each(['198.51.100.9, 6.6.6.6', 'unknown', '198.51.101.9:4711'])('does not let %s by', async address => {
    const headers = { Accept: 'text/html', 'CF-Connecting-IP': address }
    expect((await send(newEdge(), new Request('https://addressed.test/', { headers }))).status).toBe(503)
  })
})
