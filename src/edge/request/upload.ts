/** The body of a request on its way to the origin, and when all of it is sent. */

export interface Upload {
  readonly body: ReadableStream
  /** Resolves when the origin's connection has taken the last of it. Rejects when either end goes away. */
  readonly through: Promise<void>
  /** How long a slow line may need for it. */
  readonly withinMs: number
}

/** Whoever is not done by then is not waited for, nor an origin that does not take what is sent. */
export const UPLOAD_MAX_MS = 10 * 60_000
/** A slow line: 64 kbit/s, and some seconds without any. */
const BYTES_PER_MS = 8
const STALLED_MS = 10_000

/**
 * Null without a body. That of a GET or HEAD means nothing (RFC 9110 section 9.3.1), and stays behind. The runtime moves the bytes by itself, and says
 * the length that the visitor has said.
 */
export function uploadOf(request: Request): Upload | null {
  const body = bodyOf(request)
  if (body === null) return null
  const length = Number(request.headers.get('Content-Length') ?? Number.NaN)
  const isKnown = Number.isSafeInteger(length)
  const { readable, writable } = isKnown ? new FixedLengthStream(length) : new IdentityTransformStream()
  const withinMs = isKnown ? Math.min(UPLOAD_MAX_MS, STALLED_MS + length / BYTES_PER_MS) : UPLOAD_MAX_MS
  return { body: readable, through: body.pipeTo(writable), withinMs }
}

export function hasUpload(request: Request): boolean {
  return bodyOf(request) !== null
}

/** Most requests have none, and are not asked for it. */
function bodyOf(request: Request): ReadableStream | null {
  const { method } = request
  return method === 'GET' || method === 'HEAD' ? null : request.body
}
