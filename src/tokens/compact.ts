/**
 * Our own tokens in the compact serialisation of JWS (RFC 7515 section 3.1). Work that is the same for each token of a
 * key is done once: the header is encoded once, and a token is ours only if it begins with exactly these characters.
 */
import { base64url, type CryptoKey } from 'jose'
import { utf8 } from './utf8.ts'

/** A token names one visitor and one place. Anything longer is an attack on the parser. */
export const TOKEN_BYTES_MAX = 2_048

/** The bytes of a signature, by algorithm. The runtime throws if an Ed25519 signature has another length. */
const SIGNATURE_BYTES: Readonly<Record<string, number>> = { Ed25519: 64, HMAC: 32 }

/** Returns the encoded header of a key's tokens, byte for byte as jose writes it. */
export function encodedHeader({ alg, typ, kid }: { alg: string; typ: string; kid: string }): string {
  return base64url.encode(JSON.stringify({ alg, typ, kid }))
}

/** Signs claims. The algorithm is that of the key, HMAC or Ed25519. */
export async function signCompact(header: string, claims: object, key: CryptoKey): Promise<string> {
  const signed = `${header}.${base64url.encode(JSON.stringify(claims))}`
  const signature = await crypto.subtle.sign(key.algorithm.name, key, utf8(signed))
  return `${signed}.${base64url.encode(new Uint8Array(signature))}`
}

/**
 * Returns the payload of a token whose header is known. Returns null unless the token is canonical and the key has
 * signed it.
 */
export async function verifyCompact(header: string, text: string, key: CryptoKey): Promise<Uint8Array | null> {
  const end = text.lastIndexOf('.')
  const payload = decode(text.slice(header.length + 1, end))
  const signature = decode(text.slice(end + 1))
  const { name } = key.algorithm
  if (!payload || !signature || signature.length !== SIGNATURE_BYTES[name]) return null
  const isSigned = await crypto.subtle.verify(name, key, signature, utf8(text.slice(0, end)))
  return isSigned ? payload : null
}

/** Returns the encoded header of a token. A text without a dot is returned whole. */
export function headerPart(text: string): string {
  const end = text.indexOf('.')
  return end < 0 ? text : text.slice(0, end)
}

/**
 * Returns whether a text is three non-empty base64url parts, each in the one canonical spelling of its bytes. A lenient
 * decoder accepts several spellings.
 */
export function isCanonical(text: string): boolean {
  if (text.length > TOKEN_BYTES_MAX) return false
  const parts = text.split('.')
  return parts.length === 3 && parts.every(part => decode(part) !== null)
}

/** Returns the bytes of one part. Returns null if it is empty, or not the canonical spelling of its bytes. */
function decode(part: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(part)) return null
  try {
    const bytes = base64url.decode(part)
    return base64url.encode(bytes) === part ? new Uint8Array(bytes) : null
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}
