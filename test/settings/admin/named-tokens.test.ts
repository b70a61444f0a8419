import { describe, expect, it } from 'vitest'
import { readNamedTokens } from '../../../src/settings/admin/named-tokens.ts'
import { withNewToken, withoutTokens } from '../../../tools/support/named-tokens.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000
const HASH = 'A'.repeat(43)
const ana = { name: 'ana', role: 'operator' as const, sha256: HASH, expires: '2027-03-01T00:00:00Z' }

const problems = (secret: unknown) => {
  try {
    readNamedTokens({ ADMIN_TOKENS: typeof secret === 'string' ? secret : JSON.stringify(secret) })
    return null
  } catch (error) {
    return (error as Error).message
  }
}

describe('the secret ADMIN_TOKENS', () => {
  it('has no tokens while it is unset', () => {
    expect(readNamedTokens({})).toEqual([])
    expect(readNamedTokens({ ADMIN_TOKENS: ' \n' })).toEqual([])
  })

  it.each([
    ['text that is no JSON', '{', 'ADMIN_TOKENS must be a JSON list, as `npm run keys -- token` prints'],
    ['an unknown role', [{ ...ana, role: 'root' }], 'ADMIN_TOKENS[0].role must be "viewer" or "operator" or "admin"'],
    ['the name of the first admin', [{ ...ana, name: 'ADMIN_TOKEN' }], /^ADMIN_TOKENS\[0\]\.name must be 1 to 40/],
    ['no end', [{ ...ana, expires: undefined }], 'ADMIN_TOKENS[0].expires is required'],
    ['an end without a zone', [{ ...ana, expires: '2027-03-01' }], /^ADMIN_TOKENS\[0\]\.expires must be a time in UTC/],
    ['a token itself', [{ ...ana, token: 'x' }], 'ADMIN_TOKENS[0].token is not a setting'],
    ['too many tokens', Array(31).fill(ana), 'ADMIN_TOKENS must have at most 30 entries'],
  ])('is refused with %s', (_what, secret, message) => {
    expect(problems(secret)).toMatch(message)
  })

  it('is refused without repeating what was given', () => {
    expect(problems([{ ...ana, sha256: 'a-secret' }])).toBe(
      'ADMIN_TOKENS[0].sha256 must be the SHA-256 of a token in base64url, 43 characters',
    )
  })
})

describe('a named token', () => {
  it('is stored as its hash only, and leaves the list after its end', () => {
    const { token, tokens } = withNewToken([], { name: 'ana', role: 'viewer', days: 30 }, NOW)
    expect(token).toMatch(/^antesala_[\w-]{43}$/)
    expect(JSON.stringify(tokens)).not.toContain(token)
    expect(readNamedTokens({ ADMIN_TOKENS: JSON.stringify(tokens) })).toEqual(tokens)
    expect(tokens[0]).toMatchObject({ name: 'ana', role: 'viewer', expires: '2026-12-30T12:00:00Z' })
    const later = withNewToken(tokens, { name: 'bo', role: 'admin', days: 1 }, NOW + 31 * DAY_MS)
    expect(later.tokens.map(({ name }) => name)).toEqual(['bo'])
  })

  it('is rotated with an overlap: the older token works until it is revoked', () => {
    const first = withNewToken([], { name: 'ana', role: 'viewer', days: 90 }, NOW).tokens
    const both = withNewToken(first, { name: 'ana', role: 'operator', days: 90 }, NOW).tokens
    expect(both).toHaveLength(2)
    expect(withoutTokens(both, 'ana', 'newest', NOW)).toEqual([both[1]])
    expect(withoutTokens(both, 'ana', 'none', NOW)).toEqual([])
    expect(() => withoutTokens(both, 'bo', 'none', NOW)).toThrow('ADMIN_TOKENS has no token of bo')
  })
})
