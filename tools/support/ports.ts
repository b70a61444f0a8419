import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** The range of ports to try. Systems choose higher ports for connections, and for programs that need any port. */
const FROM = 20_000
const BELOW = 32_000
const TRIES_MAX = 100

/**
 * Returns a port that was free a moment ago. Only a program that asks for exactly this port can take it meanwhile,
 * because systems choose ports above this range.
 */
export async function freePort(): Promise<number> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const port = randomInt(FROM, BELOW)
    if (await isFree(port)) return port
  }
  throw new Error(`none of ${TRIES_MAX} ports from ${FROM} to ${BELOW - 1} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
