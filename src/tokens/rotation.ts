/**
 * Key rotation, in which each step prints the next secret. The steps: add, deploy, promote, deploy, and drop after the
 * longest expiry.
 */
import { exportJWK, generateKeyPair, generateSecret } from 'jose'
import {
  checkInvitationKeys,
  isInvitationKey,
  isPassKey,
  isTicketKey,
  KeyRingError,
  type StoredKey,
} from './keyring.ts'

/** Makes the first key of each kind. Both keys sign. */
export async function newKeys(label: string): Promise<StoredKey[]> {
  return [await ticketKey(label, 'sign'), await passKey(label, 'sign')]
}

/** Adds a second key of each kind that only verifies, so that every isolate has the key before it signs. */
export async function addKeys(keys: readonly StoredKey[], label: string): Promise<StoredKey[]> {
  if (keys.some(key => key.kid === `t-${label}` || key.kid === `p-${label}`)) {
    throw new KeyRingError(`there are already keys named ${label}`)
  }
  return [...keys, await ticketKey(label, 'verify'), await passKey(label, 'verify')]
}

/** Makes the newest keys sign. The former ones still verify. */
export function promoteKeys(keys: readonly StoredKey[]): StoredKey[] {
  const newest = (of: (key: StoredKey) => boolean) => keys.filter(of).at(-1)?.kid
  const signing = [newest(isTicketKey), newest(isPassKey)]
  if (keys.every(key => (key.state === 'sign') === signing.includes(key.kid))) {
    throw new KeyRingError('the newest keys sign already: add keys first')
  }
  return keys.map(key => ({ ...key, state: signing.includes(key.kid) ? 'sign' : 'verify' }))
}

/** Drops every key that is older than the signing one. Tokens that only those keys can verify become void. */
export function dropKeys(keys: readonly StoredKey[]): StoredKey[] {
  const after = (of: (key: StoredKey) => boolean) => {
    const kind = keys.filter(of)
    return kind.slice(kind.findIndex(key => key.state === 'sign'))
  }
  const kept = [...after(isTicketKey), ...after(isPassKey), ...keys.filter(isInvitationKey)]
  if (kept.length === keys.length) throw new KeyRingError('there is no key to drop: every key signs or is newer')
  return kept
}

/** Adds a key for invitations to a room. Give its `k` to the shop that invites. */
export async function addInvitationKey(keys: readonly StoredKey[], room: string, label: string): Promise<StoredKey[]> {
  const kid = `i-${room}-${label}`
  if (keys.some(key => key.kid === kid)) throw new KeyRingError(`there is already a key named ${kid}`)
  const more = [...keys, { ...(await ticketKey(label, 'verify')), kid, room }]
  checkInvitationKeys(more)
  return more
}

/**
 * Drops every key for invitations to a room except the newest. Invitations that only the dropped keys verify become
 * void.
 */
export function dropInvitationKeys(keys: readonly StoredKey[], room: string): StoredKey[] {
  const newest = keys.filter(key => isInvitationKey(key) && key.room === room).at(-1)
  const kept = keys.filter(key => key === newest || key.room !== room)
  if (kept.length === keys.length) throw new KeyRingError(`there is no older invitation key for ${room} to drop`)
  return kept
}

async function ticketKey(label: string, state: StoredKey['state']): Promise<StoredKey> {
  const jwk = await exportJWK(await generateSecret('HS256', { extractable: true }))
  return { ...jwk, kid: `t-${label}`, alg: 'HS256', use: 'sig', state }
}

async function passKey(label: string, state: StoredKey['state']): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  return { ...(await exportJWK(privateKey)), kid: `p-${label}`, alg: 'EdDSA', use: 'sig', state }
}
