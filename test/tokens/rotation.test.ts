import { describe, expect, it } from 'vitest'
import { openKeyRing, type StoredKey } from '../../src/tokens/keyring.ts'
import { addInvitationKey, addKeys, dropKeys, newKeys, promoteKeys } from '../../src/tokens/rotation.ts'
import { passFor, readToken, signPass } from '../../src/tokens/tokens.ts'

const NOW = 1_700_000_000_000
const ringOf = (keys: readonly StoredKey[]) => openKeyRing(JSON.stringify({ keys }))

describe('rotation', () => {
  it('keeps every pass valid from step to step, until its key is dropped', async () => {
    const first = await newKeys('a')
    const added = await addKeys(first, 'b')
    const promoted = promoteKeys(added)
    const dropped = dropKeys(promoted)
    const old = await signPass(
      await ringOf(first),
      passFor({ room: 'shop', sid: 'x', generation: 1, issuedMs: NOW }, NOW + 60_000),
    )
    const kinds = []
    for (const keys of [first, added, promoted, dropped])
      kinds.push((await readToken(await ringOf(keys), old, 'shop', NOW)).kind)
    expect(kinds).toEqual(['pass', 'pass', 'pass', 'unknown'])
    const fresh = await signPass(
      await ringOf(promoted),
      passFor({ room: 'shop', sid: 'x', generation: 1, issuedMs: NOW }, NOW + 60_000),
    )
    expect((await readToken(await ringOf(added), fresh, 'shop', NOW)).kind).toBe('pass')
    expect((await readToken(await ringOf(dropped), fresh, 'shop', NOW)).kind).toBe('pass')
  })

  it('publishes public keys only', async () => {
    const ring = await ringOf(await addKeys(await newKeys('a'), 'b'))
    expect(ring.jwks.keys.map(key => key.kid)).toEqual(['p-a', 'p-b'])
    expect(JSON.stringify(ring.jwks)).not.toMatch(/"d"|"k"/)
  })

  it('refuses a step that makes no sense', async () => {
    const keys = await newKeys('a')
    expect(() => promoteKeys(keys)).toThrow('add keys first')
    expect(() => dropKeys(keys)).toThrow('no key to drop')
    await expect(addKeys(keys, 'a')).rejects.toThrow('there are already keys named a')
  })
})

describe('a secret that cannot be used', () => {
  it.each([
    ['unset', undefined, 'ROOM_KEYS is not set'],
    ['no JSON', '{', 'ROOM_KEYS is not JSON'],
    ['no set', '[]', 'must be a JWK Set'],
    ['no keys', '{"keys":[]}', 'exactly one ticket key with state sign, got 0'],
    ['a key without name', '{"keys":[{"kty":"oct","state":"sign"}]}', 'keys[0].kid'],
    ['a key without state', '{"keys":[{"kty":"oct","kid":"a"}]}', 'keys[0].state must be sign or verify'],
    [
      'a short key',
      '{"keys":[{"kty":"oct","kid":"a","state":"sign","k":"c2hvcnQ"}]}',
      'keys[0].k must be at least 32 bytes, got 5',
    ],
    [
      'a foreign key',
      '{"keys":[{"kty":"RSA","kid":"a","state":"sign"}]}',
      'must be an oct key for tickets or an Ed25519 key',
    ],
  ])('%s', async (_name, secret, message) => {
    await expect(openKeyRing(secret)).rejects.toThrow(message)
  })

  it('is refused with more than four invitation keys for a room, also by the tool that adds them', async () => {
    let keys = await newKeys('a')
    for (const label of ['1', '2', '3', '4']) keys = await addInvitationKey(keys, 'shop', label)
    await expect(openKeyRing(JSON.stringify({ keys }))).resolves.toBeDefined()
    await expect(addInvitationKey(keys, 'shop', '5')).rejects.toThrow(
      'at most 4 invitation keys for shop: drop the older ones first, with keys -- drop-invite --room shop',
    )
    expect(await addInvitationKey(keys, 'news', '5')).toHaveLength(keys.length + 1)
    const more = [...keys, { ...keys.at(-1), kid: 'i-shop-5' }]
    await expect(openKeyRing(JSON.stringify({ keys: more }))).rejects.toThrow('at most 4 invitation keys for shop')
  })

  it('is refused with a message that contains no key material', async () => {
    const keys = await newKeys('a')
    const broken = JSON.stringify({ keys: keys.map(key => ({ ...key, state: 'verify' })) })
    await expect(openKeyRing(broken)).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(keys[0]?.k ?? '') }),
    )
  })
})
