/** Where a server listens: whether the port is free, what to do when it is not, and how the address is written. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { UsageError } from '../support/cli.ts'
import { freePort } from '../support/ports.ts'

export const LOOPBACK = '127.0.0.1'
export const HOST_FLAG = {
  value: 'ADDRESS',
  help: 'the address to listen on; 0.0.0.0 or :: to let others reach it',
  default: LOOPBACK,
}
const LOOPBACKS = ['127.0.0.1', '::1', 'localhost']
const EVERY = ['0.0.0.0', '::']
/** Ports after the one that is taken are tried first: they are easier to remember. */
const NEIGHBOURS = 20

/** Returns the address of `--host`. Throws UsageError when it is not an address. */
export function hostOf(host = LOOPBACK): string {
  if (/^[\w.:-]+$/.test(host)) return host === 'localhost' ? LOOPBACK : host
  throw new UsageError(`--host must be an address of this machine like 127.0.0.1, 0.0.0.0 or ::, got ${host}`)
}

/** The host in a URL by which this machine reaches the server. */
export function urlOf(host: string, port: number): string {
  if (host === LOOPBACK || isEvery(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Whether a server on this address can be reached at each address of the machine. */
export function isEvery(host: string): boolean {
  return EVERY.includes(host)
}

export function isLoopback(host: string): boolean {
  return LOOPBACKS.includes(host) || host.startsWith('127.')
}

/** Another process listens on the port. */
export class PortTaken extends Error {
  override name = 'PortTaken'
  /** A port that is free instead. */
  readonly free: number

  constructor(port: number, free: number) {
    super(`port ${port} is taken`)
    this.free = free
  }
}

/**
 * Throws PortTaken when another process listens on the port, or an Error with the reason when none can. Nothing listens
 * afterwards.
 */
export async function needPort(host: string, port: number): Promise<void> {
  const refusal = await refusalOf(host, port)
  if (refusal === 'EADDRINUSE') throw new PortTaken(port, await freeNear(host, port))
  if (refusal !== null) throw new Error(`cannot listen on ${host}, port ${port}: ${refusal}`)
}

/** The error as a command shows it: with a command line that works instead. */
export function withCommand(error: unknown, call: string, args: readonly string[]): unknown {
  if (!(error instanceof PortTaken)) return error
  const free = String(error.free)
  const at = args.findIndex(arg => arg === '--port' || arg.startsWith('--port='))
  const others = at < 0 ? args : args.toSpliced(at, args[at] === '--port' ? 2 : 1)
  return new Error(
    `${error.message}. Port ${free} is free:\n\n  ${[call, '--port', free, ...others.map(quoted)].join(' ')}`,
  )
}

function quoted(arg: string): string {
  return /^[\w./:=@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`
}

async function freeNear(host: string, port: number): Promise<number> {
  for (let next = port + 1; next <= Math.min(port + NEIGHBOURS, 65_535); next++) {
    if ((await refusalOf(host, next)) === null) return next
  }
  return freePort()
}

/**
 * Returns why a server cannot listen on this port, or null when it can. A name like localhost means both loopbacks, so
 * both must be free.
 */
async function refusalOf(host: string, port: number): Promise<string | null> {
  const refusal = await tryOn(host, port)
  if (refusal !== null || !LOOPBACKS.includes(host)) return refusal
  const others = await Promise.all(['127.0.0.1', '::1'].map(other => (other === host ? null : tryOn(other, port))))
  return others.includes('EADDRINUSE') ? 'EADDRINUSE' : null
}

async function tryOn(host: string, port: number): Promise<string | null> {
  const server = createServer()
  try {
    server.listen({ port, exclusive: true, host })
    await once(server, 'listening')
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  } finally {
    await new Promise(closed => server.close(closed))
  }
}
