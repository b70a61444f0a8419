/** One table of header values, good and bad, that every snippet must judge alike. */
import { base64url, CompactSign, type CryptoKey, exportSPKI, importJWK, type JWK, SignJWT } from 'jose'
import type { Ticket } from '../../../src/core/ticket.ts'
import { type KeyRing, openKeyRing, type StoredKey } from '../../../src/tokens/keyring.ts'
import { addKeys, newKeys, promoteKeys } from '../../../src/tokens/rotation.ts'
import { passFor, signPass, signTicket } from '../../../src/tokens/tokens.ts'

export const ROOM = 'shop'
export const SID = 'weur-3.AAECAwQFBgcICQoLDA0ODw'
const MINUTE_MS = 60_000
/** The order of the group that Ed25519 signs in, RFC 8032 section 5.1. */
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

export interface Keys {
  /** Keys named `old`, which only verify, and `new`, which sign. */
  readonly stored: readonly StoredKey[]
  readonly ring: KeyRing
  /** The key ring from the time when the old keys signed. */
  readonly before: KeyRing
  /** A stranger's keys under the same names. */
  readonly forged: KeyRing
  /** Keys that were never published. */
  readonly unpublished: KeyRing
}

export interface Case {
  readonly name: string
  /** Makes the value of the header when it is used, because passes expire. */
  readonly header: (keys: Keys) => Promise<string>
  /** Null for a good pass. */
  readonly refusal: string | null
  /** True if the value is good for some seconds only. */
  readonly isShort?: true
}

export async function makeKeys(): Promise<Keys> {
  const old = await newKeys('old')
  const stored = promoteKeys(await addKeys(old, 'new'))
  return {
    stored,
    ring: await ringOf(stored),
    before: await ringOf(old),
    forged: await ringOf(await newKeys('new')),
    unpublished: await ringOf(await newKeys('unpublished')),
  }
}

export function ringOf(keys: readonly StoredKey[]): Promise<KeyRing> {
  return openKeyRing(JSON.stringify({ keys }))
}

