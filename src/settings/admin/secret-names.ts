/** The names of the entries in the secrets, for the audit log. The secrets themselves are left out. */
import type { Variables } from '../deployment.ts'
import { SettingsError } from '../messages.ts'
import { type NamedToken, readNamedTokens } from './named-tokens.ts'

export interface SecretNames {
  /** Each named token with its role and its end. Null if the secret cannot be read, which the admin API reports. */
  readonly tokens: readonly string[] | null
  /** The `kid` of each key for invitations to the room. */
  readonly invitationKeys: readonly string[]
}

/**
 * Returns the names. Never throws, because a room must go on for its visitors while a secret of operators is broken.
 */
export function secretNames(variables: Pick<Variables, 'ADMIN_TOKENS' | 'ROOM_KEYS'>, room: string): SecretNames {
  const invitationKeys = keysIn(variables.ROOM_KEYS ?? '')
    .filter(key => key.room === room && key.kid !== undefined)
    .map(({ kid }) => String(kid))
  return { tokens: tokensIn(variables), invitationKeys }
}

/** Returns when the first named token ends. Returns null if there are no tokens, or they cannot be read. */
export function firstTokenEndMs(variables: Pick<Variables, 'ADMIN_TOKENS'>): number | null {
  const ends = (readable(variables) ?? []).map(({ expires }) => Date.parse(expires))
  return ends.length === 0 ? null : Math.min(...ends)
}

function tokensIn(variables: Pick<Variables, 'ADMIN_TOKENS'>): readonly string[] | null {
  return (
    readable(variables)?.map(
      ({ name, role, expires, sha256 }) => `${name}, ${role} until ${expires} (${sha256.slice(0, 6)})`,
    ) ?? null
  )
}

function readable(variables: Pick<Variables, 'ADMIN_TOKENS'>): readonly NamedToken[] | null {
  try {
    return readNamedTokens(variables)
  } catch (error) {
    if (error instanceof SettingsError) return null
    throw error
  }
}

function keysIn(secret: string): readonly { readonly kid?: unknown; readonly room?: unknown }[] {
  try {
    const { keys } = JSON.parse(secret) as { keys?: unknown }
    return Array.isArray(keys) ? keys.filter(key => typeof key === 'object' && key !== null) : []
  } catch {
    return []
  }
}
