/** Reads the forms that are sent to the demo's servers. */
import type { IncomingMessage } from 'node:http'

/** Returns null for a form that is larger than any form of the server. */
export async function formOf(request: IncomingMessage, bytesMax: number): Promise<URLSearchParams | null> {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk
    if (text.length > bytesMax) return null
  }
  return new URLSearchParams(text)
}
