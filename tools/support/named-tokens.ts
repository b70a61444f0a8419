/** Makes the next value of the secret `ADMIN_TOKENS`: adds a token, or revokes tokens. */
import { createHash, randomBytes } from 'node:crypto'
import type { NamedToken, Role } from '../../src/settings/admin/named-tokens.ts'

const DAY_MS = 86_400_000
/** Every token begins with this text, so that scanners for leaked secrets can find tokens. */
const PREFIX = 'antesala_'

/** Returns the new token, which is stored nowhere, and the list with its hash. Expired tokens leave the list. */
export function withNewToken(
  present: readonly NamedToken[],
  { name, role, days }: { readonly name: string; readonly role: Role; readonly days: number },
  nowMs: number,
): { readonly token: string; readonly tokens: readonly NamedToken[] } {
  const token = PREFIX + randomBytes(32).toString('base64url')
  const sha256 = createHash('sha256').update(token).digest('base64url')
  const expires = new Date(nowMs + days * DAY_MS).toISOString().replace(/\.\d+Z$/, 'Z')
  return { token, tokens: [...unexpired(present, nowMs), { name, role, sha256, expires }] }
}

/** Returns the list without the tokens of a name, or without all but the newest of them. */
export function withoutTokens(
  present: readonly NamedToken[],
  name: string,
  keep: 'none' | 'newest',
  nowMs: number,
): readonly NamedToken[] {
  const newest = present.findLast(token => token.name === name)
  if (!newest) throw new Error(`ADMIN_TOKENS has no token of ${name}`)
  return unexpired(present, nowMs).filter(token => token.name !== name || (keep === 'newest' && token === newest))
}

function unexpired(tokens: readonly NamedToken[], nowMs: number): readonly NamedToken[] {
  return tokens.filter(({ expires }) => Date.parse(expires) > nowMs)
}
