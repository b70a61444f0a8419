import fc from 'fast-check'
import { CompactSign } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { type KeyRing, openKeyRing } from '../../src/tokens/keyring.ts'
import { newKeys } from '../../src/tokens/rotation.ts'
import { passFor, readToken, signPass, signTicket } from '../../src/tokens/tokens.ts'

const NOW = 1_700_000_000_000
const SID = 'eu-0.AAAAAAAAAAAAAAAAAAAAAA'

let ring: KeyRing
/** The same keys for a reader that knows no header. It passes every token to jose. */
let joseOnly: KeyRing
let ours: string[]

beforeAll(async () => {
  ring = await openKeyRing(JSON.stringify({ keys: await newKeys('one') }))
  const byHeader = new Map()
  joseOnly = { ...ring, tickets: { ...ring.tickets, byHeader }, passes: { ...ring.passes, byHeader } }
  const place = { key: NOW - 5_000.25, lane: 'main', confirmed: true, low: 17, waitMs: 40_000, byMs: null }
  const ticket = { room: 'shop', sid: SID, ...place, generation: 3, issuedMs: NOW }
  ours = [
    await signTicket(ring, ticket),
    await signTicket(ring, { ...ticket, lane: 'Größe €' }),
    await signPass(ring, passFor({ room: 'shop', sid: SID, generation: 3, issuedMs: NOW }, NOW + 300_000)),
  ]
})

/** Signs a header and a payload by jose, with the key of a kind. */
function byJose(header: object, payload: string, kind: 'tickets' | 'passes'): Promise<string> {
  const protectedHeader = header as { alg: string }
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader(protectedHeader)
    .sign(ring[kind].sign.key)
}

/** Reads a text both ways. Returns what both found. */
async function readBothWays(text: string) {
  const found = await readToken(ring, text, 'shop', NOW)
  expect(found, text).toEqual(await readToken(joseOnly, text, 'shop', NOW))
  return found
}

function textOf(text: string, index: number): string {
  return new TextDecoder().decode(Buffer.from(text.split('.')[index] ?? '', 'base64url'))
}

describe('a token of ours', () => {
  it('has the bytes that jose would write', async () => {
    for (const text of ours) {
      const header = JSON.parse(textOf(text, 0)) as { alg: string }
      const kind = header.alg === 'HS256' ? 'tickets' : 'passes'
      expect(text).toBe(await byJose(header, textOf(text, 1), kind))
    }
  })

  it('is accepted both by its header and by jose', async () => {
    const kinds = []
    for (const text of ours) kinds.push((await readBothWays(text)).kind)
    expect(kinds).toEqual(['ticket', 'ticket', 'pass'])
  })

  it('is accepted from a tool that writes its header in another order', async () => {
    const { kid } = ring.tickets.sign
    const text = await byJose({ kid, typ: 'ticket+jwt', alg: 'HS256' }, textOf(ours[0] ?? '', 1), 'tickets')
    expect((await readBothWays(text)).kind).toBe('ticket')
  })

  it('is refused in both ways after any damage', async () => {
    const piece = fc.oneof(
      fc.constantFrom('', '.', '=', '-', '_', 'A', 'B', '+', '/', ' ', '\n', '\0', 'é', '..', '.AA'),
      fc.string({ maxLength: 4 }),
    )
    const damage = fc.record({ of: fc.nat(2), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(3), piece })
    await fc.assert(
      fc.asyncProperty(damage, async ({ of, at, cut, piece }) => {
        const whole = ours[of] ?? ''
        const from = Math.floor(at * (whole.length + 1))
        const text = whole.slice(0, from) + piece + whole.slice(from + cut)
        const { kind } = await readBothWays(text)
        if (text !== whole) expect(kind).toMatch(/none|unknown/)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is refused in both ways with parts of another token', async () => {
    const parts = ours.map(text => text.split('.'))
    for (const [a = ''] of parts)
      for (const [, b = ''] of parts)
        for (const [, , c = ''] of parts) {
          const text = [a, b, c].join('.')
          if (!ours.includes(text)) expect((await readBothWays(text)).kind).toBe('none')
        }
  })
})

describe('a payload that the key has signed', () => {
  it('is read alike in both ways, whatever it contains', async () => {
    const claim = fc.oneof(fc.jsonValue(), fc.constantFrom('shop', SID, NOW, NOW / 1_000 + 60, true, null, 1))
    const names = ['aud', 'sub', 'key', 'lane', 'cnf', 'low', 'by', 'gen', 'iat', 'exp', 'wait', 'taken', 'event']
    const changed = fc.array(fc.tuple(fc.constantFrom(...names), claim), { maxLength: 2 })
    const payload = fc.oneof(
      changed.map(changes =>
        JSON.stringify({ ...JSON.parse(textOf(ours[0] ?? '', 1)), ...Object.fromEntries(changes) }),
      ),
      fc.json(),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(payload, async text => {
        const { kid } = ring.tickets.sign
        await readBothWays(await byJose({ alg: 'HS256', typ: 'ticket+jwt', kid }, text, 'tickets'))
      }),
      { numRuns: 500 },
    )
  })
})
