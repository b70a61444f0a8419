/** The body of a request on its way to the origin, and when all of it has been sent. */

export interface Upload {
  readonly body: ReadableStream
  /** Resolves when the connection to the origin has taken the last byte. Rejects when either end goes away. */
  readonly through: Promise<void>
  /** The milliseconds that a slow connection may need for the body. */
  readonly withinMs: number
}

/** The longest wait for an upload: 10 minutes, for a slow visitor and for an origin that does not take the body. */
export const UPLOAD_MAX_MS = 10 * 60_000
/** A slow connection sends 64 kbit/s, which is 8 bytes per ms, and may stall for 10 s. */
const BYTES_PER_MS = 8
const STALLED_MS = 10_000

/**
 * Returns null if there is no body. The body of a GET or HEAD has no meaning (RFC 9110 section 9.3.1) and is not sent
 * on. The runtime moves the bytes by itself, and sends the length that the visitor declared.
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

/**
 * Returns the body. For a GET or HEAD it does not read `body`, because most requests are such and the property costs
 * time.
 */
function bodyOf(request: Request): ReadableStream | null {
  const { method } = request
  return method === 'GET' || method === 'HEAD' ? null : request.body
}
