/** The built Worker in plain workerd for whole-process tests, in front of an origin that each test file brings. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort } from '../../../tools/support/ports.ts'
import { newRoomKeys } from '../../../tools/support/secrets.ts'
import { type Served, type ServeOptions, startServe } from '../../../tools/support/workerd.ts'

export const ADMIN_TOKEN = 'an-admin-token-for-process-tests-only'

export interface Origin {
  readonly url: string
  readonly server: Server
  stop(): Promise<void>
}

/** A node server on a free port. */
export async function startOrigin(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Origin> {
  const server = createServer(handle)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    stop: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

export interface Site extends Served {
  /** Changes a room live. */
  change(room: string, change: unknown): Promise<void>
  describe(room: string): Promise<{ figures: Record<string, number>; settings: Record<string, unknown> }>
  /** Returns the times at which the doors admitted these sessions, in ms of the clock of the doors, ascending. */
  admittedMs(room: string, sids: Iterable<string>): Promise<number[]>
}

export async function startSite(options: Partial<ServeOptions> & { origin: string; rooms: unknown }): Promise<Site> {
  const served = await startServe({
    port: await freePort(),
    storage: 'memory',
    roomKeys: options.roomKeys ?? (await newRoomKeys()),
    adminToken: ADMIN_TOKEN,
    ...options,
  })
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
  const api = async (room: string, init: RequestInit = {}) => {
    const response = await fetch(`${served.url}/.waiting-room/api/v1/rooms/${room}`, { ...init, headers })
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    return response.json()
  }
  return {
    ...served,
    change: async (room, change) => {
      await api(room, { method: 'PATCH', body: JSON.stringify(change) })
    },
    describe: async room => (await api(room)) as Awaited<ReturnType<Site['describe']>>,
    admittedMs: async (room, sids) => {
      const times: number[] = []
      for (const sid of sids) times.push(((await api(`${room}/sessions/${sid}`)) as { admittedMs: number }).admittedMs)
      return times.sort((a, b) => a - b)
    },
  }
}
