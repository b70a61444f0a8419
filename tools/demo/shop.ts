/**
 * The demo shop: an origin with a real capacity. When it is overloaded it serves less, and it stays slow until its
 * queue has drained. Its `/stats` list the visitors, so that a test can prove that only admitted visitors reached it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Given, number, run } from '../support/cli.ts'
import { Counter } from './counter.ts'
import { echoSocket } from './echo-socket.ts'
import { type Faults, noFaults, setFaults } from './faults.ts'
import { Ledger, type ShopStats } from './ledger.ts'
import { sendJson } from './probes.ts'
import { Threads } from './threads.ts'

export type { ShopStats } from './ledger.ts'

export interface ShopOptions {
  /** 0: any free port. */
  readonly port?: number
  /** Pages a second that the shop can serve. Default 40. */
  readonly capacity?: number
  /** Where a demo bank of this machine listens. Without it the shop takes orders only. */
  readonly bankPort?: number
  /** Prints a line on stdout every five seconds in which requests came. Default false. */
  readonly log?: boolean
}

export interface Shop {
  readonly url: string
  readonly port: number
  stats(): ShopStats
  stop(): Promise<void>
}

/** This header is on every answer: it shows that the answer is the shop's, and not a waiting room's. */
const MARK = 'Demo-Shop: 1'
const LOG_EVERY_MS = 5_000
/**
 * Longer than proxies keep idle connections. Otherwise a proxy would sometimes send into a connection that is being
 * closed.
 */
const KEEP_ALIVE_MS = 75_000
const BACKLOG = 4_096

export async function startShop(options: ShopOptions = {}): Promise<Shop> {
  const threads = new Threads(options.capacity ?? 40)
  const ledger = new Ledger()
  const faults = noFaults()
  const counter = new Counter(threads, ledger, faults, options.bankPort ?? null)
  const stats = () => {
    const nowMs = performance.now()
    return ledger.stats({ queued: threads.queued, slowdown: threads.slowdownAt(nowMs) }, nowMs)
  }
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Demo-Shop', '1')
    const [path, query] = (request.url ?? '/').split('?')
    // Requests for the stats are not part of the stats.
    if (path === '/stats') return sendJson(response, isListed(query) ? { visitors: ledger.visitors() } : stats())
    if (path === '/stats/reset' && request.method === 'POST') {
      ledger.reset()
      return sendJson(response, stats())
    }
    if (path === '/stats/faults' && request.method === 'POST') {
      return breakDown(request, response, faults).then(() => {
        threads.capacityShare = faults.capacityShare
      })
    }
    ledger.arrived(...identityOf(request), Date.now())
    response.on('close', () => ledger.answered(response.writableFinished ? response.statusCode : 'aborted'))
    counter.serve(request, response).catch(error => abandon(request, response, error))
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handle)
  const sockets = new Set<Duplex>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const isEcho = request.url?.split('?')[0] === '/ws'
    ledger.arrived(...identityOf(request), Date.now())
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      ledger.answered(isEcho ? 101 : 404)
    })
    if (isEcho) echoSocket(request, socket, head, [MARK])
    else socket.end(`HTTP/1.1 404 Not Found\r\n${MARK}\r\nConnection: close\r\n\r\n`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: options.port ?? 0, host: '127.0.0.1', backlog: BACKLOG }, resolve)
  })
  const { port } = server.address() as AddressInfo
  const logging = options.log ? logEvery(stats) : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    stats,
    stop: () =>
      new Promise(resolve => {
        clearInterval(logging)
        threads.stop()
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Answers with the present faults. */
async function breakDown(request: IncomingMessage, response: ServerResponse, faults: Faults): Promise<void> {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk
  const wrong = setFaults(faults, parsed(text))
  if (wrong !== null) response.statusCode = 400
  sendJson(response, wrong === null ? faults : { error: wrong })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}

function isListed(query: string | undefined): boolean {
  return new URLSearchParams(query).get('visitors') === '1'
}

/** The visitor is the crowd's own id if there is one, else the waiting room's session. */
function identityOf({ headers }: IncomingMessage): [visitor: string | null, session: string | null] {
  const session = headers['waiting-room-session']?.toString() ?? null
  return [headers['x-crowd-visitor']?.toString() ?? session, session]
}

/** A client that disconnected while it sent its body is no error. Any other error is the shop's own, and is logged. */
function abandon(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (!request.destroyed || request.complete) console.error(error)
  response.destroy()
}

function logEvery(stats: () => ShopStats): NodeJS.Timeout {
  let before = 0
  return setInterval(() => {
    const { requests, pagesServed, queued, slowdown, latencyP50Ms, latencyP95Ms, perStatus } = stats()
    if (requests === before) return
    before = requests
    const busy = `${perStatus[503] ?? 0} refused, ${queued} queued, ${slowdown} times slower`
    console.log(`${requests} requests, ${pagesServed} pages, p50 ${latencyP50Ms} ms, p95 ${latencyP95Ms} ms, ${busy}`)
  }, LOG_EVERY_MS)
}

const USAGE = `node tools/demo/shop.ts [--port 8788] [--capacity 40]

A small shop that breaks when too many people come at once. /stats shows its state.`

const FLAGS = {
  port: { value: 'N', help: 'where it listens', default: '8788' },
  capacity: { value: 'N', help: 'pages a second that it can do', default: '40' },
}

async function main(given: Given): Promise<number> {
  const capacity = number(given, 'capacity', 1, 10_000)
  const shop = await startShop({ port: number(given, 'port', 0, 65_535), capacity, log: true })
  console.log(`shop at ${shop.url}, ${capacity} pages a second`)
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await shop.stop()
  return 0
}

if (process.argv[1] === import.meta.filename) await run(USAGE, FLAGS, main)