/** A pass as the edge would sign it, which ends `leftMs` milliseconds from now. */
export async function pass(ring: KeyRing, { room = ROOM, sid = SID, leftMs = 5 * MINUTE_MS } = {}): Promise<string> {
  const nowMs = Date.now()
  return signPass(ring, passFor({ room, sid, generation: 7, issuedMs: nowMs - MINUTE_MS }, nowMs + leftMs + 2_000))
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

export const CASES: readonly Case[] = [
  good('a valid pass', ({ ring }) => pass(ring)),
  good('a pass of the key that signed before', ({ before }) => pass(before)),
  { ...good('a pass that has just ended', ({ ring }) => pass(ring, { leftMs: 0 })), isShort: true },
  good(
    'a pass behind that of another room',
    async ({ ring }) => `${await pass(ring, { room: 'news' })}, ${await pass(ring)}`,
  ),
  good(
    'a pass before that of another room',
    async ({ ring }) => `${await pass(ring)},${await pass(ring, { room: 'news' })}`,
  ),
  good('a pass between garbage', async ({ ring }) => `garbage, ,${await pass(ring)},a.b.c`),

  bad('expired', 'a pass that ended ten seconds ago', ({ ring }) => pass(ring, { leftMs: -10_000 })),
  bad('wrong-room', 'a pass of another room', ({ ring }) => pass(ring, { room: 'news' })),
  bad('wrong-room', 'a pass of a room with a longer name', ({ ring }) => pass(ring, { room: `${ROOM}-2` })),
  bad('bad-signature', 'a pass of another key with a known name', ({ forged }) => pass(forged)),
  bad('unknown-key', 'a pass of an unknown key', ({ unpublished }) => pass(unpublished)),
  bad('wrong-kind', 'a pass that names no key', ({ ring }) => signed(ring, { kid: undefined }, {})),
  bad('wrong-kind', 'a pass whose key is named by a number', ({ ring }) => signed(ring, { kid: 1 }, {})),
  bad('bad-signature', 'a pass that brings its own key', ({ ring, forged }) =>
    signed(forged, { kid: ring.passes.sign.kid, jwk: forged.jwks.keys[0] }, {}),
  ),

  bad('malformed', 'alg none without a signature', async ({ ring }) => `${await unsigned(ring, { alg: 'none' })}.`),
  bad('wrong-kind', 'alg none with a signature', async ({ ring }) =>
    withSignatureOf(await pass(ring), await unsigned(ring, { alg: 'none' })),
  ),
  ...(['bytes', 'text', 'PEM'] as const).map(form =>
    bad('wrong-kind', `alg HS256 with the ${form} of the public key as secret`, async ({ ring }) =>
      hmacWith(ring, await publicKeyAs(form, ring)),
    ),
  ),
  bad('wrong-kind', 'alg Ed25519, which the edge does not write', async ({ ring }) =>
    withSignatureOf(await pass(ring), await unsigned(ring, { alg: 'Ed25519' })),
  ),
  bad('wrong-kind', 'a ticket', ({ ring }) => signTicket(ring, ticket())),
  bad('wrong-kind', 'typ ticket+jwt under the key of passes', ({ ring }) => signed(ring, { typ: 'ticket+jwt' }, {})),
  bad('wrong-kind', 'typ JWT under the key of passes', ({ ring }) => signed(ring, { typ: 'JWT' }, {})),
  bad('wrong-kind', 'no typ', ({ ring }) => signed(ring, { typ: undefined }, {})),
  bad('wrong-kind', 'a critical extension', ({ ring }) => critical(ring)),

  bad('bad-signature', 'a cut signature', async ({ ring }) => (await pass(ring)).slice(0, -10)),
  bad('bad-signature', 'no bytes but one in the signature', async ({ ring }) => `${head(await pass(ring))}.AA`),
  bad('malformed', 'a pass cut in the claims', async ({ ring }) => (await pass(ring)).slice(0, -100)),
  bad('malformed', 'no signature', async ({ ring }) => `${head(await pass(ring))}.`),
  bad('malformed', 'two parts', async ({ ring }) => head(await pass(ring))),
  bad('malformed', 'no claims', async ({ ring }) => (await pass(ring)).replace(/\..*\./, '..')),
  bad('malformed', 'four parts', async ({ ring }) => `${await pass(ring)}.AA`),
  bad('bad-signature', 'a changed character in the signature', async ({ ring }) => changed(await pass(ring), -20)),
  bad('bad-signature', 'changed claims', async ({ ring }) =>
    withSignatureOf(await pass(ring), await unsigned(ring, {}, { sub: 'weur-0.other' })),
  ),
  bad('malformed', 'a last character that decodes to the same bytes', async ({ ring }) => respelled(await pass(ring))),
  bad('bad-signature', 'a signature with the order of the group added', async ({ ring }) =>
    malleated(await pass(ring)),
  ),
  bad('malformed', 'padding', async ({ ring }) => `${await pass(ring)}==`),
  bad('malformed', 'a newline behind', async ({ ring }) => `${await pass(ring)}\n`),
  bad('malformed', 'a newline inside', async ({ ring }) => (await pass(ring)).replace('.', '\n.')),
  bad('malformed', 'a space inside', async ({ ring }) => (await pass(ring)).replace('.', ' .')),
  bad('malformed', 'the alphabet of plain base64', ({ ring }) => inPlainBase64(ring)),
  bad('malformed', 'letters that are not ASCII', async ({ ring }) => (await pass(ring)).replace('e', 'é')),
  bad('malformed', 'the scheme Bearer before it', async ({ ring }) => `Bearer ${await pass(ring)}`),

  bad('malformed', 'a header that is no JSON', async ({ ring }) => withHeader(await pass(ring), '{"alg":')),
  bad('malformed', 'a header that is a list', async ({ ring }) => withHeader(await pass(ring), '["EdDSA"]')),
  bad('malformed', 'a header that is null', async ({ ring }) => withHeader(await pass(ring), 'null')),
  bad('malformed', 'a header of a thousand brackets', async ({ ring }) =>
    withHeader(await pass(ring), '['.repeat(1_200)),
  ),
  bad('malformed', 'a header that is no UTF-8', async ({ ring }) =>
    withHeader(await pass(ring), Buffer.from([0xff, 0xfe])),
  ),
  bad('malformed', 'claims that are no JSON', ({ ring }) => signedText(ring, 'shop')),
  bad('malformed', 'claims that are a list', ({ ring }) => signedText(ring, '["shop"]')),
  ...['aud', 'sub', 'gen', 'iat', 'exp'].map(name =>
    bad('malformed', `no ${name}`, ({ ring }) => signed(ring, {}, { [name]: undefined })),
  ),
  bad('malformed', 'an end that is text', ({ ring }) => signed(ring, {}, { exp: String(inSeconds(60)) })),
  bad('malformed', 'a list of rooms', ({ ring }) => signed(ring, {}, { aud: [ROOM, 'news'] })),
  bad('malformed', 'a session that is a number', ({ ring }) => signed(ring, {}, { sub: 1 })),

  bad('missing', 'nothing', async () => ''),
  bad('missing', 'only separators', async () => ' , ,'),
  bad('malformed', 'two megabytes of one letter', async () => 'a'.repeat(2_000_000)),
  bad('malformed', 'two megabytes of signature', async ({ ring }) => `${await pass(ring)}${'A'.repeat(2_000_000)}`),
  bad('malformed', 'two megabytes of passes', async ({ ring }) => `${await pass(ring)},`.repeat(8_000)),
]

/** Every value that differs from `token` in one character. */
export function everyChange(token: string): string[] {
  return [...token].map((_, at) => changed(token, at))
}

function good(name: string, header: Case['header']): Case {
  return { name, header, refusal: null }
}

function bad(refusal: string, name: string, header: Case['header']): Case {
  return { name, header, refusal }
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds
}

function claims(other: object): Record<string, unknown> {
  return { aud: ROOM, sub: SID, gen: 7, iat: inSeconds(-60), exp: inSeconds(300), ...other }
}

/** A token as the edge signs it, except for `header` and `payload`. An undefined member is left out. */
function signed(ring: KeyRing, header: object, payload: object): Promise<string> {
  return signedText(ring, JSON.stringify(claims(payload)), header)
}

function signedText(ring: KeyRing, text: string, header: object = {}): Promise<string> {
  const { kid, key } = ring.passes.sign
  return new CompactSign(Buffer.from(text))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'pass+jwt', kid, ...header })
    .sign(key)
}

