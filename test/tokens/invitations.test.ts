import { base64url, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { isInForce, readInvitation } from '../../src/tokens/invitations.ts'
import { type KeyRing, openKeyRing, type StoredKey } from '../../src/tokens/keyring.ts'
import { addInvitationKey, dropInvitationKeys, dropKeys, newKeys, promoteKeys } from '../../src/tokens/rotation.ts'
import { readToken } from '../../src/tokens/tokens.ts'
import { signInvitation } from '../../tools/support/invitation.ts'

const NOW = 1_700_000_000_000
const EXP = NOW / 1_000 + 600

let keys: StoredKey[]
let ring: KeyRing

beforeAll(async () => {
  keys = await addInvitationKey(await addInvitationKey(await newKeys('one'), 'shop', 'a'), 'club', 'a')
  ring = await openKeyRing(JSON.stringify({ keys }))
})

const secretOf = (kid: string) => base64url.decode(keys.find(key => key.kid === kid)?.k ?? '')

function signed(claims: object, header: object = {}, kid = 'i-shop-a', alg = 'HS256'): Promise<string> {
  const all = { alg, typ: 'invite+jwt', ...header }
  return new SignJWT({ aud: 'shop', exp: EXP, ...claims })
    .setProtectedHeader(all as { alg: string })
    .sign(secretOf(kid))
}

const read = (text: string, room = 'shop') => readInvitation(ring, text, room)

describe('an invitation', () => {
  it('names a lane and a period', async () => {
    const invitation = await read(await signed({ lane: 'vip', nbf: EXP - 300 }))
    expect(invitation).toEqual({ lane: 'vip', sid: null, notBeforeMs: NOW + 300_000, expiresMs: NOW + 600_000 })
    const inForce = [0, 300, 599, 600].map(seconds => invitation && isInForce(invitation, NOW + seconds * 1_000))
    expect(inForce).toEqual([false, true, true, false])
  })

  it('without a lane leads to the main one', async () => {
    expect(await read(await signed({}))).toMatchObject({ lane: 'main' })
  })

  it('names one place per subject, whatever its other claims and its signing key are', async () => {
    const sid = (await read(await signed({ sub: 'ada', lane: 'vip' })))?.sid
    expect(sid).toMatch(/^xx-[0-3]\.[\w-]{22}$/)
    expect((await read(await signed({ sub: 'ada', exp: EXP + 9 })))?.sid).toBe(sid)
    expect((await read(await signed({ sub: 'bob' })))?.sid).not.toBe(sid)
    const more = await addInvitationKey(keys, 'shop', 'b')
    const later = await openKeyRing(JSON.stringify({ keys: more }))
    const byNewer = await signInvitation(JSON.stringify({ keys: more }), { room: 'shop', sub: 'ada', expiresMs: NOW })
    expect((await readInvitation(later, byNewer, 'shop'))?.sid).toBe(sid)
    expect((await read(await signed({ aud: 'club', sub: 'ada' }, {}, 'i-club-a'), 'club'))?.sid).not.toBe(sid)
  })

  it('may name its key, and is tried with all keys of the room if it does not', async () => {
    expect(await read(await signed({}, { kid: 'i-shop-a' }))).not.toBeNull()
    expect(await read(await signed({}, { kid: 'i-club-a' }))).toBeNull()
  })
})

describe('reading an invitation', () => {
  it('fails when any character is changed', async () => {
    const text = await signed({ lane: 'vip', sub: 'ada' })
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === 'A' ? 'B' : 'A'
      expect(await read(text.slice(0, i) + other + text.slice(i + 1)), `character ${i}`).toBeNull()
    }
  }, 30_000)

  it.each<[string, () => Promise<string> | string]>([
    ['nothing', () => ''],
    ['a word', () => 'vip'],
    ['one too long', () => signed({ lane: 'vip', pad: 'x'.repeat(2_000) })],
    ['one of another room by its claim', () => signed({ aud: 'club' })],
    ['one of another room by its key', () => signed({}, {}, 'i-club-a')],
    ['one for several rooms', () => signed({ aud: ['shop', 'club'] })],
    ['one without an end', () => signed({ exp: undefined })],
    ['one whose end is text', () => signed({ exp: String(EXP) })],
    ['one whose beginning is text', () => signed({ nbf: '0' })],
    ['one with another typ', () => signed({}, { typ: 'JWT' })],
    ['one without a typ', () => signed({}, { typ: undefined })],
    ['one with another algorithm', () => signed({}, {}, 'i-shop-a', 'HS384')],
    ['one that is not signed', async () => `${base64url.encode('{"alg":"none","typ":"invite+jwt"}')}.e30.AA`],
    ['one with an unknown key', () => signed({}, { kid: 'i-shop-z' })],
    ['one signed as a ticket is', () => signed({}, {}, 't-one')],
    ['one with an empty subject', () => signed({ sub: '' })],
    ['one with a subject that is a number', () => signed({ sub: 7 })],
    ['one with a lane that cannot be', () => signed({ lane: 'V I P' })],
    ['a padded one', async () => `${await signed({})}=`],
  ])('fails for %s', async (_, make) => {
    expect(await read(await make())).toBeNull()
  })

  it('is the only use of its key, which cannot sign a ticket', async () => {
    const claims = { sub: 'xx-0.a', key: 1, lane: 'main', cnf: true, low: null, by: null, gen: 1, iat: 1 }
    const forged = await signed(claims, { typ: 'ticket+jwt', kid: 'i-shop-a' })
    expect((await readToken(ring, forged, 'shop', NOW)).kind).toBe('none')
  })
})

describe('keys of invitations', () => {
  const ringOf = (all: object[]) => openKeyRing(JSON.stringify({ keys: all }))

  it('survive every rotation of the other keys, and are dropped one room at a time', async () => {
    const two = await addInvitationKey(keys, 'shop', 'b')
    const rotated = dropKeys(
      promoteKeys([...(await newKeys('two')).map(key => ({ ...key, state: 'verify' as const })), ...two].reverse()),
    )
    expect(
      rotated
        .filter(key => key.room)
        .map(key => key.kid)
        .sort(),
    ).toEqual(['i-club-a', 'i-shop-a', 'i-shop-b'])
    expect(dropInvitationKeys(two, 'shop').map(key => key.kid)).toEqual(['t-one', 'p-one', 'i-club-a', 'i-shop-b'])
    expect(() => dropInvitationKeys(keys, 'shop')).toThrow('no older invitation key for shop')
    await expect(addInvitationKey(keys, 'shop', 'a')).rejects.toThrow('there is already a key named i-shop-a')
  })

  it('are refused with their position and the reason', async () => {
    const key = keys.find(({ kid }) => kid === 'i-shop-a') as StoredKey
    const others = keys.filter(other => other !== key)
    await expect(ringOf([...others, { ...key, state: 'sign' }])).rejects.toThrow('keys[3].state must be verify')
    await expect(ringOf([...others, { ...key, room: 7 }])).rejects.toThrow('keys[3].room must be the name of a room')
    await expect(ringOf([...others, { ...key, k: 'AAAA' }])).rejects.toThrow('at least 32 bytes')
    const many = ['a', 'b', 'c', 'd', 'e'].map(label => ({ ...key, kid: label }))
    await expect(ringOf([...others, ...many])).rejects.toThrow('at most 4 invitation keys for shop')
  })
})
