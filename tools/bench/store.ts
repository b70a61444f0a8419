/**
 * A real Redis behind a plain HTTP server, which is how Workers reach stores. All commands share one pipelined
 * connection.
 */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { startRedis } from '../support/redis.ts'

/** Starts Redis and the server. Returns a function that stops both. Throws when the machine has no redis-server. */
export async function startStore(port: number): Promise<() => Promise<void>> {
  const redisPort = port + 1
  const child = await startRedis({ port: redisPort })
  const redis = new Redis({ port: redisPort, host: '127.0.0.1', enableAutoPipelining: true, maxRetriesPerRequest: 3 })
  redis.on('error', () => undefined) // Needs no handling: each failed command rejects by itself.
  await redis.ping()
  const server = createServer((request, response) => {
    const [, command, key = ''] = (request.url ?? '').split('/')
    const answer = command === 'incr' ? redis.incr(key) : redis.get(key)
    answer.then(
      value => response.end(String(value)),
      () => response.writeHead(500).end(),
    )
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>(listening => server.listen(port, '127.0.0.1', listening))
  return async () => {
    server.closeAllConnections()
    await new Promise(closed => server.close(closed))
    redis.disconnect()
    await child.stop()
  }
}