function critical(ring: KeyRing): Promise<string> {
  const { kid, key } = ring.passes.sign
  return new SignJWT(claims({}))
    .setProtectedHeader({
      alg: 'EdDSA',
      typ: 'pass+jwt',
      kid,
      crit: ['https://example.com/strict'],
      'https://example.com/strict': true,
    })
    .sign(key, { crit: { 'https://example.com/strict': true } })
}

async function unsigned(ring: KeyRing, header: object, payload: object = {}): Promise<string> {
  const full = { alg: 'EdDSA', typ: 'pass+jwt', kid: ring.passes.sign.kid, ...header }
  return [full, claims(payload)].map(part => base64url.encode(JSON.stringify(part))).join('.')
}

function hmacWith(ring: KeyRing, secret: Uint8Array): Promise<string> {
  return new SignJWT(claims({}))
    .setProtectedHeader({ alg: 'HS256', typ: 'pass+jwt', kid: ring.passes.sign.kid })
    .sign(secret)
}

async function publicKeyAs(form: 'bytes' | 'text' | 'PEM', { jwks, passes }: KeyRing): Promise<Uint8Array> {
  const jwk = jwks.keys.find(({ kid }) => kid === passes.sign.kid) as JWK & { x: string }
  if (form === 'bytes') return base64url.decode(jwk.x)
  if (form === 'text') return Buffer.from(jwk.x)
  return Buffer.from(await exportSPKI((await importJWK(jwk, 'EdDSA', { extractable: true })) as CryptoKey))
}

function ticket(): Ticket {
  const nowMs = Date.now()
  return {
    room: ROOM,
    sid: SID,
    key: nowMs,
    lane: 'main',
    confirmed: true,
    low: null,
    byMs: null,
    generation: 7,
    issuedMs: nowMs,
  }
}

function head(token: string): string {
  return token.slice(0, token.lastIndexOf('.'))
}

function signatureOf(token: string): string {
  return token.slice(token.lastIndexOf('.') + 1)
}

function withSignatureOf(token: string, text: string): string {
  return `${text}.${signatureOf(token)}`
}

function withHeader(token: string, header: string | Uint8Array): string {
  return token.replace(/^[^.]*/, base64url.encode(header))
}

function changed(token: string, at: number): string {
  const index = at < 0 ? token.length + at : at
  return `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`
}

/** The last of the 64 bytes fills only two bits of the last character. A lenient decoder drops the other four bits. */
function respelled(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const other = token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) + 1]
  const [bytes, same] = [token, other].map(text => Buffer.from(signatureOf(text), 'base64url'))
  if (!bytes?.equals(same ?? Buffer.alloc(0))) throw new Error('the two spellings must have the same bytes')
  return other
}

/** (R, S + order) satisfies the same equation as (R, S); RFC 8032 section 5.1.7 makes verifiers refuse it. */
function malleated(token: string): string {
  const bytes = Buffer.from(signatureOf(token), 'base64url')
  const scalar = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + ED25519_ORDER
  const sum = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
  return `${head(token)}.${Buffer.concat([bytes.subarray(0, 32), sum]).toString('base64url')}`
}

async function inPlainBase64(ring: KeyRing): Promise<string> {
  for (;;) {
    const token = await pass(ring)
    const plain = token.replaceAll('-', '+').replaceAll('_', '/')
    if (plain !== token) return plain
  }
}
