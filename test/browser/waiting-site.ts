/** A site for the waiting page: the built Worker in plain workerd, an origin that records its requests, and a crowd. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signInvitation } from '../../tools/support/invitation.ts'
import { PAGE, startRooms } from './served-site.ts'

/** Settings of a room, without its name. The path of the room is its name. */
export type Settings = Record<string, unknown>

/** Rooms with an invitation key. */
const INVITES = new Set(['lanes', 'guests'])
const PREFIX = '/.waiting-room'
/** Visitors give up after this time, in milliseconds. No test lasts longer. */
const GIVE_UP_MS = 60_000

export async function startSite(rooms: Readonly<Record<string, Settings>>) {
  /** Requests that reached the origin, as `GET /path?query`. */
  const reached: string[] = []
  /** Paths and bodies of requests that reached the origin. */
  const bodies: [path: string, body: string][] = []
  const origin = createServer((request, response) => {
    reached.push(`${request.method} ${request.url}`)
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part))
    request.on('end', () => bodies.push([request.url ?? '', Buffer.concat(parts).toString()]))
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(
      request.url?.startsWith('/send') ? form(request.url) : '<!doctype html><title>Shop</title><h1>Welcome</h1>',
    )
  })
  await new Promise<void>(resolve => origin.listen(0, '127.0.0.1', resolve))
  const inviting = Object.keys(rooms).filter(room => INVITES.has(room))
  const held = Object.fromEntries(Object.entries(rooms).map(([name, more]) => [name, { queue_all: true, ...more }]))
  const served = await startRooms(held, (origin.address() as AddressInfo).port, inviting)
  const ended = new AbortController()

  /** Another visitor in the same line, who keeps the cookie, polls as asked, and stays inside. */
  async function standInLine(room: string, hasPlace: () => void): Promise<void> {
    const headers: Record<string, string> = {}
    const endMs = Date.now() + GIVE_UP_MS
    let ask: string | null = `/${room}`
    while (Date.now() < endMs) {
      const kind = ask === `/${room}` ? PAGE : { Accept: 'application/json' }
      const response = await fetch(served.url + ask, { headers: { ...kind, ...headers }, signal: ended.signal })
      const text = await response.text()
      const cookie = response.headers.getSetCookie()[0]?.split(';')[0]
      if (cookie !== undefined) headers.Cookie = cookie
      hasPlace()
      if (text.includes('Welcome') || text.includes('"state":"admitted"')) return
      ask = `${PREFIX}/status?room=${room}&claim=1`
      const told = Number(
        /(?:data-poll="|"pollAfterSeconds":)([\d.]+)/.exec(text)?.[1] ?? response.headers.get('Retry-After'),
      )
      await new Promise(resolve => setTimeout(resolve, told * 1_000))
    }
  }

  return {
    url: served.url,
    reached,
    bodies,
    change: served.change,
    /** The address of a page of the room, with an invitation valid for one hour. */
    async invited(room: string, lane?: string): Promise<string> {
      const expiresMs = Date.now() + 3_600_000
      const text = await signInvitation(served.roomKeys, { room, expiresMs, ...(lane === undefined ? {} : { lane }) })
      return `/${room}/sale?size=4&invite=${text}`
    },
    /** Puts visitors in line ahead of every later visitor. They poll by themselves from then on. */
    async crowd(room: string, people: number): Promise<void> {
      const inLine = Array.from(
        { length: people },
        () => new Promise<void>(resolve => standInLine(room, resolve).catch(ignoreTheEnd)),
      )
      await Promise.all(inLine)
    },
    async stop(): Promise<void> {
      ended.abort()
      await served.stop()
      origin.closeAllConnections()
      await new Promise(resolve => origin.close(resolve))
    },
  }
}

/** A page of the origin outside every room. Its button posts to the address in its query. */
function form(url: string): string {
  const { searchParams } = new URL(url, 'http://origin')
  const action = searchParams.get('to')?.replaceAll(/[&"<]/g, '') ?? ''
  const large = searchParams.has('large') ? `<input type="hidden" name="large" value="${'a'.repeat(300_000)}">` : ''
  return `<!doctype html><title>Form</title><form method="post" action="${action}"><input name="card" value="42">${large}<button>Send</button></form>`
}

function ignoreTheEnd(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'AbortError') console.error(error)
}
