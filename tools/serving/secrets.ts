/**
 * The secrets of a server: from the environment, or from files that it names. They are checked before anything starts.
 */
import { readFileSync } from 'node:fs'
import { readNamedTokens } from '../../src/settings/admin/named-tokens.ts'
import { readAdminToken, readMetricsToken } from '../../src/settings/deployment.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { KeyRingError, openKeyRing } from '../../src/tokens/keyring.ts'
import { type Given, UsageError } from '../support/cli.ts'

/** Secrets that a server can do without. */
export const OPTIONAL_SECRETS = ['METRICS_TOKEN', 'ADMIN_TOKENS', 'ALERT_RECEIVERS', 'TURNSTILE_SECRET'] as const
export type OptionalSecret = (typeof OPTIONAL_SECRETS)[number]
export type SecretName = 'ROOM_KEYS' | 'ADMIN_TOKEN' | OptionalSecret

export interface Secret {
  readonly value: string
  /** The source of the secret, for the operator. */
  readonly from: string
}

export const ADMIN_TOKEN_FLAG = { value: 'T', help: 'at least 32 characters; ADMIN_TOKEN otherwise' }

/** `NAME`, or the content of the file that `NAME_FILE` names; null when neither is set. */
export function secretOf(name: SecretName): Secret | null {
  const value = process.env[name]
  if (value !== undefined) return { value, from: 'the environment' }
  const file = process.env[`${name}_FILE`]
  if (file === undefined) return null
  try {
    return { value: readFileSync(file, 'utf8').trim(), from: file }
  } catch (error) {
    throw new Error(`${name}_FILE cannot be read: ${(error as Error).message}`)
  }
}

/** The optional secrets that are set. */
export function optionalSecrets(): Readonly<Partial<Record<OptionalSecret, string>>> {
  const found = OPTIONAL_SECRETS.map(name => [name, secretOf(name)?.value] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

/** The token of `--admin-token`; null when the flag is not given. */
export function adminTokenGiven(given: Given): Secret | null {
  const value = given['admin-token']
  if (value === undefined) return null
  try {
    if (readAdminToken({ ADMIN_TOKEN: value }) !== null) return { value, from: '--admin-token' }
  } catch (error) {
    throw error instanceof SettingsError ? new UsageError(`--admin-token: ${error.message}`) : error
  }
  throw new UsageError('--admin-token must not be empty')
}

/**
 * Throws if the Worker would refuse every request because of its secrets. One error explains all of them, and what to
 * do. `keysCommand` makes new keys.
 */
export async function checkSecrets(
  roomKeys: Secret,
  adminToken: Secret,
  optional: Readonly<Partial<Record<OptionalSecret, string>>>,
  keysCommand: string,
): Promise<void> {
  readAdminToken({ ADMIN_TOKEN: adminToken.value })
  readMetricsToken(optional)
  readNamedTokens(optional)
  try {
    await openKeyRing(roomKeys.value)
  } catch (error) {
    if (!(error instanceof KeyRingError)) throw error
    throw new Error(`${error.message.replace(/: make one with .*/, '')}
ROOM_KEYS comes from ${roomKeys.from}. If the right keys are lost, make new ones. All places and sessions begin anew then:

  (umask 077; ${keysCommand} new > keys.json)
  export ROOM_KEYS_FILE=keys.json`)
  }
}
