/** Visitors for the benchmark: sessions that really were admitted, and tickets signed with the same keys. */
import { Agent, request } from 'node:http'
import type { Ticket } from '../../src/core/ticket.ts'
import { openKeyRing } from '../../src/tokens/keyring.ts'
import { signTicket } from '../../src/tokens/tokens.ts'

const AT_ONCE = 32
/**
 * A waiting visitor's ticket is signed again every 30 seconds. These tickets count as just signed for the whole run.
 */
const JUST_SIGNED_FOR_MS = 3_600_000

/** Returns cookies of distinct sessions. The pass of each has been used once. */
export async function admit(url: string, count: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const cookies: string[] = []
  const one = async () => {
    const first = await cookieFrom(agent, url)
    if (!first) throw new Error(`no session from ${url}`)
    cookies.push((await cookieFrom(agent, url, first)) ?? first)
  }
  for (let done = 0; done < count; done += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - done) }, one))
  }
  agent.destroy()
  return cookies
}

/** Returns cookies of distinct waiting visitors, as if each had been confirmed a while ago. */
export async function queue(url: string, room: string, roomKeys: string, count: number): Promise<string[]> {
  const agent = new Agent()
  const cookie = await cookieFrom(agent, url)
  agent.destroy()
  if (!cookie) throw new Error(`no ticket from ${url}`)
  const [name = '', token = ''] = cookie.split('=')
  const { gen } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { gen: number }
  const ring = await openKeyRing(roomKeys)
  const nowMs = Date.now()
  const cookies: string[] = []
  for (let i = 0; i < count; i++) {
    const ticket: Ticket = {
      room,
      sid: `xx-0.${String(i).padStart(22, 'A')}`,
      // These visitors stand behind the one whose claim has just closed the room.
      key: nowMs + i / 1_000,
      lane: 'main',
      confirmed: true,
      low: 1,
      byMs: null,
      generation: gen,
      issuedMs: nowMs + JUST_SIGNED_FOR_MS,
    }
    cookies.push(`${name}=${await signTicket(ring, ticket)}`)
  }
  return cookies
}

function cookieFrom(agent: Agent, url: string, cookie?: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { Accept: 'text/html', ...(cookie === undefined ? {} : { Cookie: cookie }) }
    const outgoing = request(url, { agent, headers }, response => {
      response.resume()
      response.on('end', () => resolve(response.headers['set-cookie']?.[0]?.split(';')[0]))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
