/** A site of a test: rooms of the built Worker in plain workerd, in front of an origin that a test writes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort } from '../../tools/support/ports.ts'
import { newAdminToken, newRoomKeys } from '../../tools/support/secrets.ts'
import { startServe } from '../../tools/support/workerd.ts'

/** Answers a request whose body has come whole. The answer is HTML unless it sets another type. */
export type Answer = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void

export interface Local {
  readonly port: number
  stop(): Promise<unknown>
}

/** Serves answers on a free port of this machine. */
export async function serveLocally(answer: Answer): Promise<Local> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    answer(request, Buffer.concat(parts), response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    },
  }
}

/** The headers of a browser that asks for a page. */
export const PAGE = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document' }

export type Rooms = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/**
 * Starts rooms by their names, each on the path of its name, in front of an origin on this machine. The rooms of
 * `inviting` have an invitation key.
 */
export async function startRooms(rooms: Rooms, originPort: number, inviting: readonly string[] = []) {
  const adminToken = newAdminToken()
  const roomKeys = await newRoomKeys(inviting)
  const served = await startServe({
    port: await freePort(),
    origin: `http://127.0.0.1:${originPort}`,
    rooms: Object.entries(rooms).map(([name, settings]) => ({
      name,
      host: '*',
      path: `/${name}`,
      total_active_users: 1_000,
      new_users_per_minute: 600,
      ...settings,
    })),
    storage: 'memory',
    roomKeys,
    adminToken,
    // No such secret is known to Cloudflare.
    variables: { TURNSTILE_SECRET: 'a-secret-of-no-site' },
  })
  // The first visitor of a room comes before the room knows that it is held.
  await Promise.all(Object.keys(rooms).map(room => fetch(`${served.url}/${room}`, { headers: PAGE })))
  return {
    url: served.url,
    adminToken,
    roomKeys,
    async change(room: string, settings: object): Promise<void> {
      const response = await fetch(`${served.url}/.waiting-room/api/v1/rooms/${room}`, {
        method: 'PATCH',
        headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(settings),
      })
      if (!response.ok) throw new Error(await response.text())
    },
    /** Returns a page of the preview, or of its list without a name. */
    async preview(query: Readonly<Record<string, string>>): Promise<string> {
      const url = `${served.url}/.waiting-room/preview?${new URLSearchParams(query)}`
      const response = await fetch(url, { headers: { Authorization: `Bearer ${adminToken}` } })
      if (!response.ok) throw new Error(await response.text())
      return response.text()
    },
    stop: () => served.stop(),
  }
}
