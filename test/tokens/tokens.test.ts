import { base64url, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Ticket } from '../../src/core/ticket.ts'
import { type KeyRing, openKeyRing, type StoredKey } from '../../src/tokens/keyring.ts'
import { newKeys } from '../../src/tokens/rotation.ts'
import { passFor, readToken, signPass, signTicket } from '../../src/tokens/tokens.ts'

const NOW = 1_700_000_000_000
const ticket: Ticket = {
  room: 'shop',
  sid: 'eu-0.AAAAAAAAAAAAAAAAAAAAAA',
  key: NOW - 5_000.25,
  lane: 'main',
  confirmed: true,
  low: 17,
  waitMs: 40_000,
  byMs: null,
  generation: 3,
  issuedMs: NOW,
}

let keys: StoredKey[]
let ring: KeyRing
let ticketText: string
let passText: string

beforeAll(async () => {
  keys = await newKeys('one')
  ring = await openKeyRing(JSON.stringify({ keys }))
  ticketText = await signTicket(ring, ticket)
  passText = await signPass(
    ring,
    passFor({ room: 'shop', sid: ticket.sid, generation: 3, issuedMs: NOW }, NOW + 302_000),
  )
})

const read = (text: string, room = 'shop', nowMs = NOW) => readToken(ring, text, room, nowMs)

/** Returns the token with one part replaced. */
function withPart(text: string, index: number, part: string): string {
  return text
    .split('.')
    .map((old, i) => (i === index ? part : old))
    .join('.')
}

describe('a ticket', () => {
  it('is read back as it was signed', async () => {
    expect(await read(ticketText)).toEqual({ kind: 'ticket', ticket })
  })

  it('ends a day after it was signed', async () => {
    expect((await read(ticketText, 'shop', NOW + 24 * 3_600_000 - 1_000)).kind).toBe('ticket')
    expect((await read(ticketText, 'shop', NOW + 24 * 3_600_000 + 1_000)).kind).toBe('none')
  })
})

describe('a pass', () => {
  it('ends two seconds before its door ends the session', async () => {
    expect(await read(passText)).toMatchObject({ kind: 'pass', pass: { sid: ticket.sid, expiresMs: NOW + 300_000 } })
  })

  it('is authentic even after its expiry, because its door decides', async () => {
    expect((await read(passText, 'shop', NOW + 900_000)).kind).toBe('pass')
  })
})

describe('a token', () => {
  it('is invalid in another room', async () => {
    expect((await read(ticketText, 'other')).kind).toBe('none')
    expect((await read(passText, 'other')).kind).toBe('none')
  })

  it('is invalid when any character is changed', async () => {
    for (const text of [ticketText, passText]) {
      for (let i = 0; i < text.length; i++) {
        const other = text[i] === 'A' ? 'B' : 'A'
        const kind = (await read(text.slice(0, i) + other + text.slice(i + 1))).kind
        expect(kind, `character ${i}`).not.toMatch(/ticket|pass/)
      }
    }
  }, 30_000)

  it('is invalid with another last character that decodes to the same bytes', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const text of [ticketText, passText]) {
      const signature = text.split('.')[2] as string
      const bytes = base64url.decode(signature).join()
      const twins = [...alphabet]
        .map(last => signature.slice(0, -1) + last)
        .filter(twin => twin !== signature && base64url.decode(twin).join() === bytes)
      expect(twins.length).toBeGreaterThan(0)
      for (const twin of twins) expect((await read(withPart(text, 2, twin))).kind).toBe('none')
    }
  })

  it.each([
    ['nothing', () => ''],
    ['dots', () => '..'],
    ['two parts', () => ticketText.split('.').slice(0, 2).join('.')],
    ['four parts', () => `${ticketText}.AA`],
    ['a padded one', () => `${ticketText}=`],
    ['one with a space', () => `${ticketText} `],
    ['a cut one', () => ticketText.slice(0, -4)],
    ['2 MB of a', () => 'a'.repeat(2_000_000)],
    ['a header that is no JSON', () => withPart(ticketText, 0, base64url.encode('{'))],
    ['a header that is a number', () => withPart(ticketText, 0, base64url.encode('1'))],
    ['alg none', () => `${base64url.encode('{"alg":"none","typ":"ticket+jwt"}')}.${ticketText.split('.')[1]}.AA`],
  ])('is not %s', async (_name, text) => {
    expect(await read(text())).toEqual({ kind: 'none' })
  })

  it('is not a pass signed as HS256 with the public key as its secret', async () => {
    const [publicKey] = ring.jwks.keys
    const forged = await new SignJWT({ gen: 3 })
      .setProtectedHeader({ alg: 'HS256', typ: 'pass+jwt', kid: publicKey?.kid ?? '' })
      .setAudience('shop')
      .setSubject('x')
      .setIssuedAt(NOW / 1_000)
      .setExpirationTime(NOW / 1_000 + 60)
      .sign(base64url.decode(publicKey?.x ?? ''))
    expect((await read(forged)).kind).toBe('none')
  })

  it('is neither a ticket passed off as a pass, nor one with claims of the wrong type', async () => {
    const sign = (typ: string, claims: Record<string, unknown>) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ, kid: ring.tickets.sign.kid })
        .setAudience('shop')
        .setSubject('x')
        .setIssuedAt(NOW / 1_000)
        .setExpirationTime(NOW / 1_000 + 60)
        .sign(ring.tickets.sign.key)
    const claims = { key: 1, lane: 'main', cnf: true, low: null, by: null, gen: 3 }
    expect((await read(await sign('ticket+jwt', claims))).kind).toBe('ticket')
    expect((await read(await sign('pass+jwt', claims))).kind).toBe('none')
    for (const wrong of [{ key: '1' }, { lane: 5 }, { cnf: 1 }, { low: 'x' }, { by: true }, { gen: null }]) {
      expect((await read(await sign('ticket+jwt', { ...claims, ...wrong }))).kind).toBe('none')
    }
  })
})

