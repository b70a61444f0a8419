/** Signs invitations, as a shop would with any JWT library. */
import { base64url, SignJWT } from 'jose'
import { isInvitationKey, parseKeys } from '../../src/tokens/keyring.ts'

interface Guest {
  readonly room: string
  readonly lane?: string
  readonly sub?: string
  readonly expiresMs: number
}

/** Signs with the room's newest key in the secret. Throws when there is none. */
export function signInvitation(roomKeys: string, { room, lane, sub, expiresMs }: Guest): Promise<string> {
  const key = parseKeys(roomKeys)
    .filter(other => isInvitationKey(other) && other.room === room)
    .at(-1)
  if (!key) throw new Error(`ROOM_KEYS has no invitation key for ${room}: npm run keys -- invite --room ${room}`)
  const claims = { aud: room, ...(lane === undefined ? {} : { lane }), ...(sub === undefined ? {} : { sub }) }
  return new SignJWT({ ...claims, exp: Math.floor(expiresMs / 1_000) })
    .setProtectedHeader({ alg: 'HS256', typ: 'invite+jwt', kid: key.kid })
    .sign(base64url.decode(key.k ?? ''))
}
