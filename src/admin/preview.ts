/**
 * Access to the preview by a link. A browser sends no bearer token when it opens a page, so the dashboard gets a link
 * with a key. The key is an end time and its HMAC by the admin token, and opens nothing but the preview.
 */

const VALID_MS = 60 * 60_000
const KEY = /^(\d{1,16})\.([\w-]{43})$/

interface PreviewLink {
  readonly url: string
  readonly expiresAt: string
}

export async function previewLink(prefix: string, adminToken: string, nowMs: number): Promise<PreviewLink> {
  const untilMs = nowMs + VALID_MS
  const signature = await crypto.subtle.sign('HMAC', await keyOf(adminToken), bytesOf(untilMs))
  const text = btoa(String.fromCharCode(...new Uint8Array(signature)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
  return { url: `${prefix}/preview?key=${untilMs}.${text}`, expiresAt: new Date(untilMs).toISOString() }
}

/** True if a key is valid now. The comparison takes the same time for every wrong key. */
export async function isPreviewKey(key: string | undefined, adminToken: string, nowMs: number): Promise<boolean> {
  const [, until, text = ''] = KEY.exec(key ?? '') ?? []
  if (until === undefined || Number(until) <= nowMs) return false
  const signature = Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), char => char.charCodeAt(0))
  return crypto.subtle.verify('HMAC', await keyOf(adminToken), signature, bytesOf(Number(until)))
}

function keyOf(adminToken: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(adminToken)
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
}

function bytesOf(untilMs: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(`antesala preview until ${untilMs}`))
}
