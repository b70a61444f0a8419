/** The body of a request on its way to the origin, and when all of it is sent. */

export interface Upload {
  readonly body: ReadableStream
  /** Resolves when the origin's connection has taken the last of it. Rejects when either end goes away. */
  readonly through: Promise<void>
}

/**
 * Null without a body. That of a GET or HEAD means nothing (RFC 9110 section 9.3.1), and stays behind. The runtime moves the bytes by itself, and says
 * the length that the visitor has said.
 */
export function uploadOf({ method, headers, body }: Request): Upload | null {
  if (body === null || method === 'GET' || method === 'HEAD') return null
  const length = Number(headers.get('Content-Length') ?? Number.NaN)
  const { readable, writable } = Number.isSafeInteger(length)
    ? new FixedLengthStream(length)
    : new IdentityTransformStream()
  return { body: readable, through: body.pipeTo(writable) }
}
