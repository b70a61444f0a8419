/** Routes for testing a proxy in front of the shop. They cost no capacity. */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

const EVENTS = 5
const EVENT_EVERY_MS = 1_000

export function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(response.statusCode, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(body))
}

/** Returns what arrived. The body is hashed as it streams, so its size needs no bound. */
export async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256')
  let bodyBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bodyBytes += chunk.length
    hash.update(chunk)
  }
  const { method, url, headers } = request
  sendJson(response, { method, url, headers, bodyBytes, bodySha256: hash.digest('hex') })
}

/** A few server-sent events, a second apart. */
export function events(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  let sent = 0
  const tick = () => {
    sent++
    response.write(`id: ${sent}\ndata: ${JSON.stringify({ tick: sent, of: EVENTS })}\n\n`)
    if (sent < EVENTS) return
    clearInterval(timer)
    response.end()
  }
  const timer = setInterval(tick, EVENT_EVERY_MS)
  response.on('close', () => clearInterval(timer))
  tick()
}
