import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Systems take the ports of connections, and the ports that a program leaves to the system, from above these. */
const FROM = 20_000
const BELOW = 32_000
const TRIES_MAX = 100

/**
 * Returns a port that was free a moment ago. Only a program that asks for this very port can take it meanwhile: no
 * connection and no other server gets it by chance.
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
