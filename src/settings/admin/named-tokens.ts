/**
 * Tokens of persons and programs, each with a name and a role: the secret `ADMIN_TOKENS`.
 *
 * The secret contains the SHA-256 of each token, and never a token. A slow hash would gain nothing: a token has 256
 * random bits, so an attacker has no list of likely tokens to try.
 */
import * as z from 'zod'
import { oneOf, problemsOf, SettingsError, textThat } from '../messages.ts'

/** The roles, from the fewest rights to the most. Each role may do everything that the roles before it may do. */
export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** A secret on Cloudflare has at most 5 KB. This many tokens with long names fit. */
const TOKENS_MAX = 30
/** The name of `ADMIN_TOKEN` in the audit log. No other token may have this name. */
export const FIRST_ADMIN = 'ADMIN_TOKEN'

export function isTokenName(text: string): boolean {
  return /^[\w.@+-]{1,40}$/.test(text) && text !== FIRST_ADMIN
}

const namedTokenSchema = z.strictObject({
  name: textThat(isTokenName, `1 to 40 letters, digits or . _ @ + -, and not ${FIRST_ADMIN}`),
  role: oneOf(...ROLES),
  sha256: textThat(text => /^[\w-]{43}$/.test(text), 'the SHA-256 of a token in base64url, 43 characters'),
  expires: textThat(isUtcTime, 'a time in UTC like 2027-03-01T00:00:00Z'),
})

/**
 * A token as it is stored. Several may have the same name, so that a new one is in use before the old one is revoked.
 */
export type NamedToken = z.output<typeof namedTokenSchema>

/**
 * Returns the tokens in the order of the secret, with expired ones, or none if the secret is unset. Throws
 * SettingsError, whose message names the entry and never contains a hash.
 */
export function readNamedTokens({
  ADMIN_TOKENS: text = '',
}: {
  readonly ADMIN_TOKENS?: string
}): readonly NamedToken[] {
  if (text.trim() === '') return []
  const parsed = z.array(namedTokenSchema).max(TOKENS_MAX).safeParse(fromText(text), { reportInput: true })
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, 'ADMIN_TOKENS')
    throw new SettingsError(problems.map(({ path, message }) => ({ path, message: message.split(', got ')[0] ?? '' })))
  }
  return parsed.data
}

function fromText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SettingsError([
      { path: 'ADMIN_TOKENS', message: 'must be a JSON list, as `npm run keys -- token` prints' },
    ])
  }
}

function isUtcTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(text) && !Number.isNaN(Date.parse(text))
}
