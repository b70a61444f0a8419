/** The bodies of requests to control routes. They are small, and must arrive soon. */
import { within } from '../../runtime/within.ts'

const BODY_WITHIN_MS = 5_000

/** Returns the text of a body. Returns null if it is longer than allowed, or late. */
export async function bodyOf({ body }: Request, bytesMax: number): Promise<string | null> {
  const text = await within(BODY_WITHIN_MS, textOf(body, bytesMax)).catch(() => 'late' as const)
  return text === 'late' ? null : text
}

async function textOf(body: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<string | null> {
  let text = ''
  if (body === null) return text
  const decoder = new TextDecoder()
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length > bytesMax) return null
  }
  return text
}