describe('a key that this isolate does not know', () => {
  it('may be newer than the isolate, so the token is left as it is', async () => {
    const other = await openKeyRing(JSON.stringify({ keys: await newKeys('two') }))
    expect(await readToken(other, ticketText, 'shop', NOW)).toEqual({ kind: 'unknown' })
    expect(await readToken(other, passText, 'shop', NOW)).toEqual({ kind: 'unknown' })
  })

  it('counts as dropped once the token is a minute old', async () => {
    const other = await openKeyRing(JSON.stringify({ keys: await newKeys('two') }))
    for (const text of [ticketText, passText]) {
      expect((await readToken(other, text, 'shop', NOW + 59_000)).kind).toBe('unknown')
      expect((await readToken(other, text, 'shop', NOW + 60_000)).kind).toBe('none')
    }
  })

  it('counts as dropped when the token is older than the isolate', async () => {
    const later = await openKeyRing(JSON.stringify({ keys: await newKeys('two') }), NOW + 2_000)
    for (const text of [ticketText, passText])
      expect((await readToken(later, text, 'shop', NOW + 2_000)).kind).toBe('none')
    const younger = await signTicket(ring, { ...ticket, issuedMs: NOW + 2_900 })
    expect((await readToken(later, younger, 'shop', NOW + 3_000)).kind).toBe('unknown')
  })

  it('counts as foreign when the token was issued further in the future than clocks may differ', async () => {
    const other = await openKeyRing(JSON.stringify({ keys: await newKeys('two') }))
    for (const [aheadMs, kind] of [
      [9_000, 'unknown'],
      [11_000, 'none'],
      [Date.UTC(2200, 0) - NOW, 'none'],
    ] as const) {
      const text = await signTicket(ring, { ...ticket, issuedMs: NOW + aheadMs })
      expect((await readToken(other, text, 'shop', NOW)).kind, `${aheadMs} ms ahead`).toBe(kind)
      // A known key vouches for its token, even when the clock of this isolate is far behind.
      expect((await read(text)).kind).toBe('ticket')
    }
  })

  it('makes a token without an issue time invalid', async () => {
    const other = await openKeyRing(JSON.stringify({ keys: await newKeys('two') }))
    const parts = ticketText.split('.')
    expect(await readToken(other, `${parts[0]}.AAAA.${parts[2]}`, 'shop', NOW)).toEqual({ kind: 'none' })
  })
})
