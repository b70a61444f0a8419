/** HTTP/1.1 messages as bytes. No library reads them, because a library would repair what must be seen as it came. */

/** A header line split at its first colon. The name is in lower case. */
export type Header = readonly [name: string, value: string]

export interface Head {
  readonly startLine: string
  readonly headers: readonly Header[]
  /** Where the body begins. */
  readonly end: number
}

/** Returns the head of a message, or null while it is not complete. Text is latin1: one character for each byte. */
export function readHead(bytes: Buffer): Head | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  return { startLine, headers: lines.map(headerOf), end: end + 4 }
}

export function headerOf(line: string): Header {
  const colon = line.indexOf(':')
  if (colon < 0) return [trimmed(line).toLowerCase(), '']
  return [trimmed(line.slice(0, colon)).toLowerCase(), trimmed(line.slice(colon + 1))]
}

/** Spaces and tabs only (RFC 9110 section 5.6.3): other white space is part of a value. */
function trimmed(text: string): string {
  return text.replaceAll(/^[ \t]+|[ \t]+$/g, '')
}

export function valuesOf(headers: readonly Header[], name: string): readonly string[] {
  return headers.filter(([own]) => own === name).map(([, value]) => value)
}

/** All values of a header as one list, as RFC 9110 section 5.3 joins them; null without any. */
export function fieldOf(headers: readonly Header[], name: string): string | null {
  const values = valuesOf(headers, name)
  return values.length === 0 ? null : values.join(', ')
}

export interface Content {
  readonly body: Buffer
  /** Where the next message begins. */
  readonly end: number
}

/**
 * Returns the content of a message that is framed by its length or in chunks; null while the message is not complete.
 */
export function readContent(bytes: Buffer, { headers, end }: Head): Content | null {
  if (/\bchunked\b/i.test(fieldOf(headers, 'transfer-encoding') ?? '')) return readChunks(bytes, end)
  const length = Number(valuesOf(headers, 'content-length')[0] ?? 0)
  if (bytes.length < end + length) return null
  return { body: bytes.subarray(end, end + length), end: end + length }
}

/** Reads chunks (RFC 9112 section 7.1). Throws when the bytes are not chunks. */
function readChunks(bytes: Buffer, start: number): Content | null {
  const parts: Buffer[] = []
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = /^[\da-f]+/i.exec(bytes.toString('latin1', at, lineEnd))
    if (!size) throw new Error(`no chunk size at byte ${at}`)
    const length = Number.parseInt(size[0], 16)
    const from = lineEnd + 2
    if (length === 0) {
      const end = bytes.indexOf('\r\n', from)
      return end < 0 ? null : { body: Buffer.concat(parts), end: end + 2 }
    }
    if (bytes.length < from + length + 2) return null
    parts.push(bytes.subarray(from, from + length))
    at = from + length + 2
  }
}
