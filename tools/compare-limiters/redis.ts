/**
 * A real Redis behind the interface that other limiters expect. It runs their scripts unchanged, and counts their
 * commands.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRedis } from '../support/redis.ts'

/**
 * This first line of a script allows Upstash's own server to run other scripts at the same time. A usual Redis does not
 * know the line. The result of the script is the same without it.
 */
const UPSTASH_MARK = /^#!lua flags=allow-key-locking\n/

/** Keys expire by a clock that each call gives, because this Redis has no access to a virtual clock. */
const BY_CLOCK = `
local clock = tonumber(table.remove(ARGV))
local server = redis
for _, key in ipairs(KEYS) do
  local ends = server.call('HGET', 'ends', key)
  if ends and tonumber(ends) <= clock then
    server.call('DEL', key)
    server.call('HDEL', 'ends', key)
  end
end
local redis = { call = function(command, key, ...)
  if command == 'PEXPIRE' then return server.call('HSET', 'ends', key, clock + tonumber((...))) end
  if command == 'PTTL' then return tonumber(server.call('HGET', 'ends', key) or clock) - clock end
  return server.call(command, key, ...)
end }
`

/** The part of a Redis client that limiters use. */
export class Scripts {
  /** Commands sent, without the loading of scripts. */
  calls = 0
  readonly #redis: Redis
  readonly #keysEndBy: 'redis' | 'clock'
  /** The server's script hashes, by the hashes that the limiters use. */
  readonly #known = new Map<string, string>()

  constructor(redis: Redis, keysEndBy: 'redis' | 'clock') {
    this.#redis = redis
    this.#keysEndBy = keysEndBy
  }

  async scriptLoad(script: string): Promise<string> {
    const hash = createHash('sha1').update(script).digest('hex')
    const plain = script.replace(UPSTASH_MARK, '')
    const loaded = await this.#redis.script('LOAD', this.#keysEndBy === 'clock' ? BY_CLOCK + plain : plain)
    this.#known.set(hash, String(loaded))
    return hash
  }

  async evalsha<Args extends unknown[], Data = unknown>(hash: string, keys: string[], args: Args): Promise<Data> {
    const known = this.#known.get(hash)
    if (known === undefined) throw new Error('NOSCRIPT No matching script')
    this.calls++
    const values = args.map(arg => (typeof arg === 'number' ? arg : String(arg)))
    if (this.#keysEndBy === 'clock') values.push(Date.now())
    return (await this.#redis.evalsha(known, keys.length, ...keys, ...values)) as Data
  }

  async eval<Args extends unknown[], Data = unknown>(script: string, keys: string[], args: Args): Promise<Data> {
    return this.evalsha<Args, Data>(await this.scriptLoad(script), keys, args)
  }
}

/** Starts a Redis on a socket of its own, which is faster than any network. Stops the Redis after `use`. */
export async function withRedis<Result>(use: (redis: Redis) => Promise<Result>): Promise<Result> {
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-compare-'))
  const socket = join(scratch, 'redis.sock')
  const child = await startRedis({ socket })
  const redis = new Redis({
    path: socket,
    enableAutoPipelining: true,
    retryStrategy: tries => (tries < 100 ? 50 : null),
  })
  redis.on('error', () => undefined) // Needs no handling: each failed command rejects by itself.
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
    await child.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}
